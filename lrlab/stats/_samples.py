"""What every function here asks of its arguments, and the effect that is compared."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def log_differences(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    r"""Paired differences of log losses, the effect that schedules are compared by.

    $d_i = \ln a_i - \ln b_i$, so that $e^{d}$ is the ratio of the two losses.

    Args:
        a: losses under the first condition, shape (n,), positive and finite.
        b: losses under the second, in the same order of seeds, shape (n,).

    Returns:
        float64 array of shape (n,); negative where `a` is lower.

    Raises:
        ValueError: on different lengths, or on losses that are not positive and finite.

    Example:
        >>> log_differences([1.0, 2.0], [1.0, 1.0]).round(3).tolist()
        [0.0, 0.693]
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"paired losses need equal lengths, got shapes {a.shape} and {b.shape}")
    for name, losses in (("a", a), ("b", b)):
        bad = ~(np.isfinite(losses) & (losses > 0))
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"losses must be positive and finite, got {name}[{i}]={losses[i]}; "
                "a run that diverged is an outcome: count it in a proportion"
            )
    return np.log(a) - np.log(b)


def sample(values: ArrayLike, at_least: int) -> np.ndarray:
    """Values as a float64 array of shape (n,), or a ValueError that says what is wrong."""
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size < at_least:
        raise ValueError(f"need at least {at_least} values in one dimension, got shape {x.shape}")
    if not np.isfinite(x).all():
        i = int(np.argmin(np.isfinite(x)))
        raise ValueError(f"values must be finite, got values[{i}]={x[i]}")
    return x


def standard_error(x: np.ndarray) -> float:
    """0 exactly where all values are equal, whatever rounding does to their mean."""
    return 0.0 if np.ptp(x) == 0 else float(x.std(ddof=1)) / math.sqrt(x.size)


def check_level(level: float) -> None:
    """Raise a ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got level={level}")


def check_counts(successes: int, n: int) -> None:
    """Raise a ValueError unless 0 <= successes <= n and n >= 1."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"need 0 <= successes <= n and n >= 1, got {successes} of {n}")
