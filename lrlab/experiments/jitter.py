"""How restless a loss is from one evaluation to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def jitter(losses: ArrayLike) -> float:
    r"""Return the noise of a log loss from one evaluation to the next, without its trend.

    $$\sqrt{\tfrac16 \operatorname{mean}\,(\Delta^2 \ln L)^2}$$

    For independent noise it is the standard deviation; a straight line has none.

    Args:
        losses: positive, shape (n,), n at least 3.

    Example:
        >>> round(jitter([1.0, 2.0, 4.0, 8.0]), 12)
        0.0
    """
    bends = np.diff(np.log(losses), n=2)
    return float(np.sqrt(np.mean(bends**2) / 6))


def spikes(losses: ArrayLike, excess: float, window: int = 5) -> np.ndarray:
    """Return which evaluations lie above the median of those before them by more than a share.

    Args:
        losses: shape (n,).
        excess: relative, 0.05 for 5 %.
        window: evaluations before that the median is taken of; the first ones are no spikes.

    Returns:
        Bool, shape (n,).

    Example:
        >>> spikes([1.0, 1.0, 1.0, 1.2, 1.0], 0.1, window=3).tolist()
        [False, False, False, True, False]
    """
    y = np.asarray(losses, dtype=float)
    before = np.median(np.lib.stride_tricks.sliding_window_view(y[:-1], window), axis=1)
    return np.r_[np.zeros(window, dtype=bool), y[window:] > (1 + excess) * before]
