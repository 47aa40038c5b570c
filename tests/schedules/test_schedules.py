"""What every schedule promises: its domain, its horizon, its values as data."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from schedule_strategies import (
    any_schedule,
    cosine_restarts,
    counts,
    cyclics,
    falling,
    one_cycles,
    plain,
    rates,
    trapezoids,
    warmups,
)

from lrlab import schedules
from lrlab.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSqrt,
    Join,
    Linear,
    LinearDecayToZero,
    MultiStep,
    OneCycle,
    Polynomial,
    StepDecay,
    Tanh,
    Warmup,
    WarmupStableDecay,
    from_dict,
)

ULP = np.finfo(float).eps


def span(schedule, past=5):
    """Return the steps of a schedule and a few more."""
    return np.arange((schedule.horizon or 150) + past + 1)


@given(any_schedule)
def test_a_step_alone_and_in_an_array_give_the_same_bits(schedule):
    steps = span(schedule)
    rates = schedule(steps)
    assert rates.dtype == np.float64
    assert rates.tolist() == [schedule(int(step)) for step in steps]


@given(any_schedule, st.integers(0, 200))
def test_a_scalar_step_gives_a_float_whatever_its_integer_type(schedule, step):
    rate = schedule(step)
    assert type(rate) is float
    assert rate == schedule(np.int32(step)) == schedule(np.uint64(step))
    assert schedule(np.array(step)).shape == ()


def test_an_array_keeps_its_shape():
    schedule = Warmup(Cosine(0.1, steps=10), warmup_steps=3)
    steps = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert schedule(steps).shape == (2, 3, 4)
    assert schedule(np.array([], dtype=int)).shape == (0,)
    assert schedule(steps).ravel().tolist() == schedule(range(24)).tolist()


def test_a_long_array_is_computed_like_a_short_one():
    schedule = Warmup(CosineRestarts(0.1, 1_000, 5, growth=2), warmup_steps=100)
    steps = np.arange(40_000)
    assert np.array_equal(schedule(steps)[::7], schedule(steps[::7]))


@pytest.mark.parametrize(
    "step", [-1, 1.0, 0.5, "1", None, True, 2**63, [1, -1], [0.5], [True], np.array([2**63])]
)
def test_a_step_that_makes_no_sense_is_refused(step):
    with pytest.raises(ValueError, match="step must be"):
        Cosine(0.1, steps=10)(step)


@given(any_schedule)
def test_rates_are_finite_and_not_negative(schedule):
    rates = schedule(span(schedule))
    assert np.all(np.isfinite(rates))
    assert np.all(rates >= 0)


@given(any_schedule)
def test_the_final_value_is_held_past_the_horizon(schedule):
    assume(schedule.horizon is not None)
    final = schedule(schedule.horizon)
    later = schedule.horizon + np.array([0, 1, 2, 1_000, 10**10])
    assert schedule(later).tolist() == [final] * 5


@given(any_schedule)
def test_ten_billion_steps_overflow_nothing(schedule):
    steps = 10**10 + np.arange(3)
    rates = schedule(steps)
    assert np.all(np.isfinite(rates)) and np.all(rates >= 0)
    assert rates.tolist() == [schedule(int(step)) for step in steps]


def test_a_horizon_of_ten_billion_steps_is_exact():
    n = 10**10
    assert LinearDecayToZero(1.0, steps=n)(n - 1) == pytest.approx(1e-10, rel=1e-14)
    assert CosineRestarts(1.0, cycle_steps=n, cycles=3)(2 * n) == 1.0
    assert Cyclic(1.0, 0.0, up_steps=n)(np.array([n, 2 * n, 3 * n])).tolist() == [1.0, 0.0, 1.0]
    assert OneCycle(1.0, steps=10 * n, warmup_steps=3 * n)(3 * n) == 1.0
    assert StepDecay(1.0, 0.5, every_steps=n)(np.array([2 * n - 1, 2 * n])).tolist() == [0.5, 0.25]


@given(any_schedule)
def test_a_schedule_survives_json(schedule):
    again = from_dict(json.loads(json.dumps(schedule.to_dict())))
    assert again == schedule
    assert hash(again) == hash(schedule)
    steps = span(schedule)
    assert np.array_equal(again(steps), schedule(steps))


@given(any_schedule, any_schedule)
def test_schedules_are_equal_only_if_they_say_the_same(one, other):
    assert (one == other) == (one.to_dict() == other.to_dict())


@given(any_schedule, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_scaling_by_a_power_of_two_scales_every_rate_exactly(schedule, factor):
    steps = span(schedule)
    # Ratios of rates (an exponential warmup) are the same bits, so all of it is.
    assert np.array_equal(schedule.scale(factor)(steps), factor * schedule(steps))


@given(any_schedule, st.floats(0.01, 100.0))
def test_scaling_keeps_the_shape(schedule, factor):
    steps = span(schedule)
    expected = factor * schedule(steps)
    assert np.allclose(schedule.scale(factor)(steps), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("factor", [0, -1, np.nan, np.inf, "2", None, True])
def test_scaling_by_nonsense_is_refused(factor):
    with pytest.raises(ValueError, match="factor must be positive and finite"):
        Constant(0.1).scale(factor)


@given(falling)
def test_decays_start_at_the_peak_and_never_rise(schedule):
    rates = schedule(span(schedule))
    peak = schedule.lr if isinstance(schedule, Constant) else schedule.peak_lr
    if not isinstance(schedule, Tanh):  # whose peak is an asymptote
        assert rates[0] == peak
    assert np.all(np.diff(rates) <= 2 * ULP * peak)


@given(st.one_of(falling, cosine_restarts(), one_cycles(), trapezoids()))
def test_the_end_rate_is_met_exactly_at_the_horizon(schedule):
    if isinstance(schedule, LinearDecayToZero):
        end = 0.0
    elif isinstance(schedule, OneCycle):
        end = schedule._ends[1]
    elif isinstance(schedule, WarmupStableDecay) and schedule.cooldown_steps == 0:
        end = schedule.peak_lr
    else:
        end = getattr(schedule, "end_lr", None)
    assume(end is not None and not isinstance(schedule, Tanh))
    assert schedule(schedule.horizon) == end


@given(rates, st.integers(3, 10**9), st.floats(0, 1, exclude_max=True), st.sampled_from([2, 3]))
def test_one_cycle_peaks_exactly_at_its_step_for_every_horizon_and_fraction(
    peak, steps, fraction, phases
):
    warmup = phases - 2 + int(fraction * (steps - phases + 1) / (phases - 1))
    assume((phases - 1) * warmup < steps)
    for anneal in ("cosine", "linear"):
        schedule = OneCycle(peak, steps, warmup, anneal=anneal, phases=phases)
        assert schedule(warmup) == peak
        assert schedule.momentum(warmup) == schedule.min_momentum
        near = schedule(np.array([max(0, warmup - 1), warmup + 1]))
        assert np.all(near <= peak)
        if phases == 3:
            assert schedule(2 * warmup) == peak / 25


@given(one_cycles())
def test_one_cycle_rises_then_falls(schedule):
    rates, momenta = schedule(span(schedule)), schedule.momentum(span(schedule))
    w, slack = schedule._rise, 2 * ULP
    assert np.all(np.diff(rates[: w + 1]) >= -slack * schedule.peak_lr)
    assert np.all(np.diff(rates[w:]) <= slack * schedule.peak_lr)
    assert np.all(np.diff(momenta[: w + 1]) <= slack)
    assert np.all(np.diff(momenta[w:]) >= -slack)
    assert momenta[-1] == schedule.max_momentum


@given(cyclics(), st.integers(0, 5))
def test_cyclic_meets_its_base_and_its_peak(schedule, cycle):
    down = schedule.down_steps or schedule.up_steps
    start = cycle * (schedule.up_steps + down)
    top = start + schedule.up_steps
    assume(schedule.steps is None or top <= schedule.steps)
    assert schedule(start) == schedule.base_lr
    if schedule.mode == "triangular":
        assert schedule(top) == schedule.peak_lr
    elif schedule.mode == "triangular2":
        height = schedule.peak_lr * 0.5**cycle + schedule.base_lr * (1 - 0.5**cycle)
        assert schedule(top) == height


@given(cosine_restarts())
def test_every_restart_begins_at_its_own_peak_exactly(schedule):
    start, length = 0, schedule.cycle_steps
    for cycle in range(schedule.cycles):
        peak = schedule.peak_lr * float(np.power(schedule.decay, float(cycle)))
        assert schedule(start) == peak
        assert np.all(np.diff(schedule(np.arange(start, start + length))) <= 2 * ULP * peak)
        start, length = start + length, length * schedule.growth
    assert schedule.horizon == start


@given(warmups(plain))
def test_a_warmup_rises_to_where_the_next_schedule_starts(schedule):
    w, then = schedule.warmup_steps, schedule.then
    rates = schedule(np.arange(w + 1))
    assert rates[-1] == then(0)
    assert np.all(np.diff(rates) >= -4 * ULP * then(0))
    # Continuous: the last rise is no larger than the others (the first ones, if exponential).
    if schedule.kind == "linear" and w > 0:
        assert np.allclose(np.diff(rates), (then(0) - schedule.start_lr) / w, atol=1e-12 * then(0))
    elif w > 1 and np.all(rates > 0):
        assert np.allclose(np.diff(np.log(rates)), np.log(then(0) / schedule.start_lr) / w)
    if w:
        assert rates[0] == schedule.start_lr
    later = span(then)
    assert np.array_equal(schedule(w + later), then(later))
    assert schedule.horizon == (None if then.horizon is None else w + then.horizon)


@given(st.lists(plain, min_size=2, max_size=4), st.data())
def test_join_hands_over_at_each_boundary_and_starts_each_part_at_zero(parts, data):
    n = len(parts) - 1
    boundaries = sorted(data.draw(st.sets(st.integers(1, 80), min_size=n, max_size=n)))
    schedule = Join(parts, boundaries)
    edges = [0, *boundaries, boundaries[-1] + 40]
    for part, begin, end in zip(parts, edges, edges[1:], strict=False):
        assert np.array_equal(schedule(np.arange(begin, end)), part(np.arange(end - begin)))


@given(trapezoids())
def test_the_trapezoid_is_continuous_at_its_joins(schedule):
    flat = np.arange(schedule.warmup_steps, schedule.steps - schedule.cooldown_steps + 1)
    assert np.all(schedule(flat) == schedule.peak_lr)
    rates = schedule(span(schedule))
    w, c = schedule.warmup_steps, schedule.cooldown_steps
    assert np.all(np.diff(rates[: w + 1]) >= -2 * ULP * schedule.peak_lr)
    assert np.all(np.diff(rates[schedule.steps - c :]) <= 2 * ULP * schedule.peak_lr)


@given(rates, counts, st.floats(0.1, 1.0))
def test_a_polynomial_of_power_one_is_a_line(peak, steps, part):
    steps_ = np.arange(steps + 3)
    line = Linear(peak, part * peak, steps)(steps_)
    assert np.allclose(Polynomial(peak, part * peak, steps, 1.0)(steps_), line, rtol=1e-15 * 4)
    zero = LinearDecayToZero(peak, steps)(steps_)
    assert np.array_equal(zero, Linear(peak, 0.0, steps)(steps_))


def test_staircase_and_smooth_decay_meet_at_the_stairs():
    steps = 7 * np.arange(20)
    stairs, smooth = StepDecay(0.3, 0.9, every_steps=7), Exponential(0.3, 0.9, every_steps=7)
    assert np.array_equal(stairs(steps), smooth(steps))
    milestones = MultiStep(0.3, milestones=range(7, 140, 7), gamma=0.9)
    assert np.array_equal(milestones(np.arange(140)), stairs(np.arange(140)))


def test_the_transformer_schedule_is_a_warmup_before_an_inverse_square_root():
    width, warmup = 512, 4_000
    t = np.arange(1, 20_000)
    expected = width**-0.5 * np.minimum(t**-0.5, t * warmup**-1.5)
    peak = width**-0.5 * warmup**-0.5
    schedule = Warmup(InverseSqrt(peak, timescale_steps=warmup), warmup_steps=warmup)
    assert np.allclose(schedule(t), expected, rtol=1e-14)


def test_a_ramp_may_rise_and_its_rate_may_overflow_to_infinity_in_silence():
    ramp = Exponential(1e-5, gamma=1.5, every_steps=469)
    assert ramp(469 * 29) == pytest.approx(1e-5 * 1.5**29, rel=1e-14)
    assert ramp(10**9) == np.inf
    assert Linear(0.0, 1.0, steps=4)([0, 1, 4]).tolist() == [0.0, 0.25, 1.0]


NONSENSE = [
    (lambda: Constant(0), "lr must be in (0, inf), got lr=0"),
    (lambda: Constant(float("nan")), "got lr=nan"),
    (lambda: Constant(float("inf")), "got lr=inf"),
    (lambda: Constant(True), "got lr=True"),
    (lambda: Constant("0.1"), "got lr='0.1'"),
    (lambda: Cosine(-0.1, 10), "peak_lr must be in (0, inf), got peak_lr=-0.1"),
    (lambda: Cosine(0.1, 0), "steps must be an integer of at least 1, got steps=0"),
    (lambda: Cosine(0.1, 10.0), "got steps=10.0"),
    (lambda: Cosine(0.1, True), "got steps=True"),
    (lambda: Cosine(0.1, 2**63), "got steps=9223372036854775808"),
    (lambda: Cosine(0.1, 10, end_lr=0.2), "end_lr must be at most peak_lr=0.1, got end_lr=0.2"),
    (lambda: Cosine(0.1, 10, end_lr=-1), "end_lr must be in [0, inf), got end_lr=-1"),
    (lambda: StepDecay(0.1, 0, 5), "gamma must be in (0, inf), got gamma=0"),
    (lambda: StepDecay(0.1, 0.5, 0), "got every_steps=0"),
    (lambda: MultiStep(0.1, [5, 5]), "got milestones=[5, 5]"),
    (lambda: MultiStep(0.1, [0, 5]), "got milestones=[0, 5]"),
    (lambda: MultiStep(0.1, 5), "got milestones=5"),
    (lambda: Linear(0, 0, 5), "can't both be 0"),
    (lambda: Polynomial(0.1, 0, 5, power=0), "got power=0"),
    (lambda: InverseSqrt(0.1, 0), "got timescale_steps=0"),
    (lambda: CosineRestarts(0.1, 10, 0), "got cycles=0"),
    (lambda: CosineRestarts(0.1, 10, 2, growth=1.5), "got growth=1.5"),
    (lambda: CosineRestarts(0.1, 10, 2, decay=1.5), "decay must be in (0, 1], got decay=1.5"),
    (lambda: CosineRestarts(0.1, 10, 3, decay=0.1, end_lr=0.01), "last cycle's peak 0.001"),
    (lambda: CosineRestarts(0.1, 10, 80, growth=2), "got cycles=80"),
    (lambda: OneCycle(0.1, 10, warmup_steps=10), "got warmup_steps=10, steps=10"),
    (lambda: OneCycle(0.1, 10, warmup_steps=5, phases=3), "less than steps/2, got warmup_steps=5"),
    (lambda: OneCycle(0.1, 10, warmup_steps=0, phases=3), "at least 1 with three phases"),
    (lambda: OneCycle(0.1, 10, start_lr=0.2), "start_lr must be at most peak_lr=0.1"),
    (lambda: OneCycle(0.1, 10, end_lr=0.05), "end_lr must be at most start_lr=0.004"),
    (lambda: OneCycle(0.1, 10, anneal="cos"), "anneal must be one of 'cosine', 'linear'"),
    (lambda: OneCycle(0.1, 10, phases=4), "got phases=4"),
    (lambda: OneCycle(0.1, 10, min_momentum=1), "min_momentum must be in [0, 1)"),
    (lambda: Cyclic(0.1, 0.2, 5), "base_lr must be at most peak_lr=0.1, got base_lr=0.2"),
    (lambda: Cyclic(0.1, 0.0, 5, gamma=0.9), "gamma is for mode 'exp_range' only"),
    (lambda: Cyclic(0.1, 0.0, 5, mode="saw"), "got mode='saw'"),
    (lambda: WarmupStableDecay(0.1, 10, 6, 5), "got 6 + 5"),
    (lambda: WarmupStableDecay(0.1, 10, 1, 5, start_lr=1), "got start_lr=1.0"),
    (lambda: WarmupStableDecay(0.1, 10, 1, 5, cooldown="sqrt"), "got cooldown='sqrt'"),
    (lambda: Tanh(0.1, 10, lower=3, upper=-7), "upper must be in (3, 100], got upper=-7"),
    (lambda: Warmup(0.1, 10), "then must be a schedule, got then=0.1"),
    (lambda: Warmup(Constant(0.1), -1), "got warmup_steps=-1"),
    (lambda: Warmup(Constant(0.1), 5, start_lr=0.2), "at most the first rate 0.1"),
    (lambda: Warmup(Constant(0.1), 5, kind="exponential"), "start_lr must be in (0, inf)"),
    (lambda: Join([], []), "got 0 boundaries and 0 schedules"),
    (lambda: Join([Constant(1)] * 3, [10]), "got 1 boundaries and 3 schedules"),
    (lambda: Join([Constant(1)] * 3, [10, 10]), "got boundaries=[10, 10]"),
    (lambda: Join([Constant(1), 2], [10]), "schedules must be a list of schedules"),
    (lambda: Join(Constant(1), []), "schedules must be a list of schedules"),
    (lambda: from_dict({"schedule": "Sine"}), "got 'Sine'"),
    (lambda: from_dict({"peak_lr": 1.0}), "got None"),
    (lambda: from_dict({"schedule": "_Momentum"}), "got '_Momentum'"),
    (
        lambda: from_dict({"schedule": "Constant", "rate": 1.0}),
        "has no argument 'rate'",
    ),
    (lambda: from_dict({"schedule": "Cosine", "peak_lr": 1.0}), "argument: 'steps'"),
]


@pytest.mark.parametrize(("make", "message"), NONSENSE, ids=[text for _, text in NONSENSE])
def test_nonsense_is_refused_with_the_value_in_the_message(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value)


EXAMPLES = [
    Constant(0.1),
    Cosine(0.1, 10),
    CosineRestarts(0.1, 10, 3),
    Cyclic(0.1, 0.01, 10),
    Exponential(0.1, 0.9),
    InverseSqrt(0.1, 10),
    Join([Constant(0.1)], []),
    Linear(0.1, 0.01, 10),
    LinearDecayToZero(0.1, 10),
    MultiStep(0.1, [10]),
    OneCycle(0.1, 10),
    Polynomial(0.1, 0.0, 10),
    StepDecay(0.1, 0.9, 10),
    Tanh(0.1, 10),
    Warmup(Constant(0.1), 10),
    WarmupStableDecay(0.1, 10, 2, 2),
]


@pytest.mark.parametrize("schedule", EXAMPLES, ids=lambda schedule: type(schedule).__name__)
def test_schedules_are_immutable_and_document_formula_and_example(schedule):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(schedule, dataclasses.fields(schedule)[0].name, 1.0)
    assert "$$" in schedule.__doc__ and "Example:" in schedule.__doc__


def test_every_exported_kind_is_among_the_examples():
    kinds = {name for name in schedules.__all__ if name[0].isupper()} - {"Schedule"}
    assert {type(schedule).__name__ for schedule in EXAMPLES} == kinds


def test_the_schedules_do_not_import_torch():
    code = (
        "import sys, lrlab.schedules, lrlab.schedules.controllers; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
