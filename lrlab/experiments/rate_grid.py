"""A grid of rates that grows where the best rate lies at its edge."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

import numpy as np

from lrlab.training.parallel import Job, train_many
from lrlab.training.results import Metric, Results

__all__ = ["beyond", "curve", "extended"]


def curve(tried: Results, arm: Hashable, metric: Metric) -> tuple[list[float], np.ndarray]:
    """Return the rates that an arm was tried at, rising, and what came of each.

    Args:
        tried: with keys of (arm, rate, seed), every rate with the same seeds.
        arm: one of them.
        metric: lower is better, positive.

    Returns:
        The rates, and the geometric mean over the seeds at each, shape (rates,).
    """
    found = tried.of(arm).arrays(metric)
    rates = sorted(found)
    return rates, np.exp([np.log(found[rate]).mean() for rate in rates])


def beyond(rates: list[float], losses: np.ndarray) -> float | None:
    """Return the next rate of a grid whose lowest loss is at its edge; None where it lies inside.

    Args:
        rates: a grid of equal ratios, rising.
        losses: at each of them, shape (rates,).

    Example:
        >>> beyond([1.0, 2.0, 4.0], np.array([3.0, 2.0, 1.0]))
        8.0
    """
    best, ratio = int(losses.argmin()), rates[1] / rates[0]
    if 0 < best < len(rates) - 1:
        return None
    return rates[0] / ratio if best == 0 else rates[-1] * ratio


def extended(
    tried: Results,
    job: Callable[[Hashable, float, int], Job],
    metric: Metric,
    most: int = 3,
    by: Callable[[Mapping[Hashable, Job]], Results] = train_many,
) -> Results:
    """Go on beyond the edge of each arm's grid, by its own ratio, until the best rate lies inside.

    Args:
        tried: with keys of (arm, rate, seed): for each arm a grid of equal ratios, every rate on
            the arm's seeds.
        job: what to train for (arm, rate, seed).
        metric: lower is better, positive.
        most: how many rates are added to a grid at most.
        by: what trains them, such as `lrlab.experiments.prefixes.train_branches`.

    Returns:
        All runs, these and the new ones.
    """
    runs = dict(tried)
    seeds: dict[Hashable, dict[int, None]] = {}
    for arm, _, seed in runs:
        seeds.setdefault(arm, {})[seed] = None
    for _ in range(most):
        more = {}
        for arm in seeds:
            rate = beyond(*curve(Results(runs), arm, metric))
            if rate is None:
                continue
            more |= {(arm, rate, seed): job(arm, rate, seed) for seed in seeds[arm]}
        if not more:
            break
        runs |= by(more)
    return Results(runs)
