"""The growing record of a run while it trains."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from lrlab.training.probes import Probe, Value


class History:
    """Rate, loss and gradient norm of each update, and what evaluations and probes measured.

    Args:
        steps: the number of updates to make room for.
        probes: the probes that will measure.

    Example:
        >>> history = History(2, ())
        >>> history.evaluated(0, {"test_loss": 2.3})
        >>> history.evals
        {'step': [0], 'test_loss': [2.3]}
    """

    def __init__(self, steps: int, probes: Sequence[Probe]) -> None:
        self.lr, self.loss, self.grad_norm = (np.full(steps, np.nan) for _ in range(3))
        self.steps = 0
        self.evals: dict[str, list[float]] = {}
        self.probes: dict[str, dict[str, list[Value]]] = {probe.name: {} for probe in probes}
        self.seconds_before = 0.0
        if len(self.probes) != len(probes):
            raise ValueError(f"two probes have one name: {[probe.name for probe in probes]}")

    def evaluated(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append one evaluation, made after `step` updates."""
        _append(self.evals, step, metrics)

    def measured(self, probe: Probe, step: int, values: Mapping[str, Value]) -> None:
        """Append what a probe measured after `step` updates."""
        _append(self.probes[probe.name], step, values)

    def arrays(self) -> dict[str, Any]:
        """Return the fields of a `lrlab.Run` that this record fills."""
        done = slice(0, self.steps)
        return {
            "lr": self.lr[done].copy(),
            "loss": self.loss[done].copy(),
            "grad_norm": self.grad_norm[done].copy(),
            "evals": _as_arrays(self.evals),
            "probes": {name: _as_arrays(values) for name, values in self.probes.items()},
        }

    def state_dict(self, seconds: float) -> dict[str, Any]:
        """Return the record as tensors and plain values; `seconds` is the time taken so far."""
        series = (torch.from_numpy(x.copy()) for x in (self.lr, self.loss, self.grad_norm))
        return {
            "series": list(series),
            "steps": self.steps,
            "evals": copy.deepcopy(self.evals),
            "probes": copy.deepcopy(self.probes),
            "seconds": seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a record that `state_dict` described, of which nothing is shared."""
        self.lr, self.loss, self.grad_norm = (x.numpy().copy() for x in state["series"])
        self.steps, self.seconds_before = state["steps"], state["seconds"]
        self.evals, self.probes = copy.deepcopy((state["evals"], state["probes"]))


def _append(table: dict[str, list[Any]], step: int, values: Mapping[str, Value]) -> None:
    for name, value in ({"step": step} | dict(values)).items():
        table.setdefault(name, []).append(value)


def _as_arrays(table: Mapping[str, list[Any]]) -> dict[str, np.ndarray]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in table.items()}
