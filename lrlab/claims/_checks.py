"""What a claim may hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def data_of(values: ArrayLike, diverged: int = 0) -> dict[str, Any]:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"values must be of shape (n,) with n >= 1, got shape {x.shape}")
    if not np.isfinite(x).all():
        i = int(np.argmin(np.isfinite(x)))
        raise ValueError(
            f"values must be finite, got values[{i}]={x[i]}; "
            "a run that diverged is an outcome: count it in a proportion"
        )
    if not 0 <= diverged <= x.size:
        raise ValueError(f"diverged must be in [0, {x.size}], got diverged={diverged}")
    return {"values": x.tolist()} | ({"diverged": int(diverged)} if diverged else {})


def check_direction(direction: str) -> None:
    if direction not in ("less", "greater"):
        raise ValueError(f"direction must be 'less' or 'greater', got direction={direction!r}")


def check_number(name: str, value: float, minimum: float, maximum: float = math.inf) -> None:
    if not (math.isfinite(value) and minimum <= value <= maximum):
        bound = f"at least {minimum:g}" if maximum == math.inf else f"in [{minimum:g}, {maximum:g}]"
        if name == "margin":
            bound = "positive"
        raise ValueError(f"{name} must be finite and {bound}, got {name}={value}")
