"""Learning-rate schedules as pure functions of the step.

Each is a frozen dataclass that can be called on an integer (giving a float) or an array of integers
(giving a float64 array of the same shape), compared, hashed, scaled, composed, stored as JSON, and
used as a scheduler of PyTorch by `as_torch`. See `Schedule` for what they have in common.
"""

from typing import Any

from lrlab.schedules._base import Schedule as Schedule
from lrlab.schedules._base import from_dict as from_dict
from lrlab.schedules._compose import Join as Join
from lrlab.schedules._compose import Warmup as Warmup
from lrlab.schedules._compose import WarmupStableDecay as WarmupStableDecay
from lrlab.schedules._cyclic import CosineRestarts as CosineRestarts
from lrlab.schedules._cyclic import Cyclic as Cyclic
from lrlab.schedules._cyclic import OneCycle as OneCycle
from lrlab.schedules._decay import Constant as Constant
from lrlab.schedules._decay import Cosine as Cosine
from lrlab.schedules._decay import InverseSqrt as InverseSqrt
from lrlab.schedules._decay import Linear as Linear
from lrlab.schedules._decay import LinearDecayToZero as LinearDecayToZero
from lrlab.schedules._decay import Polynomial as Polynomial
from lrlab.schedules._decay import Tanh as Tanh
from lrlab.schedules._powers import Exponential as Exponential
from lrlab.schedules._powers import MultiStep as MultiStep
from lrlab.schedules._powers import StepDecay as StepDecay

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
