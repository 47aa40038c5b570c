"""The band of usable rates: between too small to matter and too large to descend."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from lrlab import stats
from lrlab.range_test._ramp import Trace, distinct, is_flat
from lrlab.range_test._smoothing import effect, kernel_mean, pooled


@dataclasses.dataclass(frozen=True)
class Edge:
    """One end of a band.

    Args:
        lr: the rate, from the median of the smoothed losses over seeds; None where the ramp does
            not show it.
        interval: geometric mean of the seeds' own values with its t interval; None with fewer than
            two of them that differ.
        reason: why there is no rate; empty where there is one.
    """

    lr: float | None
    interval: stats.Interval | None = None
    reason: str = ""

    def __str__(self) -> str:
        if self.lr is None:
            return self.reason
        if self.interval is None:
            return f"{self.lr:.3g}"
        low, high = self.interval.low, self.interval.high
        return f"{self.lr:.3g} [{low:.3g}, {high:.3g}] (n = {self.interval.n})"


@dataclasses.dataclass(frozen=True)
class Band:
    r"""The usable rates of a ramp.

    Args:
        low: the smallest constant rate that, over the budget, is projected to bring a tenth of the
            achievable drop. What a small rate does depends on the distance travelled,
            $S = \sum \eta$, alone: where the ramp's loss has fallen by a tenth of its drop it
            has travelled S, which a constant rate of S / budget travels within the budget.
        high: the first rate at which the smoothed loss has risen above its lowest value by 30 % of
            the drop.
        budget: updates that the projection is for.
        drop: initial loss minus the lowest smoothed loss, in the task's unit.
    """

    low: Edge
    high: Edge
    budget: int
    drop: float


def find_band(
    traces: Sequence[Trace], budget: int, *, low_share: float = 0.1, high_share: float = 0.3
) -> Band:
    """Return the band of the ramps of several seeds.

    Args:
        traces: one ramp a seed.
        budget: updates of the training that the rates are for.
        low_share: share of the achievable drop that counts as learning.
        high_share: share of the drop by which the loss must rise to count as unstable.

    Returns:
        The band, each end with an interval over seeds.

    Example:
        >>> from lrlab import Recipe, schedules, tasks
        >>> from lrlab.range_test import range_test
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=100, batch_size=16)
        >>> task = tasks.get("mnist1d", n_train=100)
        >>> result = range_test(task, recipe, seeds=2, pilots=0, store=None)
        >>> band = find_band(result.traces, budget=100)
        >>> band.low.lr < band.high.lr
        True
    """
    lr, loss = pooled(traces)
    low, high, drop = _ends(traces, lr, loss, budget, low_share, high_share)
    if low is None:
        reason = why_no_signal(traces)
        return Band(Edge(None, reason=reason), Edge(None, reason=reason), budget, drop)
    lows, highs = [], []
    for trace in distinct(traces):
        own = pooled([trace])
        a, b, _ = _ends([trace], *own, budget, low_share, high_share)
        lows += [a] if a else []
        highs += [b] if b else []
    no_rise = f"the loss does not rise up to the largest rate, {traces[0].lr[-1]:.3g}"
    top = Edge(high, _interval(highs)) if high else Edge(None, reason=no_rise)
    return Band(Edge(low, _interval(lows)), top, budget, drop)


NO_SIGNAL = "the loss never falls by more than its noise"


def why_no_signal(traces: Sequence[Trace]) -> str:
    """Return why ramps name no rate: the loss was not finite, they ended early, or it is flat."""
    longest = max(traces, key=lambda trace: len(trace.loss))
    finite = int(np.isfinite(longest.loss).sum())
    if finite == 0:
        return (
            f"the loss of the first batch is {longest.loss[0]}, before any update: look for values "
            "that are not finite in data and model"
        )
    if len(longest.loss) == 1:
        seen = f"{longest.grad_norm[0]} where its loss is {longest.loss[0]:.3g}, before any update"
        return f"the gradient of the first batch is {seen}: look for a root of 0, or an overflow"
    ended = all(len(trace.loss) < trace.planned for trace in traces)
    not_finite = {trace.stop_reason for trace in traces} <= {"nan", "inf"}
    if ended and (finite <= 10 or not_finite):
        also = " or look for values that are not finite in data and loss" if not_finite else ""
        return (
            f"the ramps ended ({longest.stop_reason}) after {finite} finite losses, at a rate of "
            f"{longest.lr[-1]:.3g}: begin at a smaller lr_min{also}"
        )
    return NO_SIGNAL


def _ends(
    traces: Sequence[Trace],
    lr: np.ndarray,
    loss: np.ndarray,
    budget: int,
    low_share: float,
    high_share: float,
) -> tuple[float | None, float | None, float]:
    usable = [t for t in traces if len(effect(t)[0]) >= 10]
    if not usable or not np.isfinite(loss).any():
        return None, None, math.nan
    start = initial_loss(usable)
    lowest = int(np.argmin(loss))
    drop = start - float(loss[lowest])
    if all(is_flat(t.loss[np.isfinite(t.loss)]) for t in usable) or drop <= 0:
        return None, None, drop
    travelled = [_distance(t, start - low_share * drop) for t in usable]
    low = float(np.median([s if s is not None else np.inf for s in travelled])) / budget
    risen = np.flatnonzero(loss[lowest:] >= loss[lowest] + high_share * drop)
    high = float(lr[lowest + risen[0]]) if risen.size else None
    return (low if math.isfinite(low) else None), high, drop


def initial_loss(traces: Sequence[Trace]) -> float:
    """Return the mean loss over the first twentieth of the ramps, where the rate does nothing."""
    return float(np.mean([t.loss[: max(1, t.planned // 20)].mean() for t in traces]))


def _distance(trace: Trace, level: float) -> float | None:
    """Return the distance travelled when the smoothed loss falls below a level for good.

    For good means until its lowest point: a chance dip of the noise at the start is not counted.
    """
    lr, loss = effect(trace)
    if len(lr) < 3:
        return None
    s = trace.travelled[1 : len(lr) + 1]
    x = np.log10(s)
    means, _ = kernel_mean(x, loss, x)
    lowest = int(means.argmin())
    above = np.flatnonzero(means[: lowest + 1] > level)
    first = int(above[-1]) + 1 if above.size else 0
    return float(s[first]) if first <= lowest else None


def _interval(values: list[float]) -> stats.Interval | None:
    return stats.geometric_interval(values) if len(values) >= 2 else None
