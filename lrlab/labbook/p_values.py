"""The p values that go with the intervals, and their correction for several claims."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def mean_p(values: ArrayLike, boundary: float = 0.0) -> float:
    r"""Two-sided p value of a t test of the mean against a boundary.

    It is below $1 - \text{level}$ exactly where `lrlab.stats.mean_interval` at that level leaves
    out the boundary.

    Args:
        values: finite values, shape (n,), n at least 2.
        boundary: the value tested against, in the unit of the values.

    Returns:
        The p value; 0 or 1 where all values are equal.

    Example:
        >>> round(mean_p([1.0, 2.0, 3.0, 4.0]), 4)
        0.0305
    """
    from scipy import stats

    x = np.asarray(values, dtype=float)
    difference, se = float(x.mean()) - boundary, _standard_error(x)
    if se == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * stats.t.sf(abs(difference) / se, x.size - 1))


def equivalence_p(values: ArrayLike, margin: float) -> float:
    r"""Two one-sided t tests (TOST): p value that the mean lies within ±margin.

    It is below $\alpha$ exactly where the $1 - 2\alpha$ interval lies within the margin.

    Args:
        values: finite values, shape (n,), n at least 2.
        margin: half-width of the region of equivalence, in the unit of the values.

    Returns:
        The larger of the two one-sided p values.

    Raises:
        ValueError: if the margin is not positive.

    Source:
        Schuirmann (1987), *J. Pharmacokinetics and Biopharmaceutics* 15, 657-680.

    Example:
        >>> round(equivalence_p([0.1, -0.1, 0.05, -0.02, 0.03], margin=0.2), 4)
        0.0026
    """
    from scipy import stats

    x = np.asarray(values, dtype=float)
    if not margin > 0:
        raise ValueError(f"margin must be positive, got margin={margin}")
    room, se = margin - abs(float(x.mean())), _standard_error(x)
    if se == 0:
        return 0.0 if room > 0 else 1.0
    return float(stats.t.sf(room / se, x.size - 1))


def proportion_p(successes: int, n: int, threshold: float, method: str = "exact") -> float:
    """Two-sided p value of a proportion against a threshold, in step with its interval.

    For "exact" it is twice the smaller binomial tail (what Clopper-Pearson inverts), for "wilson"
    the score test.

    Args:
        successes: number of successes, 0 to n.
        n: number of trials, at least 1.
        threshold: the proportion tested against, in [0, 1].
        method: "exact" or "wilson".

    Returns:
        The p value.

    Raises:
        ValueError: if the threshold is not in [0, 1], or the method is unknown.

    Example:
        >>> round(proportion_p(9, 10, 0.5), 4)
        0.0215
    """
    from scipy import stats

    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be in [0, 1], got threshold={threshold}")
    if method == "exact":
        tails = (
            stats.binom.cdf(successes, n, threshold),
            stats.binom.sf(successes - 1, n, threshold),
        )
        return float(min(1.0, 2 * min(tails)))
    if method != "wilson":
        raise ValueError(f"method must be 'exact' or 'wilson', got method={method!r}")
    se = math.sqrt(threshold * (1 - threshold) / n)
    distance = abs(successes / n - threshold)
    if se == 0:
        return 1.0 if distance == 0 else 0.0
    return float(2 * stats.norm.sf(distance / se))


def _standard_error(x: np.ndarray) -> float:
    return 0.0 if np.ptp(x) == 0 else float(x.std(ddof=1)) / math.sqrt(x.size)
