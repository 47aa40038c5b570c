"""Ramps: training with a rate that only grows, and what each of them recorded."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from lrlab.checks import is_number
from lrlab.schedules import Exponential, Linear, Schedule
from lrlab.training.record import Run

StopReason = Literal["completed", "diverged", "nan", "inf", "flat"]


def ramp(
    lr_min: float, lr_max: float, steps: int, growth: str = "exponential"
) -> Exponential | Linear:
    r"""Return the schedule of a range test: `lr_min` at its first step, `lr_max` at its last.

    $$\eta_t = \eta_{\min} \left(\frac{\eta_{\max}}{\eta_{\min}}\right)^{t / (n - 1)}
    \quad\text{or}\quad \eta_t = \eta_{\min} + (\eta_{\max} - \eta_{\min}) \frac{t}{n - 1}$$

    Args:
        lr_min: first rate, > 0.
        lr_max: last rate, > lr_min.
        steps: number of updates n, at least 10.
        growth: ``"exponential"`` or ``"linear"``.

    Raises:
        ValueError: if the bounds are not in order, there are fewer than 10 steps, or the growth is
            unknown.

    Example:
        >>> round(ramp(1e-3, 1.0, steps=31)(10), 12)
        0.01
    """
    for name, value in (("lr_min", lr_min), ("lr_max", lr_max)):
        if not (is_number(value) and 0 < value < math.inf):
            raise ValueError(f"{name} must be positive and finite, got {name}={value!r}")
    if not lr_min < lr_max:
        raise ValueError(f"lr_min must be below lr_max, got lr_min={lr_min}, lr_max={lr_max}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 10:
        raise ValueError(f"a range test needs at least 10 steps, got steps={steps!r}")
    if growth == "exponential":
        return Exponential(lr_min, gamma=lr_max / lr_min, every_steps=steps - 1, steps=steps)
    if growth == "linear":
        return Linear(lr_min, lr_max, steps=steps - 1)
    raise ValueError(f"growth must be 'exponential' or 'linear', got growth={growth!r}")


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """What one run of a range test recorded. Nothing in it is smoothed.

    Args:
        lr: the rate of each update, shape (n,).
        loss: the loss on each batch before its update, shape (n,); the last may not be finite.
        grad_norm: the norm of each gradient before clipping, shape (n,).
        seed: the seed of the run.
        planned_lr: the rates of all updates that were planned, shape (planned,), planned ≥ n.
        stop_reason: ``"completed"`` with a signal; ``"flat"``: completed, but the loss never fell
            by more than its noise; ``"nan"``, ``"inf"``: the last loss or gradient was that;
            ``"diverged"``: the loss was above the recipe's bound; where that is infinite, as for a
            module of one's own, the loss rose as `diverged_at` says, and the trace ends there.
        probes: what probes measured besides, by name.
        evals: evaluations by metric, ``"step"`` among them, where they were asked for.
        seconds: time that it took, with what was measured besides.
    """

    lr: np.ndarray
    loss: np.ndarray
    grad_norm: np.ndarray
    seed: int
    planned_lr: np.ndarray
    stop_reason: StopReason
    probes: dict[str, dict[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    evals: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of(cls, run: Run) -> Trace:
        """Return the trace of a training run."""
        recipe, schedule = run.recipe, run.recipe.schedule
        assert isinstance(schedule, Schedule)  # of a ramp
        planned = schedule(np.arange(recipe.steps))
        end = None if math.isfinite(recipe.max_loss) else diverged_at(run.loss)
        kept = slice(None if end is None else end + 1)
        why = stop_reason(run.loss, run.grad_norm, recipe.max_loss) if end is None else "diverged"
        measured = run.lr[kept], run.loss[kept], run.grad_norm[kept]
        return cls(*measured, run.seed, planned, why, run.probes, run.evals, run.seconds)

    @property
    def planned(self) -> int:
        """Number of updates that were planned."""
        return len(self.planned_lr)

    @property
    def travelled(self) -> np.ndarray:
        """The sum of the rates of all updates before each loss was measured, shape (n,)."""
        return np.concatenate([[0.0], np.cumsum(self.lr)[:-1]])


def distinct(traces: Sequence[Trace]) -> list[Trace]:
    """Return the traces that differ; equal ones of several seeds are one measurement.

    Seeds are alike where they begin at the same weights and see the same batches in one order.

    Example:
        >>> trace = Trace(np.ones(2), np.ones(2), np.ones(2), 0, np.ones(2), "completed")
        >>> len(distinct([trace, dataclasses.replace(trace, seed=1)]))
        1
    """
    return list({trace.loss.tobytes(): trace for trace in traces}.values())


def stop_reason(loss: np.ndarray, grad_norm: np.ndarray, max_loss: float = 1e6) -> StopReason:
    """Say why a ramp ended.

    Args:
        loss: the losses in the order of the updates, shape (n,).
        grad_norm: the norms of the gradients, shape (n,).
        max_loss: a loss above this counts as diverged.

    Example:
        >>> stop_reason(np.array([2.3, 2.0, np.inf]), np.array([1.0, 1.0, np.nan]))
        'inf'
    """
    last, norm = loss[-1], grad_norm[-1]
    if math.isinf(last) or math.isinf(norm):
        return "inf"
    if math.isnan(last) or (math.isnan(norm) and last <= max_loss):
        return "nan"
    if last > max_loss:
        return "diverged"
    return "flat" if is_flat(loss) else "completed"


RISE = 10.0
"""A ramp has diverged where its loss has risen above its lowest one by this many times the larger
of what it had fallen and its spread from batch to batch."""


def diverged_at(loss: np.ndarray) -> int | None:
    r"""Return the first step at which a ramp's loss has risen beyond all it was before.

    $$L_t - \min_{s < t} L_s > 10 \max(D, \sigma)$$

    where D is what the loss had fallen until its lowest point, and σ the spread from batch to
    batch: the root mean square of neighbours' differences up to there, over $\sqrt 2$. A
    loss may lie anywhere and have any unit.

    Args:
        loss: losses in the order of the updates, shape (n,).

    Returns:
        The step; None if there is none.

    Example:
        >>> loss = -5 + 1e4 * np.array([0.0, 0.1, 0.0, 0.2, -0.1, 0.1, -1.0, -2.0, 50.0])
        >>> diverged_at(loss), diverged_at(loss[:-1])
        (8, None)
    """
    n = len(loss)
    for t in range(max(5, n // 20), n):
        if not math.isfinite(loss[t]):
            return None
        past = loss[:t]
        low = int(past.argmin())
        until = past[: max(low + 1, max(5, n // 20))]
        fallen = float(until.max()) - float(past[low])
        spread = math.sqrt(np.mean(np.diff(until) ** 2) / 2)
        if loss[t] - past[low] > RISE * max(fallen, spread, 1e-6 * abs(float(past[low]))):
            return t
    return None


def is_flat(loss: np.ndarray) -> bool:
    r"""Say whether a loss never falls by more than its noise.

    It falls if a mean over a twentieth of the trace (three losses at least) is below the mean of
    the first fifth by more than five standard errors of their difference. The noise is that of the
    first third: the standard deviation of neighbours' differences over $\sqrt 2$. Of
    traces of pure noise, 4 % are called a signal at 10 updates, 0.4 % at 50, 0.1 % at 100.

    Args:
        loss: finite losses in the order of the updates, shape (n,).

    Example:
        >>> noise = np.random.default_rng(0).normal(size=300)
        >>> is_flat(2 + 0.1 * noise), is_flat(2 + 0.1 * noise - np.linspace(0, 1, 300))
        (True, False)
    """
    n = len(loss)
    if n < 10:
        return True
    width, first = max(3, n // 20), n // 5
    noise = math.sqrt(np.mean(np.diff(loss[: max(first, n // 3)]) ** 2) / 2)
    means = np.convolve(loss, np.full(width, 1 / width), mode="valid")
    fall = loss[:first].mean() - means[first:].min()
    return bool(fall <= 5 * noise * math.sqrt(1 / width + 1 / first))
