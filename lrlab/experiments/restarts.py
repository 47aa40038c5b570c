"""What a restart of the rate does to a series of evaluations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def values_at(steps: ArrayLike, values: ArrayLike, when: Sequence[int]) -> np.ndarray:
    """Return a series at the last evaluation up to each of some steps.

    Args:
        steps: of the evaluations, rising, shape (n,).
        values: shape (n,).
        when: steps, none before the first evaluation.

    Example:
        >>> values_at([0, 10, 20], [3.0, 2.0, 1.0], [0, 15]).tolist()
        [3.0, 2.0]
    """
    return np.asarray(values)[np.searchsorted(steps, when, side="right") - 1]


def shift(steps: ArrayLike, values: ArrayLike, bounds: Sequence[int]) -> float:
    """Return by how much a series shifts after a restart, on average over the restarts.

    The mean over the first half of the new cycle less the value at the end of the one before. The
    highest or lowest of these values would differ from it by noise alone.

    Args:
        steps: of the evaluations, rising, shape (n,).
        values: shape (n,); the logarithm of a loss, or an accuracy.
        bounds: ends of the cycles, the first restart first.

    Example:
        >>> shift([1, 2, 3, 4], [5.0, 6.0, 6.0, 5.0], [1, 4])
        1.0
    """
    x, y = np.asarray(steps), np.asarray(values, dtype=float)
    before = values_at(x, y, bounds)
    cycles = itertools.pairwise(bounds)
    halves = [y[(x > start) & (2 * x <= start + end)].mean() for start, end in cycles]
    return float(np.mean(np.array(halves) - before[:-1]))


def rises(steps: ArrayLike, losses: ArrayLike, bounds: Sequence[int]) -> np.ndarray:
    """Return how a loss rises after each restart, and how soon that is made good.

    Args:
        steps: of the evaluations, rising, shape (n,).
        losses: positive, shape (n,).
        bounds: ends of the cycles, the first restart first.

    Returns:
        Shape (restarts, 3): the log ratio of the highest loss in the first half of the new cycle
        to that at the end of the one before; the share of the new cycle after which the loss stays
        below that value, 1 if it never does; the log ratio of the loss at the two cycles' ends.

    Example:
        >>> rises([10, 11, 12, 13, 14], [2.0, 4.0, 3.0, 1.5, 1.0], [10, 14]).round(3).tolist()
        [[0.693, 0.75, -0.693]]
    """
    x, y = np.asarray(steps), np.asarray(losses, dtype=float)
    found = []
    for start, end in itertools.pairwise(bounds):
        before, after = values_at(x, y, [start, end])
        first_half, rest = (x > start) & (2 * x <= start + end), (x > start) & (x <= end)
        above = np.flatnonzero(y[rest] > before)
        good = [start, *x[rest], end][above[-1] + 2] if above.size else start
        share = (good - start) / (end - start)
        found.append((np.log(y[first_half].max() / before), share, np.log(after / before)))
    return np.array(found)
