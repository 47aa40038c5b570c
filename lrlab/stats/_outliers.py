"""One value that does not belong to the others."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lrlab.stats._samples import sample


def outlier(values: ArrayLike, alpha: float = 0.01) -> int | None:
    r"""Grubbs' test: the index of a value that lies too far from the mean of a normal sample.

    The value with the largest $G = |x_i - \bar x| / s$ is one if

    $$G > \frac{n-1}{\sqrt n} \sqrt{\frac{t^2}{n - 2 + t^2}}, \quad t = t_{n-2,\,1-\alpha/2n} .$$

    Args:
        values: finite values, shape (n,), n at least 3.
        alpha: chance to flag a value where there is no outlier, in (0, 1).

    Returns:
        Its index; None where no value is flagged, or all are equal.

    Raises:
        ValueError: on fewer than three values, non-finite ones, or an alpha outside (0, 1).

    Source:
        Grubbs (1969), *Technometrics* 11, 1-21.

    Example:
        >>> outlier([1.0, 1.1, 0.9, 1.0, 9.0]), outlier([1.0, 1.1, 0.9, 1.0, 1.2])
        (4, None)
    """
    from scipy import stats

    x = sample(values, at_least=3)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), got alpha={alpha}")
    spread = float(x.std(ddof=1))
    if np.ptp(x) == 0 or spread == 0:
        return None
    n, index = x.size, int(np.argmax(abs(x - x.mean())))
    t2 = float(stats.t.isf(alpha / (2 * n), n - 2)) ** 2
    critical = (n - 1) / math.sqrt(n) * math.sqrt(t2 / (n - 2 + t2))
    return index if abs(x[index] - x.mean()) / spread > critical else None
