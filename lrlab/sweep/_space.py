"""What is searched: the range of each hyperparameter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

Value = float | int | str | bool


@dataclasses.dataclass(frozen=True)
class Range:
    """Base of the two ranges of numbers.

    Args:
        low: lower end.
        high: upper end.

    Raises:
        ValueError: unless both are finite and low < high.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (_is_finite(self.low) and _is_finite(self.high) and self.low < self.high):
            raise ValueError(f"need finite low < high, got low={self.low!r}, high={self.high!r}")

    def holds(self, value: Any) -> bool:
        """Return whether a value lies between the ends."""
        return _is_finite(value) and self.low <= value <= self.high

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        return {"range": type(self).__name__} | dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Uniform(Range):
    """All values between two ends are equally likely.

    Args:
        low: lower end.
        high: upper end.

    Raises:
        ValueError: unless both are finite and low < high.

    Example:
        >>> Uniform(0.95, 0.999).position(0.9745)
        0.5
    """

    def position(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        return round((value - self.low) / (self.high - self.low), 12)


@dataclasses.dataclass(frozen=True)
class LogUniform(Range):
    """All ratios are equally likely: the logarithm is uniform. What rates want.

    Args:
        low: lower end, positive.
        high: upper end.

    Raises:
        ValueError: unless both are finite and 0 < low < high.

    Example:
        >>> LogUniform(1e-4, 1e-2).position(1e-3)
        0.5
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise ValueError(f"low must be positive on a logarithmic range, got low={self.low}")

    def position(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1, on a logarithmic axis."""
        return round(math.log(value / self.low) / math.log(self.high / self.low), 12)


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a few values, without an order.

    Args:
        options: the values, at least two different ones.

    Raises:
        ValueError: if there are fewer, or one twice.

    Example:
        >>> Choice((16, 32, 64)).to_dict()
        {'range': 'Choice', 'options': [16, 32, 64]}
    """

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.options, (list, tuple)):
            raise ValueError(f"options must be a list, got {self.options!r}")
        object.__setattr__(self, "options", tuple(self.options))
        if len(self.options) < 2 or len(set(self.options)) != len(self.options):
            raise ValueError(f"a choice needs two or more different options, got {self.options}")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        return {"range": "Choice", "options": list(self.options)}

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of the options."""
        return value in self.options


Space = Mapping[str, Uniform | LogUniform | Choice]

_KINDS = {kind.__name__: kind for kind in (Uniform, LogUniform, Choice)}


def from_dict(data: Mapping[str, Any]) -> Uniform | LogUniform | Choice:
    """Return the range that `to_dict` described.

    Raises:
        ValueError: if the kind is unknown, or an argument is unknown, missing or out of range.

    Example:
        >>> from_dict({"range": "LogUniform", "low": 1e-4, "high": 0.1})
        LogUniform(low=0.0001, high=0.1)
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"a range must be a mapping with range: and its ends, got {data!r}")
    arguments = dict(data)
    name = arguments.pop("range", None)
    if not isinstance(name, str) or name not in _KINDS:
        raise ValueError(f"range must be one of {', '.join(_KINDS)}, got {name!r}")
    try:
        return _KINDS[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
