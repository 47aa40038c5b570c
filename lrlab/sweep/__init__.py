"""Sweeps: a search over hyperparameters that stops bad runs early and survives interruptions.

A `Plan` says what is searched: a task, a base recipe, a space, a sampler, a stopping rule. `sweep`
carries it out with Optuna's samplers and storages, in lockstep, so that one seed gives one study
whatever the timing; `trials` reads any study as a table.
"""

from __future__ import annotations

import importlib
from typing import Any

from lrlab.checks import need

_EXPORTS = {
    "Choice": "_space",
    "IntUniform": "_space",
    "LogUniform": "_space",
    "Plan": "plan",
    "Search": "search",
    "Stopped": "reporting",
    "Trial": "trial",
    "Uniform": "_space",
    "WandbHyperband": "rules",
    "advice": "_advise",
    "load": "reading",
    "open_study": "storage",
    "report": "reporting",
    "sweep": "_engine",
    "trials": "trial",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        need("optuna", "yaml")
        return getattr(importlib.import_module(f"lrlab.sweep.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'lrlab.sweep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
