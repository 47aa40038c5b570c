"""precision: pilots of other seeds until the suggestion is known to a factor, or a reason."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_models import world

from lrlab import Recipe, schedules, tasks
from lrlab.optimizers import SGD
from lrlab.range_test import Trace, range_test
from lrlab.range_test._precise import MOST, precise, refine
from lrlab.range_test.pilots import best_rate, missed

TASK = tasks.get("mnist1d", n_train=512)
RECIPE = Recipe(
    schedule=schedules.Constant(0.1), steps=200, batch_size=32, optimizer=SGD(momentum=0.9)
)


def pilot(lr, seed, loss, n=40):
    losses = np.append(np.full(n - 20, 3.0), np.full(20, loss))
    return Trace(np.full(n, lr), losses, np.ones(n), seed, np.full(n, lr), "completed")


def laboratory(best, noise, seed=0):
    """Train nothing: each seed has its own best rate around one; a loss is 3 before any update."""
    rng = np.random.default_rng(seed)
    own = [best * math.exp(noise * rng.normal()) for _ in range(MOST)]

    def train(pairs):
        return [
            pilot(lr, s, 1 + min(2.5, 0.1 * math.log(lr / own[s]) ** 2 + 0.01)) for lr, s in pairs
        ]

    return train


@pytest.mark.parametrize("off", [1 / 20, 1 / 4, 1.0, 3.0, 15.0])
def test_it_walks_to_the_best_rate_from_wherever_it_begins(off):
    found = refine(laboratory(0.1, 0.1), 0.1 * off, 3.0, 40, start=3.0)
    suggestion = precise(found, 40, 3.0, 3.0)
    assert suggestion.lr == pytest.approx(0.1, rel=0.3)


@pytest.mark.parametrize("seed", range(8))
def test_its_interval_covers_the_best_rate_and_is_as_narrow_as_asked_for(seed):
    found = refine(laboratory(0.1, 0.2, seed), 0.15, 3.0, 80, start=3.0)
    interval = precise(found, 80, 3.0, 3.0).interval
    assert interval.high / interval.low <= 3
    assert interval.low < 0.1 * 2 ** (-1 / 3) < interval.high


def test_where_seeds_differ_too_much_it_says_so_after_the_last():
    found = refine(laboratory(0.1, 1.5), 0.1, 1.5, 40, start=3.0)
    suggestion = precise(found, 40, 3.0, 1.5)
    assert len({trace.seed for trace in found}) == MOST
    assert f"no precision of 1.5 with {MOST} seeds" in suggestion.rule


def test_where_validation_was_measured_it_decides_and_not_the_training_loss():
    pilots = []
    for trace in refine(laboratory(0.2, 0.05), 0.1, 3.0, 40, start=3.0):
        held_out = 1 + 0.1 * math.log(trace.lr[0] / 0.05) ** 2
        evals = {
            "step": np.array([0, 20, 40]),
            "validation_loss": np.array([3.0, 9.0, held_out]),
        }
        pilots.append(dataclasses.replace(trace, evals=evals))
    found = precise(pilots, 40, 3.0, 3.0)
    assert found.lr == pytest.approx(0.05, rel=0.1)
    assert "lowest validation loss" in found.rule


def test_pilots_that_all_ended_early_give_a_reason_and_no_number():
    ended = [
        Trace(np.ones(1), np.array([np.nan]), np.ones(1), s, np.ones(9), "nan") for s in (0, 1)
    ]
    assert "ended early" in precise(ended, 9, 3.0, 3.0).rule


@settings(max_examples=60)
@given(
    st.lists(st.floats(0.0, 5.0), min_size=4, max_size=7, unique=True),
    st.floats(1e-3, 1e6),
    st.floats(-1e3, 1e3),
)
def test_a_suggestion_depends_on_differences_of_losses_alone(losses, a, b):
    def suggested(scale, shift):
        pilots = [pilot(0.01 * 2**k, 0, scale * (loss + shift)) for k, loss in enumerate(losses)]
        return best_rate(pilots, 100, start=scale * (6.0 + shift))

    plain, other = suggested(1.0, 0.0), suggested(a, b)
    assert other.lr == pytest.approx(plain.lr, rel=1e-3)
    assert (other.interval is None) == (plain.interval is None)


def test_pilots_above_the_start_count_as_diverged():
    assert missed([1.0, 2.0, 2.9, 3.1], start=2.0)[2:].tolist() == [
        pytest.approx(math.log(2.15)),
        math.inf,
    ]


@pytest.mark.trains
def test_a_range_test_reaches_a_precision_at_a_stated_cost_and_the_default_costs_what_it_did():
    result = range_test(TASK, RECIPE, steps=40, precision=3, n_jobs=1, store=None)
    interval = result.suggest().interval
    assert interval.high / interval.low <= 3 or "no precision of 3" in result.suggest().rule
    assert 15 * 100 <= len(result.refined) * 100 <= 40 * 100 + 800
    assert result.steps == 8 * 40 + sum(len(t.loss) for t in result.refined)
    assert range_test(TASK, RECIPE, steps=40, n_jobs=1, store=None).steps == 8 * 40


def test_a_wide_interval_is_explained_with_what_would_narrow_it():
    result = range_test(TASK, RECIPE, steps=40, n_jobs=1, store=None)
    words = str(result)
    assert "next: train 200 updates at a constant rate of" in words
    found = result.suggest()
    wide = found.interval is not None and found.interval.high / found.interval.low > 10
    assert ("known to a factor of" in words) == wide
    assert result.figure().axes[0].get_title(loc="left").startswith("Next: train 200 updates")


@pytest.mark.parametrize(
    ("more", "message"),
    [({"precision": 1.0}, "a factor above 1"), ({"precision": 3, "pilots": 0}, "needs pilots")],
)
def test_a_precision_that_makes_no_sense_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        range_test(TASK, RECIPE, **more)


def test_a_module_of_ones_own_shows_its_progress_and_others_do_not(capsys, monkeypatch):
    from lrlab.range_test import _trainer

    shown = []

    class Bar(_trainer.tqdm):
        def __init__(self, *given, **more):
            shown.append(not more["disable"])
            super().__init__(*given, **(more | {"delay": 0}))

    monkeypatch.setattr(_trainer, "tqdm", Bar)
    range_test(world(), steps=20, seeds=2, pilots=0)
    assert "/40 [" in capsys.readouterr().err
    range_test(TASK, RECIPE, steps=10, seeds=1, pilots=0, n_jobs=1, store=None)
    assert shown == [True, False] and capsys.readouterr().err == ""
