"""Intervals of means, proportions, medians and rank correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from lrlab.stats._samples import check_counts, check_level, sample, standard_error

Key = TypeVar("Key")


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Args:
        estimate: the point estimate.
        low: lower end.
        high: upper end.
        level: confidence level, e.g. 0.95.
        n: number of values it was computed from.

    Example:
        >>> print(Interval(0.5, 0.25, 0.75, level=0.95, n=8))
        0.5 [0.25, 0.75] (95 %, n = 8)
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int

    def __str__(self) -> str:
        return (
            f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}] "
            f"({100 * self.level:.4g} %, n = {self.n})"
        )

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    r"""Mean with its t interval.

    $\bar x \pm t_{n-1,(1+\text{level})/2}\, s/\sqrt n$. Where all values are equal the interval
    is that single point.

    Args:
        values: finite values, shape (n,), n at least 2.
        level: confidence level in (0, 1).

    Returns:
        The mean with its interval.

    Raises:
        ValueError: on fewer than two values, non-finite ones, or a level outside (0, 1).

    Example:
        >>> print(mean_interval([1.0, 2.0, 3.0, 4.0]))
        2.5 [0.446, 4.55] (95 %, n = 4)
    """
    from scipy import stats

    x = sample(values, at_least=2)
    check_level(level)
    mean, se = float(x.mean()), standard_error(x)
    half = se * float(stats.t.ppf((1 + level) / 2, x.size - 1))
    return Interval(mean, mean - half, mean + half, level, x.size)


def mean_intervals(groups: Mapping[Key, ArrayLike], level: float = 0.95) -> dict[Key, Interval]:
    """Return `mean_interval` of each group of values, by the same keys.

    Args:
        groups: values by key, each of shape (n,), n at least 2.
        level: confidence level in (0, 1).

    Example:
        >>> print(mean_intervals({"a": [1.0, 2.0, 3.0, 4.0]})["a"])
        2.5 [0.446, 4.55] (95 %, n = 4)
    """
    return {key: mean_interval(values, level) for key, values in groups.items()}


def geometric_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    r"""Geometric mean with its t interval: for rates and ratios, which spread by factors.

    $\exp$ of the t interval of $\ln x$.

    Args:
        values: positive values, shape (n,), n at least 2.
        level: confidence level in (0, 1).

    Returns:
        The geometric mean with its interval.

    Raises:
        ValueError: if a value is not positive.

    Example:
        >>> print(geometric_interval([0.01, 0.02, 0.04]))
        0.02 [0.00357, 0.112] (95 %, n = 3)
    """
    x = sample(values, at_least=2)
    if (x <= 0).any():
        raise ValueError(f"values must be positive, got {x.min()}")
    log = mean_interval(np.log(x), level)
    back = map(math.exp, (log.estimate, log.low, log.high))
    return Interval(next(back), next(back), next(back), level, log.n)


def median_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Distribution-free interval of a median, from order statistics.

    Args:
        values: finite values, shape (n,).
        level: confidence level; the interval covers at least this much.

    Returns:
        The median with its interval.

    Raises:
        ValueError: if n is too small for the level (n = 5 reaches 0.9375, n = 6 reaches 0.95).

    Example:
        >>> print(median_interval([3, 1, 4, 1, 5, 9, 2, 6]))
        3.5 [1, 9] (95 %, n = 8)
    """
    from scipy import stats

    x = np.sort(sample(values, at_least=1))
    check_level(level)
    n = x.size
    k = int(stats.binom.ppf((1 - level) / 2, n, 0.5))  # k values may be left out at each end
    if 2 * stats.binom.cdf(k - 1, n, 0.5) > 1 - level:
        k -= 1
    if k < 1:
        reached = 1 - 2 * 0.5**n
        raise ValueError(f"n={n} values reach a level of {reached:.4f}, not level={level}")
    return Interval(float(np.median(x)), float(x[k - 1]), float(x[n - k]), level, n)


def proportion_interval(
    successes: int, n: int, level: float = 0.95, method: str = "exact"
) -> Interval:
    """Interval of a proportion: Clopper-Pearson ("exact") or Wilson's score interval ("wilson").

    The exact one never covers less than its level; Wilson's is shorter and covers it on average.

    Args:
        successes: number of successes, 0 to n.
        n: number of trials, at least 1.
        level: confidence level in (0, 1).
        method: "exact" or "wilson".

    Returns:
        The observed proportion with its interval.

    Raises:
        ValueError: on counts that make no sense, or an unknown method.

    Example:
        >>> print(proportion_interval(4, 5))
        0.8 [0.284, 0.995] (95 %, n = 5)
    """
    from scipy import stats

    check_counts(successes, n)
    check_level(level)
    if method not in ("exact", "wilson"):
        raise ValueError(f"method must be 'exact' or 'wilson', got method={method!r}")
    ci = stats.binomtest(successes, n).proportion_ci(level, method=method)
    return Interval(successes / n, float(ci.low), float(ci.high), level, n)


def rank_correlation(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Interval:
    r"""Spearman's rank correlation with an interval.

    Fisher's $z = \operatorname{artanh} r$ with Bonett and Wright's standard error
    $\sqrt{(1 + r^2/2)/(n-3)}$. Where |r| = 1, z is infinite; the interval is then the one of the
    largest |r| below 1 (one swap of neighbours), with the estimate as its other end.

    Args:
        x: values, shape (n,), n at least 4, not all equal.
        y: values in the same order, shape (n,).
        level: confidence level in (0, 1).

    Returns:
        The correlation with its interval, inside [-1, 1].

    Raises:
        ValueError: if lengths differ, or all values of one are equal.

    Source:
        Bonett and Wright (2000), *Psychometrika* 65, 23-28.

    Example:
        >>> print(rank_correlation([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5]))
        0.886 [0.0664, 0.992] (95 %, n = 6)
    """
    from scipy import stats

    x, y = sample(x, at_least=4), sample(y, at_least=4)
    if x.size != y.size:
        raise ValueError(f"x and y need equal lengths, got {x.size} and {y.size}")
    check_level(level)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("a rank correlation needs values that are not all equal")
    n = x.size
    r = float(np.clip(stats.spearmanr(x, y).statistic, -1, 1))
    largest = 1 - 12 / (n * (n * n - 1))
    inner = float(np.clip(r, -largest, largest))
    half = stats.norm.ppf((1 + level) / 2) * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)
    return Interval(r, min(low, r), max(high, r), level, n)


def band(
    curves: ArrayLike, level: float = 0.95, scale: str = "linear"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pointwise mean and t interval of curves over seeds.

    Args:
        curves: shape (seeds, points), at least two seeds; a point that is not finite for some
            seed is NaN in the result.
        level: confidence level in (0, 1).
        scale: "linear", or "log" for the geometric mean with its interval: losses and rates.

    Returns:
        (low, mean, high), each of shape (points,).

    Raises:
        ValueError: on fewer than two seeds, an unknown scale, or values that are not positive on
            a log scale.

    Example:
        >>> low, mean, high = band([[1.0, 2.0], [3.0, 2.0]])
        >>> mean.tolist(), (high - mean).round(2).tolist()
        ([2.0, 2.0], [12.71, 0.0])
    """
    from scipy import stats

    x = np.asarray(curves, dtype=float)
    if x.ndim != 2 or x.shape[0] < 2:
        raise ValueError(f"curves must be of shape (seeds >= 2, points), got {x.shape}")
    check_level(level)
    if scale not in ("linear", "log"):
        raise ValueError(f"scale must be 'linear' or 'log', got scale={scale!r}")
    if scale == "log":
        if (x <= 0).any():
            raise ValueError(f"a log scale needs positive values, got {x.min()}")
        low, mean, high = band(np.log(x), level)
        return np.exp(low), np.exp(mean), np.exp(high)
    x = np.where(np.isfinite(x).all(axis=0), x, np.nan)
    mean = x.mean(axis=0)
    half = stats.t.ppf((1 + level) / 2, x.shape[0] - 1) * stats.sem(x, axis=0)
    return mean - half, mean, mean + half
