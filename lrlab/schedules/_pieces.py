"""Pieces that formulas are made of, for one step or an array of them alike.

A line and a half cosine meet both their ends exactly; as sums of two positive terms they have no
cancellation, so that the tail is as accurate as the peak.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np

# An int, or a one-dimensional int64 array: formulas are written once and serve both.
Steps = Any
Rates = Any

_HALF_PI = math.pi / 2


def mix(weight: Rates, a: float, b: float) -> Rates:
    """Return ``weight`` parts of a and ``1 - weight`` parts of b."""
    return a * weight + b * (1 - weight)


def linear(a: float, b: float, k: Steps, n: int) -> Rates:
    """Return the straight line from a at k = 0 to b at k = n."""
    return a * ((n - k) / n) + b * (k / n)


def cosine(a: Rates, b: Rates, k: Steps, n: Any) -> Rates:
    """Return the half cosine from a at k = 0 down to b ≤ a at k = n.

    As (1 + cos x)/2 = sin²((π − x)/2), so that what is left of the way keeps its digits.
    """
    left = np.sin((n - k) / n * _HALF_PI)
    return mix(left * left, a, b)


def choose(
    mask: Any, t: Steps, yes: Callable[[Steps], Rates], no: Callable[[Steps], Rates]
) -> Rates:
    """Return ``yes(t)`` where the mask holds and ``no(t)`` elsewhere; compute no more than that."""
    if not isinstance(mask, np.ndarray):
        return yes(t) if mask else no(t)
    rates = np.empty(t.shape)
    rates[mask] = yes(t[mask])
    mask = ~mask
    rates[mask] = no(t[mask])
    return rates


def count_reached(boundaries: tuple[int, ...], t: Steps) -> Any:
    """Return how many of the increasing boundaries are at or below t."""
    if isinstance(t, np.ndarray):
        return np.searchsorted(boundaries, t, side="right") if boundaries else np.zeros_like(t)
    return bisect_right(boundaries, t)
