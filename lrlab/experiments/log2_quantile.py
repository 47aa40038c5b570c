"""The label of a quantile that the source on weights draws its curves with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def log2_quantile(levels: ArrayLike) -> np.ndarray:
    """Label the level of a quantile: 0 for the median, positive above, negative below.

    log₂(2p) for p ≤ ½, and −log₂(2(1 − p)) above: each halving of the tail moves it by one.

    Args:
        levels: levels p in (0, 1), of any shape.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: if a level is not in (0, 1).

    Example:
        >>> log2_quantile([0.125, 0.25, 0.5, 0.75, 0.875]).tolist()
        [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    p = np.asarray(levels, dtype=float)
    if not ((p > 0) & (p < 1)).all():
        raise ValueError(f"levels must be in (0, 1), got levels={levels!r}")
    tail = np.log2(2 * np.minimum(p, 1 - p))
    return np.where(p <= 0.5, tail, 0.0 - tail)
