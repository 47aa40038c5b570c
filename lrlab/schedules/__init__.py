"""Learning-rate schedules as pure functions of the step.

Each is a frozen dataclass that can be called on an integer (giving a float) or an array of integers
(giving a float64 array of the same shape), compared, hashed, scaled, composed, stored as JSON, and
used as a scheduler of PyTorch by `as_torch`. See `Schedule` for what they have in common.
"""

from typing import Any

from lrlab.schedules._base import Schedule, from_dict
from lrlab.schedules._compose import Join, Warmup, WarmupStableDecay
from lrlab.schedules._cyclic import CosineRestarts, Cyclic, OneCycle
from lrlab.schedules._decay import (
    Constant,
    Cosine,
    InverseSqrt,
    Linear,
    LinearDecayToZero,
    Polynomial,
    Tanh,
)
from lrlab.schedules._powers import Exponential, MultiStep, StepDecay

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "InverseSqrt",
    "Join",
    "Linear",
    "LinearDecayToZero",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "Schedule",
    "StepDecay",
    "Tanh",
    "Warmup",
    "WarmupStableDecay",
    "as_torch",
    "from_dict",
]


def __getattr__(name: str) -> Any:
    if name == "as_torch":  # the only part that needs torch
        from lrlab.schedules._torch_adapter import as_torch

        return as_torch
    raise AttributeError(f"module 'lrlab.schedules' has no attribute {name!r}")
