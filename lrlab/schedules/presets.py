"""The schedules that are compared with one another, each with a peak of 1, by name."""

from __future__ import annotations

from lrlab import schedules


def lineup(steps: int) -> dict[str, schedules.Schedule]:
    """Return the usual schedules over `steps` updates; ``.scale(lr)`` gives them a peak of lr.

    What a schedule needs to be told besides its peak is fixed here, before any comparison, by what
    is customary: two drops by ten (at a half and three quarters), an exponential fall to 1 %, a
    warmup of 30 % in the one-cycle, and an inverse square root that has halved after 3/20 of the
    updates.

    Args:
        steps: number of updates, at least 20.

    Returns:
        Schedules by name, the cosine first.

    Raises:
        ValueError: if there are too few steps.

    Example:
        >>> for name, schedule in lineup(100).items():
        ...     print(f"{name:20} {schedule(0):5.3f} {schedule(50):5.3f} {schedule(99):5.3f}")
        cosine               1.000 0.500 0.000
        linear               1.000 0.500 0.010
        one-cycle            0.040 0.812 0.001
        step                 1.000 0.100 0.010
        exponential          1.000 0.100 0.010
        inverse square root  1.000 0.302 0.219
        constant             1.000 1.000 1.000
    """
    _check(steps)
    return {
        "cosine": schedules.Cosine(1.0, steps=steps),
        "linear": schedules.Linear(1.0, end_lr=0.0, steps=steps),
        "one-cycle": schedules.OneCycle(1.0, steps=steps),
        "step": schedules.MultiStep(1.0, (steps // 2, steps * 3 // 4), gamma=0.1, steps=steps),
        "exponential": schedules.Exponential(1.0, gamma=0.01 ** (1 / steps), steps=steps),
        "inverse square root": schedules.InverseSqrt(1.0, max(1, steps // 20), steps=steps),
        "constant": schedules.Constant(1.0),
    }


def restarts(steps: int) -> dict[str, schedules.Schedule]:
    """Return the two kinds of cosine restarts over `steps` updates, four cycles each.

    Args:
        steps: number of updates, a multiple of 60.

    Returns:
        ``"fixed cycles"``, four equal ones, and ``"growing cycles"``, each twice as long as the
        one before.

    Raises:
        ValueError: if the cycles don't fill the updates exactly.

    Example:
        >>> [schedule.horizon for schedule in restarts(1200).values()]
        [1200, 1200]
        >>> restarts(1200)["growing cycles"].cycle_steps
        80
    """
    _check(steps)
    if steps % 60:
        raise ValueError(f"steps must be a multiple of 60, got steps={steps}")
    return {
        "fixed cycles": schedules.CosineRestarts(1.0, steps // 4, cycles=4),
        "growing cycles": schedules.CosineRestarts(1.0, steps // 15, cycles=4, growth=2),
    }


def _check(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 20:
        raise ValueError(f"steps must be an integer of at least 20, got steps={steps!r}")
