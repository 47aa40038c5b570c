"""Range tests: ramps, smoothing, band, pilots, reasons to stop, and bad input."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import SGD, Adam
from lrlab.range_test import RULES, RangeTest, Trace, find_band, ramp, ramp_jobs, range_test
from lrlab.range_test._ramp import is_flat, stop_reason
from lrlab.range_test._smoothing import REACH, kernel_mean, smooth
from lrlab.range_test.pilots import FLOOR, HORIZON_POWER, best_rate, search

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=512)
RECIPE = Recipe(
    schedule=schedules.Constant(0.1), steps=200, batch_size=32, optimizer=SGD(momentum=0.9)
)
QUICK = {"n_jobs": 1, "store": None}


def made(lr: np.ndarray, loss: np.ndarray, seed: int = 0) -> Trace:
    norm = np.ones_like(loss)
    kept = slice(0, len(loss))
    return Trace(lr[kept], loss, norm, seed, lr, stop_reason(loss, norm))


def descent(rates: np.ndarray, curvatures: np.ndarray, noise: float = 0.0, seed: int = 0):
    """Losses of gradient descent on a quadratic, before each update; the floor is 1."""
    rng = np.random.default_rng(seed)
    w, losses = np.ones_like(curvatures), []
    for lr in rates:
        losses.append(1 + 0.5 * float(curvatures @ w**2) + noise * rng.normal())
        w = w - lr * curvatures * w
    return np.array(losses)


@pytest.mark.parametrize("growth", ["exponential", "linear"])
def test_a_ramp_goes_from_the_first_rate_to_the_last(growth):
    rates = ramp(1e-5, 10.0, 100, growth)(np.arange(100))
    assert rates[0] == pytest.approx(1e-5) and rates[-1] == pytest.approx(10.0)
    steps = np.diff(np.log(rates) if growth == "exponential" else rates)
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr_min": 1.0, "lr_max": 0.1}, "lr_min must be below lr_max"),
        ({"lr_min": 0.1, "lr_max": 0.1}, "lr_min must be below lr_max"),
        ({"lr_min": 0.0}, "lr_min must be positive and finite, got lr_min=0.0"),
        ({"lr_max": math.inf}, "lr_max must be positive and finite"),
        ({"steps": 9}, "at least 10 steps, got steps=9"),
        ({"growth": "cubic"}, "growth must be 'exponential' or 'linear'"),
        ({"seeds": 0}, "seeds must be at least one"),
        ({"seeds": [1, 1]}, "seeds must be at least one, each of them once"),
        ({"pilots": 2}, "pilots must be 0 or at least 4"),
        ({"pilot_steps": 5}, "pilot_steps must be an integer of at least 10, got 5"),
        ({"pilot_steps": 10.5}, "pilot_steps must be an integer of at least 10, got 10.5"),
        ({"budget": float("inf")}, "at least 1 update, got budget=inf"),
        (
            {"precision": float("inf")},
            "a factor above 1, and needs pilots, got precision=inf, pilots=5",
        ),
        ({"seeds": [1.7]}, r"each of them once, got seeds=\[1.7\]"),
        ({"seeds": "12"}, "each of them once, got seeds='12'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        range_test(TASK, RECIPE, **QUICK, **arguments)


def test_smoothing_moves_no_crossing_by_more_than_its_reach():
    lr = np.geomspace(1e-6, 10, 200)
    x = np.log10(lr)
    for at in np.linspace(-5, 0, 37):
        means, _ = kernel_mean(x, (x < at).astype(float), x)
        crossing = x[np.flatnonzero(means < 0.5)[0]]
        assert abs(crossing - at) <= REACH


def test_smoothing_has_no_lag_where_the_loss_falls_steadily():
    x = np.log10(np.geomspace(1e-6, 10, 200))
    means, _ = kernel_mean(x, -x, x)
    assert np.allclose(means, -x, atol=1e-12)


def test_a_smoothed_mean_says_how_noisy_it_is():
    x = np.linspace(0, 1, 200)
    noise = np.random.default_rng(0).normal(size=(2000, 200))
    found = [kernel_mean(x, row, np.array([0.5])) for row in noise]
    assert np.std([m[0] for m, _ in found]) == pytest.approx(found[0][1][0], rel=0.05)


def test_a_rate_is_paired_with_the_loss_that_followed_it():
    lr = np.geomspace(1e-3, 1, 61)
    trace = made(lr, np.where(np.arange(61) > 30, 1.0, 2.0))  # update 30 made it fall
    rates, means, _ = smooth(trace)
    assert len(rates) == 60
    fallen = rates[means < 1.5][0]
    assert fallen == pytest.approx(lr[30])


def test_the_lower_end_is_the_smallest_rate_that_brings_a_tenth_of_the_drop():
    curvatures, budget = np.geomspace(0.05, 1, 20), 300
    rates = np.geomspace(1e-6, 10, 400)
    traces = [made(rates, descent(rates, curvatures, 0.02, s), s) for s in range(5)]
    low = find_band(traces, budget).low.lr
    whole = descent(np.full(budget + 1, low), curvatures)
    drop = find_band(traces, budget).drop
    assert (whole[0] - whole[-1]) / drop == pytest.approx(0.1, rel=0.15)


def test_the_upper_end_is_where_the_loss_has_risen_by_a_share_of_the_drop():
    lr = np.geomspace(1e-4, 1, 161)
    x = np.log10(lr)
    loss = np.interp(x, [-4, -3, -2, -1, 0], [2.0, 2.0, 1.0, 1.0, 2.0])
    high = find_band([made(lr, loss)], 100).high.lr
    assert math.log10(high) == pytest.approx(-0.7, abs=0.06)


def test_both_ends_have_intervals_over_seeds_that_hold_their_own_median():
    rates = np.geomspace(1e-5, 100, 300)
    curvatures = np.geomspace(0.05, 1, 20)
    traces = [made(rates, descent(rates, curvatures, 0.05, s), s) for s in range(6)]
    band = find_band(traces, 300)
    assert band.low.interval.n == band.high.interval.n == 6
    assert band.low.lr in band.low.interval
    assert 2.0 < band.high.lr < 10  # 2 / λ_max is where the steepest direction turns


def test_without_a_rise_the_upper_end_is_a_reason():
    rates = np.geomspace(1e-5, 0.5, 200)
    band = find_band([made(rates, descent(rates, np.ones(3)))], 100)
    assert band.high.lr is None and "does not rise" in band.high.reason


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_flat_and_a_fall_is_not(seed):
    noise = np.random.default_rng(seed).normal(size=200)
    assert is_flat(2 + 0.1 * noise)
    assert is_flat(2 + 0.1 * noise + np.linspace(0, 1, 200))
    assert not is_flat(2 + 0.1 * noise - np.linspace(0, 0.5, 200))
    exploded = np.concatenate([2 - np.linspace(0, 0.5, 150), 3 + 50 * np.abs(noise[:50])])
    assert not is_flat(exploded)


@pytest.mark.parametrize(
    ("last", "norm", "reason"),
    [
        (math.nan, math.nan, "nan"),
        (1.0, math.nan, "nan"),
        (math.inf, math.nan, "inf"),
        (1.0, math.inf, "inf"),
        (1e7, math.nan, "diverged"),
        (1e7, 5.0, "diverged"),
        (1.0, 1.0, "completed"),
    ],
)
def test_each_reason_to_stop(last, norm, reason):
    loss = np.append(np.linspace(3, 1, 100), last)
    assert stop_reason(loss, np.append(np.ones(100), norm)) == reason


def test_a_ramp_that_reaches_absurd_rates_says_how_it_ended():
    result = range_test(TASK, RECIPE, lr_max=1e12, steps=60, seeds=2, pilots=0, **QUICK)
    assert set(result.stop_reason.values()) <= {"nan", "inf", "diverged"}
    assert result.band.high.lr < 10 and result.suggest().lr > 1e-3


@pytest.mark.parametrize("rule", [None, "ramp"])
def test_where_there_is_no_signal_there_is_a_reason_and_no_number(rule):
    result = range_test(TASK, RECIPE, lr_max=1e-5, steps=40, seeds=2, **QUICK)
    assert set(result.stop_reason.values()) == {"flat"} and not result.pilots
    suggestion = result.suggest(rule)
    assert suggestion.lr is None and suggestion.rule
    assert "no suggestion" in str(suggestion)


def test_the_suggestion_is_within_a_factor_of_three_of_the_best_constant_rate():
    result = range_test(TASK, RECIPE, steps=60, **QUICK)
    grid = np.geomspace(0.003, 1, 9)
    means = []
    for lr in grid:
        runs = [
            train(TASK, RECIPE.replace(schedule=schedules.Constant(lr), seed=100 + s, eval_every=0))
            for s in range(2)
        ]
        means.append(np.mean([math.log(run.loss[-60:].mean()) for run in runs]))
    best = grid[int(np.argmin(means))]
    assert best / 3 < result.suggest().lr < best * 3
    low, high = result.band.low.lr, result.band.high.lr
    assert low < result.suggest().lr < high


def test_every_rule_answers_on_the_same_traces_and_rivals_are_functions_of_one(monkeypatch):
    result = range_test(TASK, RECIPE, steps=60, **QUICK)
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    rivals = importlib.import_module("_rival_rules").RIVALS
    for rule in (*RULES, *rivals.values()):
        suggestion = result.suggest(rule)
        assert suggestion.lr is None or 1e-7 < suggestion.lr <= 10
        assert suggestion.rule
    mine = result.suggest(lambda trace: float(trace.lr[trace.seed]))
    assert mine.lr == result.traces[1].lr[1] and "median over 3 of 3 seeds" in mine.rule
    with pytest.raises(ValueError, match="rule must be one of"):
        result.suggest("guess")
    assert result.steps == 3 * 60 + 5 * 60


def test_traces_are_raw_and_a_run_with_the_ramp_as_its_schedule():
    result = range_test(TASK, RECIPE, steps=30, seeds=[4], pilots=0, **QUICK)
    (job,) = ramp_jobs(TASK, RECIPE, steps=30, seeds=[4])
    run = train(job.task, job.recipe)
    (trace,) = result.traces
    assert np.array_equal(trace.loss, run.loss) and np.array_equal(trace.lr, run.lr)
    assert np.array_equal(trace.grad_norm, run.grad_norm) and trace.seed == 4


def test_evaluations_and_losses_on_the_same_batch_are_kept_where_asked_for():
    plain = range_test(TASK, RECIPE, steps=30, seeds=1, pilots=0, **QUICK)
    both = range_test(
        TASK, RECIPE, steps=30, seeds=1, pilots=0, eval_every=10, same_batch=True, **QUICK
    )
    assert np.array_equal(both.traces[0].loss, plain.traces[0].loss)
    assert both.traces[0].evals["step"].tolist() == [0, 10, 20, 30]
    assert plain.traces[0].evals == {}
    seen = both.traces[0].probes["SameBatch"]
    assert np.allclose(seen["before"], both.traces[0].loss, rtol=1e-6)
    small = both.traces[0].lr < 1e-2  # a small step goes down on its own batch
    first_order = -both.traces[0].lr * both.traces[0].grad_norm ** 2
    assert (seen["after"] < seen["before"])[small & (first_order < -1e-6)].mean() > 0.9
    assert 1 < both.surcharge < 10 and plain.surcharge == 1
    assert f"losses on the same batch: {both.surcharge:.2f} times" in str(both)
    assert "same batch" not in str(plain)


def test_the_vertex_of_exact_pilots_is_found_and_carried_to_the_budget():
    # What is missed of the drop is (exp(parabola) − 1) / 4, so that its scale is a parabola; the
    # lowest point is one of the rates, since the drop is measured from the best pilot.
    rates = 0.2 * np.geomspace(1 / 4, 4, 5)
    losses = [3 + FLOOR * math.expm1(0.2 * math.log(lr / 0.2) ** 2) for lr in rates]
    pilots = [made(np.full(50, lr), np.full(50, x)) for lr, x in zip(rates, losses, strict=True)]
    assert best_rate(pilots, 50, start=4.0).lr == pytest.approx(0.2, rel=1e-6)
    assert best_rate(pilots, 400, start=4.0).lr == pytest.approx(0.2 * 8**-HORIZON_POWER, rel=1e-6)
    assert best_rate(pilots, 10, start=4.0).lr == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("best", [0.004, 0.03, 0.2, 0.9])
def test_the_search_closes_in_on_the_best_rate(best):
    tried = []

    def at(rates):
        tried.extend(rates)
        return [
            made(np.full(20, lr), np.full(20, math.exp(abs(math.log(lr / best))))) for lr in rates
        ]

    pilots = search(at, top=1.0, bottom=1e-6, count=7)
    assert len(tried) == len(set(tried)) == 7
    assert min(abs(math.log2(lr / best)) for lr in tried) <= 1
    assert [p.lr[0] for p in pilots] == sorted(tried) and max(tried) <= 1.0


def test_pilots_that_all_diverged_give_a_reason():
    pilots = [made(np.full(50, lr), np.array([2.0, np.nan])) for lr in (1.0, 2.0)]
    pilots = [Trace(p.lr, p.loss, p.grad_norm, 0, np.full(50, p.lr[0]), "nan") for p in pilots]
    assert best_rate(pilots, 100).lr is None


def test_the_shift_to_a_larger_test_is_reported():
    a = range_test(TASK, RECIPE, steps=40, seeds=2, pilots=0, **QUICK)
    b = range_test(TASK, RECIPE, steps=80, seeds=4, pilots=0, **QUICK)
    shift = a.shift(b)
    assert shift["low"] == pytest.approx(b.band.low.lr / a.band.low.lr)
    assert all(1 / 4 < shift[name] < 4 for name in ("low", "high", "suggestion"))


def test_the_picture_shows_in_a_notebook():
    result = range_test(TASK, RECIPE, steps=40, seeds=2, sharpness=True, **QUICK)
    assert result._repr_png_().startswith(b"\x89PNG")
    html = result._repr_html_()
    assert 'alt="range test of mnist1d' in html and "data:image/png;base64" in html
    assert 0.1 < result.edge < 1000


@pytest.mark.parametrize("last", [1e12, np.nan])
def test_a_ramp_that_diverges_leaves_the_gradient_norms_of_the_others_to_be_seen(last):
    rates, loss = ramp(1e-3, 1.0, 50)(np.arange(50)), np.linspace(2.0, 1.0, 50)
    norms = np.linspace(1.0, 10.0, 50)
    calm = Trace(rates, loss, norms, 0, rates, None)
    wild = Trace(rates, loss, np.append(norms[:-1], last), 1, rates, None)
    low, high = RangeTest({}, {}, (calm, wild), (), 50).figure().axes[1].get_ylim()
    assert 0 < low <= 1 and 10 <= high <= 10_000


def test_the_limit_of_stability_is_for_sgd_only():
    with pytest.raises(ValueError, match="for SGD without Nesterov, got Adam"):
        range_test(
            TASK, RECIPE.replace(optimizer=Adam()), steps=10, sharpness=True, pilots=0, **QUICK
        )


def test_a_recipe_is_needed_for_a_task_of_the_laboratory():
    with pytest.raises(ValueError, match="needs a recipe"):
        range_test(TASK)


def test_ratios_of_groups_are_kept_during_the_ramp():
    recipe = RECIPE.replace(lr_ratios={"0.": 0.0})
    frozen = range_test(TASK, recipe, steps=20, seeds=1, pilots=0, **QUICK)
    whole = range_test(TASK, RECIPE, steps=20, seeds=1, pilots=0, **QUICK)
    assert isinstance(frozen, RangeTest)
    assert not np.array_equal(frozen.traces[0].loss[1:], whole.traces[0].loss[1:])
