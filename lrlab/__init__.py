"""A laboratory for the learning rate: schedules, training runs, range tests and dated entries.

Names are imported when they are first used, so that the command line, which needs no tensor
library, starts at once.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_EXPORTS = {
    "Checkpoint": "training._checkpoint",
    "Claim": "claims",
    "EarlyStopping": "training._stopping",
    "Job": "training.parallel",
    "Recipe": "recipe",
    "Run": "training.record",
    "train": "training.loop",
    "train_many": "training.parallel",
}
_MODULES = (
    "claims",
    "display",
    "optimizers",
    "plots",
    "range_test",
    "schedules",
    "stats",
    "sweep",
    "tasks",
)

__all__ = [*_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"lrlab.{_EXPORTS[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"lrlab.{name}")
    raise AttributeError(f"module 'lrlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
