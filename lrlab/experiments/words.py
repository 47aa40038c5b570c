"""Numbers as the sentences of an answer have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lrlab import stats


def percent(values: ArrayLike, level: float) -> str:
    """Return the mean of log ratios in per cent, with its t interval.

    Args:
        values: log ratios, one a seed, shape (n,), n at least 2.
        level: of the interval, such as `claims.level(6)`: the one that decides.

    Example:
        >>> print(percent([0.01, 0.02, 0.03], 0.95))
        +2.0 % [−0.5, +4.6]
    """
    found = stats.mean_interval(values, level)
    ends = (100 * np.expm1(end) for end in (found.estimate, found.low, found.high))
    return "{:+.1f} % [{:+.1f}, {:+.1f}]".format(*ends).replace("-", "−")


def factor(values: ArrayLike, level: float) -> str:
    """Return the mean of log ratios as a factor, with its t interval.

    Args:
        values: log ratios, one a seed, shape (n,), n at least 2.
        level: of the interval, such as `claims.level(6)`: the one that decides.

    Example:
        >>> factor([0.6, 0.7, 0.8], 0.95)
        '2.01 [1.57, 2.58]'
    """
    found = stats.mean_interval(values, level)
    ends = (np.exp(end) for end in (found.estimate, found.low, found.high))
    return "{:.3g} [{:.3g}, {:.3g}]".format(*ends)
