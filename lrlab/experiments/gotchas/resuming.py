"""Gotchas of resuming: PyTorch's schedulers keep part of their state in the optimizer's rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import lr_scheduler as lrs

from lrlab import schedules
from lrlab.experiments.gotchas.demonstration import (
    Shown,
    gotcha,
    new_optimizer,
    next_rates,
    outcome,
    step_labels,
)


def _resumed(build: Callable[[Any], Any], at: int, more: int) -> list[float]:
    """Resume at a step: load the optimizer, build the scheduler, load the scheduler."""
    optimizer = new_optimizer()
    scheduler = build(optimizer)
    next_rates(scheduler, at)
    states = optimizer.state_dict(), scheduler.state_dict()
    optimizer = new_optimizer()
    optimizer.load_state_dict(states[0])
    scheduler = build(optimizer)
    scheduler.load_state_dict(states[1])
    return next_rates(scheduler, more)


def _resume_against_ours(build: Callable[[Any], Any], schedule: schedules.Schedule) -> Shown:
    ours = _resumed(lambda optimizer: schedules.as_torch(optimizer, schedule), 4, 4)
    return Shown(step_labels(range(4, 8)), tuple(_resumed(build, 4, 4)), tuple(ours))


@gotcha
def resume_linear() -> Shown:
    """LinearLR resumed in the wrong order stays wrong for good.

    Load the optimizer, build the scheduler, load the scheduler: building it resets the rate to
    the start of the ramp, and since LinearLR multiplies the rate that it finds, every later rate is
    wrong by the same factor. ConstantLR and a SequentialLR of warmup and cosine do the same. Build
    both, then load both; or use `as_torch`, which computes the rate from the step.
    """
    return _resume_against_ours(
        lambda o: lrs.LinearLR(o, start_factor=0.2, end_factor=1.0, total_iters=8),
        schedules.Linear(0.2, 1.0, steps=8),
    )


@gotcha
def resume_constant() -> Shown:
    """ConstantLR resumed in the wrong order stays wrong for good.

    Building the scheduler over a loaded optimizer applies the factor, and the step that would
    take it away again at ``total_iters`` has passed already.
    """
    held, full = schedules.Constant(0.5), schedules.Constant(1.0)
    return _resume_against_ours(
        lambda o: lrs.ConstantLR(o, factor=0.5, total_iters=3), schedules.Join([held, full], [3])
    )


@gotcha
def resume_sequential() -> Shown:
    """Warmup and cosine in a SequentialLR, resumed in the wrong order, stay wrong for good.

    As for LinearLR: the cosine goes on from the rate that the new scheduler has just reset.
    """

    def build(optimizer: Any) -> Any:
        warmup = lrs.LinearLR(optimizer, start_factor=0.25, total_iters=2)
        cosine = lrs.CosineAnnealingLR(optimizer, T_max=8)
        return lrs.SequentialLR(optimizer, [warmup, cosine], milestones=[2])

    cosine = schedules.Cosine(1.0, steps=8)
    return _resume_against_ours(build, schedules.Warmup(cosine, warmup_steps=2, start_lr=0.25))


@gotcha
def resume_lambda() -> Shown:
    """LambdaLR resumed in the wrong order makes one update at the first rate.

    Building the scheduler writes the first rate to the optimizer, and loading its state writes
    nothing: the next update is made at the rate of step 0. From then on it is right.
    """
    return _resume_against_ours(
        lambda o: lrs.LambdaLR(o, lambda step: 1 - step / 8),
        schedules.LinearDecayToZero(1.0, steps=8),
    )


@gotcha
def resume_warm_restarts() -> Shown:
    """Warm restarts resumed in the wrong order make one update at the peak.

    As for LambdaLR, and the wrong update is one at the peak rate.
    """
    return _resume_against_ours(
        lambda o: lrs.CosineAnnealingWarmRestarts(o, T_0=8),
        schedules.CosineRestarts(1.0, cycle_steps=8, cycles=2),
    )


@gotcha
def resume_one_cycle() -> Shown:
    """OneCycleLR resumed in the wrong order makes one update at the start rate.

    As for LambdaLR.
    """
    return _resume_against_ours(
        lambda o: lrs.OneCycleLR(o, max_lr=1.0, total_steps=11, pct_start=5 / 11),
        schedules.OneCycle(1.0, steps=10, warmup_steps=4),
    )


@gotcha
def resume_cyclic() -> Shown:
    """CyclicLR resumed in the wrong order makes one update at the base rate.

    As for LambdaLR.
    """
    return _resume_against_ours(
        lambda o: lrs.CyclicLR(o, base_lr=0.1, max_lr=1.0, step_size_up=4),
        schedules.Cyclic(1.0, base_lr=0.1, up_steps=4),
    )


def _from_step(step: int, build: Callable[[Any, int], Any]) -> Any:
    """Build a scheduler that starts after a given number of updates, as ``last_epoch`` is for."""
    before = new_optimizer()
    scheduler = build(before, -1)
    next_rates(scheduler, step)
    optimizer = new_optimizer()
    optimizer.load_state_dict(before.state_dict())
    return build(optimizer, step - 1)


@gotcha
def step_last_epoch() -> Shown:
    """StepLR with last_epoch on a stair goes down twice.

    The optimizer's rate at the stair has been lowered already, and building the scheduler with
    ``last_epoch`` lowers it again. Ours is computed from the step alone.
    """
    scheduler = _from_step(4, lambda o, last: lrs.StepLR(o, 4, gamma=0.1, last_epoch=last))
    ours = schedules.StepDecay(1.0, gamma=0.1, every_steps=4)(range(4, 7))
    return Shown(step_labels(range(4, 7)), tuple(next_rates(scheduler, 3)), tuple(ours.tolist()))


@gotcha
def sequential_last_epoch() -> Shown:
    """SequentialLR with last_epoch starts at the wrong rate.

    It starts the first of its schedulers again, whatever ``last_epoch`` says, and the later ones
    multiply the rate that they find.
    """

    def build(optimizer: Any, last: int) -> Any:
        warmup = lrs.LinearLR(optimizer, start_factor=0.1, total_iters=3)
        decay = lrs.ExponentialLR(optimizer, gamma=0.5)
        return lrs.SequentialLR(optimizer, [warmup, decay], milestones=[3], last_epoch=last)

    schedule = schedules.Warmup(schedules.Exponential(1.0, gamma=0.5), 3, start_lr=0.1)
    ours = schedule(range(5, 8)).tolist()
    return Shown(step_labels(range(5, 8)), tuple(next_rates(_from_step(5, build), 3)), tuple(ours))


@gotcha
def one_cycle_forgets_arguments() -> Shown:
    """OneCycleLR.load_state_dict discards new total_steps and max_lr in silence.

    The state holds the old horizon and the optimizer's groups hold the old peak; both win over
    what the new scheduler was built with. Ours refuses a state of another schedule.
    """

    def build(total: int, peak: float) -> Any:
        return lrs.OneCycleLR(new_optimizer(), max_lr=peak, total_steps=total)

    old, new = build(10, 1.0), build(100, 0.5)
    states = old.optimizer.state_dict(), old.state_dict()
    new.optimizer.load_state_dict(states[0])
    new.load_state_dict(states[1])
    ours = schedules.as_torch(new_optimizer(), schedules.OneCycle(0.5, steps=100))
    state = schedules.as_torch(new_optimizer(), schedules.OneCycle(1.0, steps=10)).state_dict()
    refusal = outcome(lambda: ours.load_state_dict(state))
    return Shown(
        ("total_steps", "max_lr"),
        (float(new.total_steps), new.optimizer.param_groups[0]["max_lr"]),
        (refusal, refusal),
    )
