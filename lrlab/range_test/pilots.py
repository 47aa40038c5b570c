"""Short pilots: constant rates below the ramp's upper end, trained for a moment and compared.

A ramp shows where training breaks, not which constant rate is best: its loss at a rate also holds
what all smaller rates did before. So a part of the cost goes into constant rates, at the places
that the ramp names.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lrlab import stats
from lrlab.range_test._ramp import Trace

__all__ = ["HORIZON_POWER", "Suggestion", "score"]

SPACING = 4.0
"""Ratio of neighbouring rates in the first round; its root in the second."""

HORIZON_POWER = 1 / 3
"""The best constant rate is taken to fall with this power of the number of updates T. Convex theory
has 1/2 for the worst case, D / (G √T) (Nemirovski et al., 2009), and 0 where no noise is left; over
the cells of benchmarks/range_test.py the regret is lowest at about 1/3."""

FLOOR = 1 / 4
"""What is added to the missed share of a drop before its logarithm is taken, so that losses near
the lowest one count alike, and those far above it less than in proportion."""

MOST = 100.0
"""The largest half-width of an interval that is told, as a logarithm; beyond, nothing is known."""

TAIL = 1 / 2
"""The share of a pilot, from its end, whose losses count."""


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """One rate, with how sure it is and the rule in words; or no rate, and why.

    Args:
        lr: the rate; None where there is no signal.
        interval: the interval of the rate, None where there is none.
        rule: the rule in one sentence; without a rate, the reason.
    """

    lr: float | None
    interval: stats.Interval | None
    rule: str

    def __str__(self) -> str:
        if self.lr is None:
            return f"no suggestion: {self.rule}"
        sure = ""
        if self.interval is not None:
            sure = f" [{self.interval.low:.3g}, {self.interval.high:.3g}]"
        return f"{self.lr:.3g}{sure} ({self.rule})"


def search(
    train: Callable[[Sequence[float]], list[Trace]], top: float, bottom: float, count: int
) -> list[Trace]:
    """Train pilots in two rounds and return them in the order of their rates.

    First half of the largest rate and the rates `SPACING`, `SPACING`², … below it, then rates in
    between, around the best one so far.

    Args:
        train: trains one pilot for each of some rates.
        top: no rate above this is tried.
        bottom: no rate below this is tried.
        count: number of pilots, at least 4.

    Raises:
        ValueError: if count is below 4.
    """
    if count < 4:
        raise ValueError(f"a search needs at least 4 pilots, got pilots={count}")
    first = max(3, math.ceil(count / 2))
    wanted = [top / 2 * SPACING**-i for i in range(first)]
    done = train([lr for lr in wanted if lr >= bottom] or [top])
    while len(done) < count:
        done.sort(key=lambda trace: trace.lr[0])
        scores = [score(trace) for trace in done]
        best = int(np.argmin(scores))
        rates = _between(done, best, top, bottom)[: count - len(done)]
        if not rates:
            break
        done += train(rates)
    return sorted(done, key=lambda trace: trace.lr[0])


def score(trace: Trace) -> float:
    """Return the mean loss over a pilot's tail; infinite if it ended early.

    Args:
        trace: a short training at a constant rate.

    Example:
        >>> from lrlab.range_test import Trace
        >>> rates = np.full(20, 0.1)
        >>> score(Trace(rates, np.full(20, 2.0), rates, 0, rates, "completed"))
        2.0
    """
    if len(trace.loss) < trace.planned or not np.isfinite(trace.loss[-1]):
        return math.inf
    return float(tail(trace).mean())


def missed(scores: ArrayLike, start: float) -> np.ndarray:
    r"""Return how much of the largest drop each pilot has missed, on a logarithmic scale.

    $$\log\left(\tfrac{1}{4} + \frac{L - \min L}{L_0 - \min L}\right)$$

    It is the same for a loss L and for a L + b with a > 0. A pilot that ends above the start by
    more than the best one ends below it counts as diverged: infinite.

    Args:
        scores: mean losses of the pilots, shape (n,); infinite for those that ended early.
        start: the loss L₀ before any update.

    Example:
        >>> missed([2.0, 1.0, 9.0], start=2.0).round(2).tolist()
        [0.22, -1.39, inf]
    """
    losses = np.asarray(scores, dtype=float)
    low = losses.min()
    drop = start - low
    if not drop > 0:  # none of them falls: their own range is the unit
        finite = losses[np.isfinite(losses)]
        drop = float(finite.max() - low) or 1.0
    share = (losses - low) / drop
    return np.where(share <= 2, np.log(FLOOR + np.minimum(share, 2)), math.inf)


def tail(trace: Trace) -> np.ndarray:
    """Return the losses that count: those of the second half."""
    return trace.loss[-max(1, math.ceil(len(trace.loss) * TAIL)) :]


def best_rate(pilots: Sequence[Trace], budget: int, start: float | None = None) -> Suggestion:
    r"""Return the rate that the pilots point to for a training of `budget` updates.

    A parabola in the logarithm of the rate is fitted to what the best pilot and its neighbours (up
    to two on either side) have `missed`; its vertex, kept between the best pilot's neighbours, is
    the best rate for trainings as long as a pilot, n. For longer ones it is multiplied by
    $(n / \text{budget})^{1/3}$ (see `HORIZON_POWER`): a short pilot does not yet see the
    noise of large rates.

    The interval is that of the vertex, from the scatter of the pilots around the parabola (delta
    method, t distribution).

    Args:
        pilots: pilots of constant rates, in the order of their rates.
        budget: updates of the training that the rate is for.
        start: the loss before any update; None: the mean of the pilots' first losses.
    """
    scores = np.array([score(trace) for trace in pilots])
    if not np.isfinite(scores).any():
        ends = ", ".join(sorted({trace.stop_reason for trace in pilots}))
        return Suggestion(None, None, f"all pilots ended early ({ends})")
    if start is None:
        start = float(np.mean([trace.loss[0] for trace in pilots]))
    scores = missed(scores, start)
    rates = np.array([trace.lr[0] for trace in pilots])
    best = int(scores.argmin())
    vertex, error, freedom, fitted = vertex_of(np.log(rates), scores)
    shift = -HORIZON_POWER * max(0.0, math.log(budget / pilots[best].planned))
    interval = None
    if error < MOST:
        from scipy.stats import t as student

        half = min(MOST, float(student.ppf(0.975, freedom)) * error)
        middle, low, high = (math.exp(vertex + shift + sign * half) for sign in (0, -1, 1))
        interval = stats.Interval(middle, low, high, level=0.95, n=fitted)
    steps = pilots[best].planned
    rule = (
        f"lowest point of a parabola through {fitted} pilots of {steps} updates at constant "
        f"rates, carried to {budget} updates"
    )
    return Suggestion(math.exp(vertex + shift), interval, rule)


def vertex_of(x: np.ndarray, y: np.ndarray) -> tuple[float, float, int, int]:
    """Return the lowest point of a parabola through the lowest value and its neighbours.

    Args:
        x: positions in rising order, shape (n,).
        y: values, shape (n,), one of them finite.

    Returns:
        The vertex, kept between the neighbours of the lowest value, its standard error (infinite
        where it has none), the degrees of freedom, and how many values the parabola goes through.
    """
    best = int(y.argmin())
    near = [i for i in range(max(0, best - 2), min(len(x), best + 3)) if np.isfinite(y[i])]
    vertex, error, freedom = _vertex(x[near], y[near], x[best])
    low, high = x[max(0, best - 1)], x[min(len(x) - 1, best + 1)]
    return float(np.clip(vertex, low, high)), error, freedom, len(near)


def _vertex(x: np.ndarray, y: np.ndarray, best: float) -> tuple[float, float, int]:
    """Return the vertex of a fitted parabola, its standard error, and the degrees of freedom."""
    if len(x) < 3:
        return best, math.inf, 0
    design = np.vander(x - best, 3)  # columns x², x, 1
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    a, b, _ = coefficients
    if a <= 0:
        return best, math.inf, 0
    freedom = len(x) - 3
    if freedom < 1:
        return best - b / (2 * a), math.inf, 0
    residuals = y - design @ coefficients
    covariance = residuals @ residuals / freedom * np.linalg.inv(design.T @ design)
    gradient = np.array([b / (2 * a * a), -1 / (2 * a), 0.0])
    return best - b / (2 * a), float(np.sqrt(gradient @ covariance @ gradient)), freedom


def _between(done: Sequence[Trace], best: int, top: float, bottom: float) -> list[float]:
    """Return untried rates around the best pilot, the side with the better neighbour first."""
    rates = [trace.lr[0] for trace in done]
    lr = rates[best]
    above = rates[best + 1] if best + 1 < len(rates) else None
    below = rates[best - 1] if best > 0 else None
    new = []
    if below is not None:
        new.append((math.sqrt(lr * below), score(done[best - 1])))
    elif lr / SPACING >= bottom:
        new.append((lr / math.sqrt(SPACING), math.inf))
        new.append((lr / SPACING, math.inf))
    if above is not None:
        new.append((math.sqrt(lr * above), score(done[best + 1])))
    elif lr * math.sqrt(SPACING) <= top:
        new.append((lr * math.sqrt(SPACING), math.inf))
    return [rate for rate, _ in sorted(new, key=lambda pair: pair[1])]
