"""Gotchas of rates: peaks that are missed, ends that are not held, arguments that are lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import lr_scheduler as lrs

from lrlab import schedules
from lrlab.experiments.gotchas.demonstration import (
    Shown,
    Value,
    gotcha,
    new_optimizer,
    next_rates,
    outcome,
    step_labels,
)
from lrlab.schedules.controllers import ReduceOnPlateau


@gotcha
def sequential_chained() -> Shown:
    """SequentialLR with a later ChainedScheduler raises.

    At its milestone SequentialLR asks the next scheduler for its rate at step 0, and a
    ChainedScheduler has none to give. Ours are functions, and any can follow any.
    """

    def run() -> float:
        optimizer = new_optimizer()
        flat = lrs.ConstantLR(optimizer, factor=1.0)
        chained = lrs.ChainedScheduler([lrs.ExponentialLR(optimizer, gamma=0.5)])
        return next_rates(lrs.SequentialLR(optimizer, [flat, chained], milestones=[2]), 4)[3]

    parts = [schedules.Constant(1.0), schedules.Exponential(1.0, gamma=0.5)]
    return Shown(("step 3",), (outcome(run),), (schedules.Join(parts, [2])(3),))


@gotcha
def one_cycle_misses_peak() -> Shown:
    """OneCycleLR misses its peak when pct_start · total_steps is no integer.

    The peak lies between two steps. Ours counts the rise in steps, and the peak is at one.
    """
    scheduler = lrs.OneCycleLR(new_optimizer(), max_lr=1.0, total_steps=11, pct_start=0.3)
    ours = schedules.OneCycle(1.0, steps=10, warmup_steps=2)
    largest = ours(range(11)).max()
    return Shown(("largest rate",), (max(next_rates(scheduler, 10)),), (float(largest),))


@gotcha
def one_cycle_divides_by_zero() -> Shown:
    """OneCycleLR divides by zero when pct_start · total_steps is 1.

    A rise of one step ends at step 0 in its counting. Ours then starts at the peak.
    """

    def run() -> float:
        scheduler = lrs.OneCycleLR(new_optimizer(), max_lr=1.0, total_steps=10, pct_start=0.1)
        return next_rates(scheduler, 1)[0]

    ours = schedules.OneCycle(1.0, steps=9, warmup_steps=0)(0)
    return Shown(("step 0",), (outcome(run),), (ours,))


@gotcha
def one_cycle_past_end() -> Shown:
    """OneCycleLR rebounds at its first step past the end, and raises at the second.

    The cosine is followed past its end, where it rises again. Ours holds the end rate.
    """
    scheduler = lrs.OneCycleLR(new_optimizer(), max_lr=1.0, total_steps=5, pct_start=0.4)
    last = next_rates(scheduler, 5)[-1]
    past = float(scheduler.optimizer.param_groups[0]["lr"])
    ours = schedules.OneCycle(1.0, steps=4, warmup_steps=1)
    return Shown(
        step_labels([4, 5, 6]),
        (last, past, outcome(scheduler.step)),
        tuple(ours([4, 5, 6]).tolist()),
    )


@gotcha
def warmup_before_one_cycle() -> Shown:
    """A warmup before OneCycleLR starts at another rate than asked for.

    OneCycleLR overwrites ``initial_lr``, which the warmup's factor is relative to: asked for a
    warmup from 0.5 × 0.1 = 0.05, it starts at 0.5 × 1/25.
    """
    optimizer = new_optimizer(lr=0.1)
    cycle = lrs.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    warmup = lrs.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    scheduler = lrs.SequentialLR(optimizer, [warmup, cycle], milestones=[2])
    ours = schedules.Warmup(schedules.OneCycle(1.0, steps=9, start_lr=0.1), 2, start_lr=0.05)
    return Shown(step_labels([0]), (next_rates(scheduler, 1)[0],), (ours(0),))


@gotcha
def cosine_climbs() -> Shown:
    """CosineAnnealingLR climbs again after T_max.

    It is a cosine without an end, not half of one: train twice as long as T_max and you are back
    at the peak. Ours holds the end rate.
    """
    torch_rates = next_rates(lrs.CosineAnnealingLR(new_optimizer(), T_max=4), 9)
    steps = [3, 4, 5, 6, 8]
    ours = schedules.Cosine(1.0, steps=4)(steps)
    return Shown(
        step_labels(steps), tuple(torch_rates[step] for step in steps), tuple(ours.tolist())
    )


@gotcha
def warm_restarts_never_end() -> Shown:
    """CosineAnnealingWarmRestarts never reaches eta_min, not even at its end.

    The step that would have eta_min is the first of the next cycle, and there is always a next
    one. Ours has a number of cycles and reaches the end rate at its horizon.
    """
    scheduler = lrs.CosineAnnealingWarmRestarts(new_optimizer(), T_0=4, eta_min=0.001)
    torch_rates = next_rates(scheduler, 13)
    ours = schedules.CosineRestarts(1.0, cycle_steps=4, cycles=3, end_lr=0.001)(range(13))
    return Shown(
        ("smallest rate", "step 12"),
        (min(torch_rates), torch_rates[12]),
        (float(ours.min()), float(ours[12])),
    )


@gotcha
def warm_restarts_step_epoch() -> Shown:
    """CosineAnnealingWarmRestarts.step(epoch) is wrong exactly on some restarts.

    The cycle is found with a logarithm in floating point, which falls short of the integer: with
    T_mult = 3 and T_0 = 1 the restart at step 121 is taken for the end of the cycle before. Ours
    counts in integers.
    """
    step = 1 + 3 + 9 + 27 + 81
    scheduler = lrs.CosineAnnealingWarmRestarts(new_optimizer(), T_0=1, T_mult=3)
    scheduler.step(step)
    ours = schedules.CosineRestarts(1.0, cycle_steps=1, cycles=6, growth=3)
    return Shown(step_labels([step]), (float(scheduler.get_last_lr()[0]),), (ours(step),))


@gotcha
def plateau_counts_nan() -> Shown:
    """ReduceLROnPlateau takes NaN for a bad epoch.

    A run that has diverged looks like one that has stopped to improve, and goes on at a lower
    rate. Ours says in its state that the run has diverged, and leaves the rate.
    """
    scheduler = lrs.ReduceLROnPlateau(new_optimizer(), factor=0.1, patience=1)
    controller = ReduceOnPlateau(1.0, factor=0.1, patience=1)
    state = controller.start()
    for loss in (0.5, math.nan, math.nan):
        scheduler.step(loss)
        state, lr = controller.update(state, loss)
    return Shown(
        ("rate", "says"),
        (scheduler.optimizer.param_groups[0]["lr"], "nothing"),
        (lr, "diverged" if state.diverged else "nothing"),
    )


@gotcha
def add_param_group() -> Shown:
    """add_param_group afterwards breaks LambdaLR and OneCycleLR, but not StepLR.

    LambdaLR has a list of functions of the old length, and OneCycleLR keeps its settings in the
    groups. Ours takes the new group in, with the ratio that its rate has to the first group's.
    """

    def rate(build: Callable[[Any], Any]) -> Value:
        optimizer = new_optimizer()
        scheduler = build(optimizer)
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.5})
        next_rates(scheduler, 2)
        return optimizer.param_groups[1]["lr"]

    def ours(schedule: schedules.Schedule) -> Value:
        return rate(lambda o: schedules.as_torch(o, schedule))

    return Shown(
        ("LambdaLR", "OneCycleLR", "StepLR"),
        (
            outcome(lambda: rate(lambda o: lrs.LambdaLR(o, lambda step: 1 - step / 4))),
            outcome(lambda: rate(lambda o: lrs.OneCycleLR(o, max_lr=1.0, total_steps=10))),
            outcome(lambda: rate(lambda o: lrs.StepLR(o, 2, gamma=0.1))),
        ),
        (
            ours(schedules.LinearDecayToZero(1.0, steps=4)),
            ours(schedules.OneCycle(1.0, steps=9, warmup_steps=2)),
            ours(schedules.StepDecay(1.0, gamma=0.1, every_steps=2)),
        ),
    )


@gotcha
def one_cycle_final_rate() -> Shown:
    """The final rate of a one-cycle schedule depends on the library.

    PyTorch ends at the peak divided by 25 and by 10,000; fastai's ``fit_one_cycle`` at the peak
    divided by 100,000. Ours ends where PyTorch's does, unless an end rate is given.
    """
    rates = next_rates(lrs.OneCycleLR(new_optimizer(), max_lr=1.0, total_steps=10), 10)
    ours = schedules.OneCycle(1.0, steps=9)
    return Shown(("last rate",), (rates[-1],), (ours(9),))
