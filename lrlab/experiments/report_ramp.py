"""A course report's range test at its own length: its ramp, its log, and what is judged by it.

The report raised the rate once an epoch and logged it after the scheduler's step, so that its log
is one epoch ahead of the rate in effect. `PUBLISHED` holds its test losses, read off the figures
of its repository (`Loss_test_exp1.svg`, `Loss_test_exp3.svg`; their axis is the loss divided by the
79 test batches), and the factor on the rate from one epoch to the next, read off
`LR_train_exp1.svg` and `LR_train_exp3.svg`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lrlab import Job, Recipe, schedules
from lrlab.checks import Checked
from lrlab.tasks.base import Task

EPOCHS, EPOCH, BATCH = 30, 469, 128
"""Epochs of the report's runs, updates in each of them, images in a batch."""
START, FACTOR = 1e-5, 1.52
"""First rate of the report's step schedule, and its factor from one epoch to the next."""
LOWER, UPPER = 5e-4, 0.05
"""The range of rates that the report concludes with."""
ENDS = (5e-3, LOWER, 5e-5)
"""Rates at which the decays end: above the report's lower one, at it, and below it."""
TAIL = 3
"""Epochs at the end in which the decays differ."""
FALLEN = 2.0
"""Test loss below which the loss is said to fall [nats]."""


@dataclasses.dataclass(frozen=True)
class Published:
    """One ramp of the report.

    Args:
        factor: on the rate, from one epoch to the next.
        test_loss: after each epoch, up to the one in which it exploded [nats].

    Example:
        >>> float(PUBLISHED["StepLR"].rates[0])
        1e-05
    """

    factor: float
    test_loss: tuple[float, ...]

    @property
    def rates(self) -> np.ndarray:
        """The rate in effect in each epoch, shape (epochs,): the first ran at `START`."""
        return START * self.factor ** np.arange(len(self.test_loss))


PUBLISHED = {
    "StepLR": Published(
        1.52,
        (
            *(2.31, 2.31, 2.31, 2.30, 2.30, 2.29, 2.28, 2.26, 2.17, 1.66, 0.859, 0.533, 0.388),
            *(0.307, 0.236, 0.173, 0.118, 0.0801, 0.0669, 0.0525, 0.0583, 0.0527, 0.0516, 0.0492),
            *(0.065, 0.1, 0.143, 1.93, 139.0),
        ),
    ),
    "ExponentialLR": Published(
        1.5,
        (
            *(2.31, 2.31, 2.31, 2.30, 2.30, 2.29, 2.28, 2.26, 2.20, 1.83, 1.02, 0.597, 0.424),
            *(0.332, 0.262, 0.199, 0.14, 0.0935, 0.0732, 0.0564, 0.059, 0.0524, 0.0576, 0.0514),
            *(0.0577, 0.0571, 0.0767, 0.171, 112.0),
        ),
    ),
}
"""The report's two ramps, by its name of the scheduler."""


@dataclasses.dataclass(frozen=True)
class Below(Checked):
    """Stop as soon as a metric has been below a level.

    Args:
        metric: the metric to watch.
        level: that ends the run.

    Raises:
        ValueError: if the level is not positive.

    Example:
        >>> Below("test_loss", 2.0)({"test_loss": [2.3, 1.9]})
        True
    """

    metric: str
    level: float

    def __post_init__(self) -> None:
        self._check_float("level", open_low=True)

    def __call__(self, evals: Mapping[str, Sequence[float]]) -> bool:
        """Return whether the last evaluation is below the level."""
        return evals[self.metric][-1] < self.level

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict that identifies the rule."""
        return {"stop": type(self).__name__} | dataclasses.asdict(self)


def ramp(epoch: int) -> schedules.Schedule:
    """The report's ramp: one rate an epoch, each `FACTOR` times the one before.

    Args:
        epoch: updates in an epoch.

    Example:
        >>> [float(f"{lr:.3g}") for lr in ramp(469)([0, 468, 469, 14_069])]
        [1e-05, 1e-05, 1.52e-05, 1.88]
    """
    return schedules.StepDecay(START, FACTOR, every_steps=epoch, steps=EPOCHS * epoch)


def decay(end: float, epoch: int) -> schedules.Schedule:
    """A decay from `UPPER` to a rate, smooth in logarithms, alike for all ends but for its tail.

    It falls to the first of `ENDS`, and in the last `TAIL` epochs on to its own end.

    Args:
        end: its last rate.
        epoch: updates in an epoch.

    Example:
        >>> low, high = decay(5e-4, 469), decay(5e-3, 469)
        >>> split = 27 * 469
        >>> low(0), bool(low(split) == high(split)), round(high(14_070), 9), round(low(14_070), 9)
        (0.05, True, 0.005, 0.0005)
    """
    trunk, tail = (EPOCHS - TAIL) * epoch, TAIL * epoch
    parts = [
        schedules.Exponential(start, (last / start) ** (1 / steps), steps=steps)
        for start, last, steps in ((UPPER, ENDS[0], trunk), (ENDS[0], end, tail))
    ]
    return schedules.Join(parts, [trunk])


def jobs(
    task: Task, seeds: Sequence[int], *, epoch: int = EPOCH, batch_size: int = BATCH
) -> dict[tuple[str, str, int], Job]:
    """What the benchmark trains: by part ("ramp", "lower", "decays"), name and seed.

    Args:
        task: data and model.
        seeds: one run each.
        epoch: updates in an epoch.
        batch_size: images in a batch.

    Example:
        >>> from lrlab import tasks
        >>> plan = jobs(tasks.get("mnist"), [1, 2])
        >>> len(plan), {job.recipe.steps for job in plan.values()}
        (10, {14070})
    """
    lower = schedules.Constant(LOWER)
    made = [("ramp", "ramp", ramp(epoch)), ("lower", f"{LOWER:g}", lower)]
    made += [("decays", f"{end:g}", decay(end, epoch)) for end in ENDS]
    return {
        (part, name, seed): Job(
            task,
            Recipe(
                schedule=schedule,
                steps=EPOCHS * epoch,
                batch_size=batch_size,
                eval_every=epoch,
                seed=seed,
            ),
            stop=Below("test_loss", FALLEN) if part == "lower" else None,
        )
        for part, name, schedule in made
        for seed in seeds
    }


def crossing(steps: ArrayLike, losses: ArrayLike, level: float) -> float | None:
    """The number of updates after which the loss is first below a level, None if it never is.

    Between the two evaluations around it the loss is taken to be straight in the updates.

    Args:
        steps: updates done at each evaluation, shape (n,).
        losses: at each evaluation, shape (n,).
        level: that is crossed, in the losses' unit.

    Example:
        >>> crossing([0, 10, 20], [2.5, 2.25, 1.75], 2.0)
        15.0
    """
    t, y = np.asarray(steps, dtype=float), np.asarray(losses, dtype=float)
    below = np.flatnonzero(y < level)
    if not below.size:
        return None
    i = int(below[0])
    if i == 0:
        return float(t[0])
    return float(t[i - 1] + (t[i] - t[i - 1]) * (y[i - 1] - level) / (y[i - 1] - y[i]))


def marks(rates: ArrayLike, losses: ArrayLike) -> dict[str, float | None]:
    """Where on a ramp the loss falls, is lowest and explodes, in rates in effect.

    Args:
        rates: in effect in each epoch, shape (epochs,).
        losses: test loss after each epoch, shape (epochs,) or fewer where the run diverged: the
            first epoch without a loss is the one in which it did.

    Returns:
        The rate of the epoch in which the loss is first below `FALLEN`, of the lowest loss, and of
        the first epoch after that with a higher loss than the first one had; None where there is
        none.

    Example:
        >>> marks([0.1, 0.2, 0.3, 0.4], [2.3, 1.0, 0.5])
        {'falls': 0.2, 'lowest': 0.3, 'explodes': 0.4}
    """
    x, y = np.asarray(rates, dtype=float), np.asarray(losses, dtype=float)
    whole = np.append(y, [np.inf] * (len(x) - len(y)))
    fallen = np.flatnonzero(whole < FALLEN)
    least = int(whole.argmin())
    after = np.flatnonzero(whole[least:] > whole[0])
    return {
        "falls": float(x[fallen[0]]) if fallen.size else None,
        "lowest": float(x[least]),
        "explodes": float(x[least + after[0]]) if after.size else None,
    }
