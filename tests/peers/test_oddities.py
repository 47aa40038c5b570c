"""Where another library is wrong or odd: its value, ours, and why ours."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from libraries import rates
from mpmath import mp, mpf, workdps

from lrlab.schedules import (
    Cosine,
    CosineRestarts,
    MultiStep,
    OneCycle,
    Tanh,
    Warmup,
    WarmupStableDecay,
)


def pinned(values):
    return pytest.approx(values, rel=1e-9, abs=1e-12)


def test_transformers_cosine_climbs_again_after_its_end():
    # A cosine of 10 steps, trained for 20: half way back up at step 15. We hold the end rate.
    code = "get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=10)"
    theirs = rates("transformers", code, 1.0, 21)
    assert theirs[[10, 15, 20]].tolist() == pinned([0.0, 0.5, 1.0])
    assert Cosine(1.0, steps=10)([10, 15, 20]).tolist() == [0.0, 0.0, 0.0]


def test_transformers_has_a_cosine_that_is_one_step_ahead():
    # cosine_warmup_with_min_lr peaks at the last step of the warmup and ends at the last step but
    # one; all its others, and ours, peak at step num_warmup_steps.
    code = (
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate("
        "optimizer, num_warmup_steps=4, num_training_steps=12, min_lr=0.1)"
    )
    theirs = rates("transformers", code, 1.0, 12)
    ours = Warmup(Cosine(1.0, steps=8, end_lr=0.1), warmup_steps=4)
    assert int(theirs.argmax()) == 3
    assert int(ours(np.arange(13)).argmax()) == 4
    assert theirs.tolist() == pinned(ours(np.arange(1, 13)).tolist())


def test_transformers_trapezoid_warms_up_from_its_end_rate():
    # min_lr_ratio is both the start and the end. Ours starts from 0 unless a start_lr is given.
    code = (
        "get_wsd_schedule(optimizer, num_warmup_steps=2, num_decay_steps=2, "
        "num_training_steps=8, min_lr_ratio=0.5)"
    )
    assert rates("transformers", code, 1.0, 3).tolist() == pinned([0.5, 0.75, 1.0])
    ours = WarmupStableDecay(1.0, steps=8, warmup_steps=2, cooldown_steps=2, end_lr=0.5)
    assert ours([0, 1, 2]).tolist() == [0.0, 0.5, 1.0]


def test_timm_applies_a_milestone_one_step_early():
    # Kept for compatibility, as its source says. We, torch and optax change the rate at step m.
    code = "MultiStepLRScheduler(optimizer, decay_t=[3], decay_rate=0.1, t_in_epochs=False)"
    assert rates("timm", code, 1.0, 4).tolist() == pinned([1.0, 1.0, 0.1, 0.1])
    assert MultiStep(1.0, milestones=[3], gamma=0.1)(range(4)).tolist() == [1.0, 1.0, 1.0, 0.1]


def test_timm_jumps_down_after_a_warmup_unless_told_to_prefix_it():
    # The cosine has begun at step 0 behind the warmup. Ours begins where the warmup ends.
    code = "CosineLRScheduler(optimizer, t_initial=8, warmup_t=4, t_in_epochs=False)"
    assert rates("timm", code, 1.0, 5)[[3, 4]].tolist() == pinned([0.75, 0.5])
    assert Warmup(Cosine(1.0, steps=8), warmup_steps=4)([3, 4]).tolist() == [0.75, 1.0]


def test_timm_tanh_jumps_to_a_rate_that_its_curve_never_reaches():
    # The curve ends (1 − tanh 3)/2 above lr_min. We hold the curve's own last value.
    code = "TanhLRScheduler(optimizer, t_initial=10, t_in_epochs=False)"
    assert rates("timm", code, 1.0, 11)[[9, 10]].tolist() == pinned([0.01798620996209156, 0.0])
    assert Tanh(1.0, steps=10)([9, 10]).tolist() == pinned([0.01798620996209156, 0.0024726231566])


def test_timm_takes_a_restart_for_the_end_of_the_cycle_before():
    # Cycles of 1, 3, 9, 27, 81 steps: the next begins at step 121, with the peak. A logarithm finds
    # the cycle, and log₃ 243 is a little below 5 in floating point. Ours counts in integers.
    code = (
        "CosineLRScheduler(optimizer, t_initial=1, cycle_mul=3, cycle_limit=6, t_in_epochs=False)"
    )
    starts = [0, 1, 4, 13, 40, 121]
    assert rates("timm", code, 1.0, 122)[starts].tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    ours = CosineRestarts(1.0, cycle_steps=1, cycles=6, growth=3)
    assert ours(starts).tolist() == [1.0] * 6


def test_keras_takes_most_restarts_of_growth_seven_for_ends_of_cycles():
    # As timm, in single precision. Ours counts in integers.
    code = "keras.optimizers.schedules.CosineDecayRestarts(1.0, first_decay_steps=1, t_mul=7.0)"
    starts = [0, 1, 8, 57]
    assert rates("keras", code, 1.0, 58)[starts].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert CosineRestarts(1.0, cycle_steps=1, cycles=4, growth=7)(starts).tolist() == [1.0] * 4


def test_optax_one_cycle_may_peak_a_step_early():
    # 0.29 · 100 is 28.999… in floating point and is cut to 28. Ours counts the rise in steps.
    theirs = rates("optax", "optax.cosine_onecycle_schedule(100, 1.0, pct_start=0.29)", 1.0, 100)
    assert int(theirs.argmax()) == 28
    assert int(OneCycle(1.0, steps=100, warmup_steps=29)(np.arange(100)).argmax()) == 29


def test_optax_join_drops_schedules_in_silence():
    # Three schedules, one boundary: the third never comes. Ours raises.
    parts = [optax.constant_schedule(rate) for rate in (1.0, 2.0, 3.0)]
    joined = optax.join_schedules(parts, boundaries=[5])
    assert float(joined(jnp.array(10**6))) == 2.0


def test_keras_applies_a_boundary_one_step_late():
    # The value before a boundary counts up to and with it. Ours changes the rate at the milestone.
    code = "keras.optimizers.schedules.PiecewiseConstantDecay([3], [1.0, 0.5])"
    assert rates("keras", code, 1.0, 5).tolist() == [1.0, 1.0, 1.0, 1.0, 0.5]
    assert MultiStep(1.0, [3], gamma=0.5)(range(5)).tolist() == [1.0, 1.0, 1.0, 0.5, 0.5]


def test_keras_peaks_decay_towards_the_end_rate():
    # (1 − α) · m + α where the product of peak and factor was asked for: .625, not .5.
    code = (
        "keras.optimizers.schedules.CosineDecayRestarts("
        "1.0, first_decay_steps=4, t_mul=1.0, m_mul=0.5, alpha=0.25)"
    )
    assert rates("keras", code, 1.0, 5)[4] == pytest.approx(0.625)
    assert CosineRestarts(1.0, cycle_steps=4, cycles=2, decay=0.5, end_lr=0.25)(4) == 0.5


@pytest.mark.parametrize(
    ("library", "code"),
    [
        (
            "transformers",
            "get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=0, "
            "num_training_steps=500)",
        ),
        ("timm", "CosineLRScheduler(optimizer, t_initial=500, t_in_epochs=False)"),
        ("optax", "optax.cosine_decay_schedule(1.0, decay_steps=500)"),
    ],
)
def test_the_tail_of_the_cosine_has_lost_digits_elsewhere(library, code):
    # 1 + cos x cancels as x nears π; sin² of half of what is left does not.
    with workdps(40):
        exact = (1 + mp.cos(mp.pi * mpf(499) / 500)) / 2
        theirs = abs(rates(library, code, 1.0, 500)[499] / exact - 1)
        ours = abs(Cosine(1.0, steps=500)(499) / exact - 1)
    assert theirs > 1e-13
    assert ours < 1e-15
