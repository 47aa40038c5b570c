"""Pseudo-values: a t interval for a statistic that is no mean, such as a rank correlation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike


def pseudo_values(statistic: Callable[..., float], *samples: ArrayLike) -> np.ndarray:
    r"""Return the jackknife's pseudo-values of a statistic.

    $$p_i = n\,\theta(x) - (n - 1)\,\theta(x_{-i})$$

    with $x_{-i}$ all values but the i-th. Their mean is the statistic without its bias to
    first order, and their t interval an interval for it.

    Args:
        statistic: of arrays of equal length, smooth enough that one value changes it a little.
        *samples: those arrays, paired, shape (n,) each, n at least 3.

    Returns:
        float64 array of shape (n,).

    Raises:
        ValueError: on fewer than three values, or different lengths.

    Source:
        Tukey (1958), *Annals of Mathematical Statistics* 29, 614; Miller (1974), *Biometrika* 61,
        1-15.

    Example:
        >>> pseudo_values(np.mean, [1.0, 2.0, 6.0]).round(9).tolist()
        [1.0, 2.0, 6.0]
    """
    arrays = [np.asarray(sample) for sample in samples]
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or min(lengths) < 3:
        raise ValueError(f"need three or more values, equally many each, got {sorted(lengths)}")
    (n,) = lengths
    whole = statistic(*arrays)
    left = [statistic(*(np.delete(array, i, axis=0) for array in arrays)) for i in range(n)]
    return n * whole - (n - 1) * np.array(left, dtype=float)
