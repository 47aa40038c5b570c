"""Checks of arguments: each message names the argument and holds its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

_LARGEST = 2**62  # so that the sum of two is still a 64-bit integer


def is_number(value: Any) -> bool:
    """Say whether a value is an int or a float, NumPy's included, and not a bool."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Say whether a value is an int, NumPy's included, and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


class Checked:
    """Frozen dataclasses that check their fields in ``__post_init__``.

    Each check stores the field as a plain float, int or tuple of ints.
    """

    def _check_float(
        self,
        name: str,
        *,
        low: float = 0.0,
        high: float = math.inf,
        open_low: bool = False,
        open_high: bool = True,
        optional: bool = False,
    ) -> None:
        value = getattr(self, name)
        if value is None and optional:
            return
        above = is_number(value) and (low < value if open_low else low <= value)
        below = is_number(value) and (value < high if open_high else value <= high)
        if not (above and below):
            interval = f"{'(['[not open_low]}{low:g}, {high:g}{'])'[open_high]}"
            raise ValueError(f"{name} must be in {interval}, got {name}={value!r}")
        object.__setattr__(self, name, float(value))

    def _check_lr(self, *names: str, zero: bool = False, optional: bool = False) -> None:
        for name in names:
            self._check_float(name, open_low=not zero, optional=optional)

    def _check_int(self, *names: str, low: int = 1, optional: bool = False) -> None:
        for name in names:
            value = getattr(self, name)
            if value is None and optional:
                continue
            if not is_integer(value) or not low <= value <= _LARGEST:
                raise ValueError(
                    f"{name} must be an integer of at least {low}, got {name}={value!r}"
                )
            object.__setattr__(self, name, int(value))

    def _check_increasing(self, name: str) -> None:
        values = getattr(self, name)
        try:
            values = tuple(values)
        except TypeError:
            raise ValueError(f"{name} must be a list of integers, got {name}={values!r}") from None
        whole = all(is_integer(value) and value >= 1 for value in values)
        if not whole or any(b <= a for a, b in pairwise(values)):
            raise ValueError(
                f"{name} must be increasing integers of at least 1, got {name}={list(values)!r}"
            )
        object.__setattr__(self, name, tuple(int(value) for value in values))

    def _check_choice(self, name: str, options: Sequence[Any]) -> None:
        value = getattr(self, name)
        if value not in options:
            listed = ", ".join(repr(option) for option in options)
            raise ValueError(f"{name} must be one of {listed}, got {name}={value!r}")
        object.__setattr__(self, name, options[options.index(value)])
