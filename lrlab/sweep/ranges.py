"""What all ranges have in common, and what may be in one: plain data, as JSON has it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.trial import Trial

from lrlab.checks import Checked

__all__ = ["Range", "plain"]

KINDS: dict[str, type[Range]] = {}


class Range(Checked):
    """Base of the ranges.

    A sampler searches in terms of Optuna, which are the values themselves, except where Optuna has
    no such distribution. `LogUniform` and the others say what the methods do in their case. One of
    your own is a frozen dataclass; plans find it by its name.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.__name__] = cls

    def distribution(self) -> Any:
        """Return what Optuna searches."""
        raise NotImplementedError

    def value(self, raw: Any) -> Any:
        """Return the value that a sampler meant."""
        return raw

    def raw(self, value: Any) -> Any:
        """Return what a sampler would have said for a value."""
        return value

    def suggest(self, trial: Trial, name: str) -> Any:
        """Ask a trial of Optuna for its value."""
        d = self.distribution()
        return self.value(trial.suggest_float(name, d.low, d.high, log=d.log))

    def at(self, place: float) -> Any:
        """Return the value at a place from 0 to 1 along the range."""
        raise NotImplementedError

    def position(self, value: Any) -> float:
        """Return where a value lies along the range, 0 to 1."""
        raise NotImplementedError

    def holds(self, value: Any) -> bool:
        """Return whether a value lies in the range."""
        raise NotImplementedError

    def some(self) -> list[Any]:
        """Return values that a plan is tried with before anything is trained."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        fields: Any = self
        return {"range": type(self).__name__} | dataclasses.asdict(fields)


def plain(value: Any) -> Any:
    """Return a value as JSON would give it back: NumPy's numbers as Python's, tuples as lists.

    Args:
        value: a number, text, list or mapping.

    Raises:
        ValueError: if JSON can't hold it.

    Example:
        >>> plain((np.int64(3), 0.5, "x"))
        [3, 0.5, 'x']
    """
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"an option must be a finite number, a text or a list of them, got {value!r}")
