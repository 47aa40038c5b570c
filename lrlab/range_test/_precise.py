"""More pilots, of other seeds, about half as long as the training, until the rate is known well."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lrlab import stats
from lrlab.range_test._ramp import Trace
from lrlab.range_test.pilots import HORIZON_POWER, Suggestion, missed, vertex_of

RATIO = 2.0
"""Ratio of neighbouring rates."""

FIRST, MOST = 3, 8
"""Seeds to begin with, and at most."""

LAST = 1 / 4
"""The share of a long pilot, from its end, whose losses count."""

EVALUATIONS = 16
"""How often a long pilot is evaluated on validation data, where its task has some."""

CARRY = 2 / 3
"""The power by which the best rate falls with the number of updates is taken to lie in
`HORIZON_POWER` ± this: between 300 and 600 updates it was -.2, .6, .9 and .9 in the four cells of
benchmarks/range_test.py that rules are chosen on; convex theory has 0 to 1/2."""

SHARE = 0.85
"""How much of the interval that is aimed at the unknown power may take, in logarithms."""

_VALIDATION = "validation_loss"

Train = Callable[[Sequence[tuple[float, int]]], list[Trace]]


def pilot_length(budget: int, precision: float) -> int:
    """Return how long pilots have to be, so that carrying their rate on costs not all precision.

    Args:
        budget: updates of the training that the rate is for.
        precision: largest ratio of the interval's ends that is aimed at.

    Example:
        >>> pilot_length(600, 3.0), pilot_length(600, 1.5)
        (298, 463)
    """
    return round(budget * precision ** (-SHARE / (2 * CARRY)))


def refine(train: Train, center: float, precision: float, budget: int, start: float) -> list[Trace]:
    """Train pilots of several seeds at five rates or more around one, until it is known.

    Args:
        train: trains one long pilot for each of some (rate, seed); seeds count from 0.
        center: the rate to begin around.
        precision: largest ratio of the interval's ends that is aimed at.
        budget: updates of the training that the rate is for.
        start: the loss before any update.

    Returns:
        The pilots, seed after seed, each in the order of its rates; `precise` reads them.
    """
    rates = [center * RATIO**k for k in (-2, -1, 0, 1, 2)]
    done = {(trace.lr[0], seed): trace for (trace, seed) in _trained(train, rates, range(FIRST))}
    for _ in range(4):  # where the best rate is at an end, go on behind it
        tried = sorted({lr for lr, _ in done})
        means = [_mean(done, lr, start) for lr in tried]
        best = int(np.argmin(means))
        if best >= 2 and best <= len(tried) - 3:
            break
        wanted = tried[0] / RATIO if best < 2 else tried[-1] * RATIO
        done |= {(t.lr[0], seed): t for (t, seed) in _trained(train, [wanted], range(FIRST))}
    tried = sorted({lr for lr, _ in done})
    best = int(np.argmin([_mean(done, lr, start) for lr in tried]))
    near = tried[max(0, best - 2) : best + 3]
    for seed in range(FIRST, MOST):
        found = precise(_ordered(done), budget, start, precision)
        sure = found.interval
        if len(_by_seed(_ordered(done))) == 1 or (sure and sure.high / sure.low <= precision):
            break
        done |= {(t.lr[0], s): t for (t, s) in _trained(train, near, [seed])}
    return _ordered(done)


def precise(pilots: Sequence[Trace], budget: int, start: float, precision: float) -> Suggestion:
    r"""Return the rate that long pilots of several seeds point to, with its interval.

    Pilots are compared by the mean loss over their last quarter: on validation data where they were
    evaluated, since the training loss is lowest at a larger rate where data are seen again and
    again; else that of their batches. Each seed has the vertex of its own parabola; the rate is
    their geometric mean, carried to the budget by $(n / \text{budget})^{1/3}$. The interval's
    half-width, in logarithms, is the root of the summed squares of the t interval over seeds and of
    what a power between -1/3 and 1 in place of 1/3 would change.

    Args:
        pilots: from `refine`.
        budget: updates of the training that the rate is for.
        start: the loss before any update.
        precision: largest ratio of the interval's ends that was aimed at.
    """
    best = []
    seeds = _by_seed(pilots)
    for own in seeds:
        scores = np.array([_end(trace) for trace in own])
        if np.isfinite(scores).any():
            rates = np.log([trace.lr[0] for trace in own])
            first = np.mean([_start(trace, start) for trace in own])
            best.append(vertex_of(rates, missed(scores, float(first)))[0])
    steps = pilots[0].planned
    if len(best) < min(2, len(seeds)):
        return Suggestion(None, None, f"all pilots of {steps} updates ended early")
    apart = max(0.0, math.log(budget / steps))
    center = float(np.mean(best)) - HORIZON_POWER * apart
    kind = "validation" if _VALIDATION in pilots[0].evals else "training"
    rule = (
        f"mean over {len(best)} seeds of the lowest {kind} loss among pilots of {steps} updates, "
        f"carried to {budget}"
    )
    if len(best) == 1:
        return Suggestion(math.exp(center), None, f"{rule}; no precision, as seeds are alike")
    over_seeds = stats.geometric_interval(np.exp(best))
    half = math.hypot(math.log(over_seeds.high / over_seeds.low) / 2, CARRY * apart)
    low, high = math.exp(center - half), math.exp(center + half)
    interval = stats.Interval(math.exp(center), low, high, level=0.95, n=len(best))
    if high / low > precision:
        rule += (
            f"; no precision of {precision:g} with {MOST} seeds: they alone differ by a factor of "
            f"{math.exp(max(best) - min(best)):.2g}"
        )
    return Suggestion(math.exp(center), interval, rule)


def _trained(train: Train, rates: Sequence[float], seeds: Sequence[int]) -> list[tuple[Trace, int]]:
    pairs = [(lr, seed) for seed in seeds for lr in rates]
    return [(trace, seed) for trace, (_, seed) in zip(train(pairs), pairs, strict=True)]


def _ordered(done: dict[tuple[float, int], Trace]) -> list[Trace]:
    return [done[key] for key in sorted(done, key=lambda key: key[::-1])]


def _by_seed(pilots: Sequence[Trace]) -> list[list[Trace]]:
    """Return each seed's pilots in the order of their rates; of seeds that are alike, one's."""
    by_seed: dict[int, list[Trace]] = {}
    for trace in sorted(pilots, key=lambda trace: (trace.seed, trace.lr[0])):
        by_seed.setdefault(trace.seed, []).append(trace)
    return list({b"".join(t.loss.tobytes() for t in own): own for own in by_seed.values()}.values())


def _mean(done: dict[tuple[float, int], Trace], lr: float, start: float) -> float:
    """Return the mean loss at a rate over the seeds; one that is diverged counts as the start."""
    traces = [trace for (rate, _), trace in done.items() if rate == lr]
    return float(np.mean([min(_end(trace), _start(trace, start)) for trace in traces]))


def _end(trace: Trace) -> float:
    if len(trace.loss) < trace.planned or not np.isfinite(trace.loss[-1]):
        return math.inf
    if _VALIDATION in trace.evals:
        late = trace.evals["step"] > (1 - LAST) * trace.planned
        return float(trace.evals[_VALIDATION][late].mean())
    return float(trace.loss[-max(1, round(len(trace.loss) * LAST)) :].mean())


def _start(trace: Trace, start: float) -> float:
    """Return the loss before any update, of the kind that is compared."""
    return float(trace.evals[_VALIDATION][0]) if _VALIDATION in trace.evals else start
