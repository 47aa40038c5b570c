"""What is searched: the range of each hyperparameter."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import distributions as optuna_distributions
from optuna.trial import Trial

from lrlab.checks import built, is_integer, is_number
from lrlab.sweep.ranges import KINDS, Range, plain


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

    low: float
    high: float

    def __post_init__(self) -> None:
        given = (self.low, self.high)
        ends = [end.item() if isinstance(end, np.generic) else end for end in given]
        if not (all(map(is_number, ends)) and -1e300 < ends[0] < ends[1] < 1e300):
            raise ValueError(f"need finite low < high, got low={self.low!r}, high={self.high!r}")
        object.__setattr__(self, "low", float(ends[0]))
        object.__setattr__(self, "high", float(ends[1]))

    def distribution(self) -> Any:
        """Return what Optuna searches."""
        return optuna_distributions.FloatDistribution(self.low, self.high)

    def position(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        return round((value - self.low) / (self.high - self.low), 12)

    def at(self, place: float) -> float:
        """Return the value at a place from 0 to 1."""
        return float(self.low + place * (self.high - self.low))

    def holds(self, value: Any) -> bool:
        """Return whether a value lies between the ends."""
        return is_number(value) and bool(self.low <= value <= self.high)

    def some(self) -> list[float]:
        """Return both ends and a value between them that is no whole number."""
        return [self.low, self.high, self.low + (self.high - self.low) / math.pi]


@dataclasses.dataclass(frozen=True)
class LogUniform(Uniform):
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

    def distribution(self) -> Any:
        """Return what Optuna searches."""
        return optuna_distributions.FloatDistribution(self.low, self.high, log=True)

    def position(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1, on a logarithmic axis."""
        return round(math.log(value / self.low) / math.log(self.high / self.low), 12)

    def at(self, place: float) -> float:
        """Return the value at a place from 0 to 1 on a logarithmic axis."""
        return float(np.exp(np.log(self.low) + place * np.log(self.high / self.low)))


@dataclasses.dataclass(frozen=True)
class IntUniform(Range):
    """Whole numbers, all equally likely, or all ratios.

    Args:
        low: the smallest.
        high: none is larger.
        step: between neighbours.
        log: ratios are equally likely; `step` is 1 then.

    Raises:
        ValueError: unless they are whole numbers with low < high and a positive step that fits.

    Example:
        >>> [IntUniform(16, 64, step=16).at(place) for place in (0.0, 0.3, 1.0)]
        [16, 32, 64]
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if isinstance(value, float) and value.is_integer():
                object.__setattr__(self, name, int(value))
            self._check_int(name, low=-(2**53), high=2**53)
        if not isinstance(self.log, bool):
            raise ValueError(f"log must be true or false, got log={self.log!r}")
        if not self.low < self.high:
            raise ValueError(f"need low < high, got low={self.low}, high={self.high}")
        if not 1 <= self.step <= self.high - self.low:
            raise ValueError(f"step must be in [1, high - low], got step={self.step}")
        if self.log and (self.low < 1 or self.step != 1):
            raise ValueError(
                f"a logarithmic range needs low of at least 1 and step 1, got low={self.low}, "
                f"step={self.step}"
            )

    @property
    def _last(self) -> int:
        return self.low + (self.high - self.low) // self.step * self.step

    def distribution(self) -> Any:
        """Return what Optuna searches."""
        return optuna_distributions.IntDistribution(
            self.low, self._last, log=self.log, step=self.step
        )

    def suggest(self, trial: Trial, name: str) -> int:
        """Ask a trial of Optuna for its value."""
        return trial.suggest_int(name, self.low, self._last, step=self.step, log=self.log)

    def position(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        if self.log:
            return round(math.log(value / self.low) / math.log(self.high / self.low), 12)
        return round((value - self.low) / (self._last - self.low), 12)

    def at(self, place: float) -> int:
        """Return the value at a place from 0 to 1; each has an equal share of it."""
        if self.log:
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return min(self.high, max(self.low, round(math.exp(low + place * (high - low)))))
        count = (self._last - self.low) // self.step + 1
        return self.low + min(int(place * count), count - 1) * self.step

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of the numbers."""
        return (
            is_integer(value)
            and bool(self.low <= value <= self.high)
            and (value - self.low) % self.step == 0
        )

    def some(self) -> list[int]:
        """Return both ends and a value between them."""
        return sorted({self.low, self._last, self.at(0.4)})


@dataclasses.dataclass(frozen=True)
class Choice(Range):
    """One of a few values, without an order.

    Args:
        options: the values, at least two different ones: numbers, texts, or lists and mappings of
            them.

    Raises:
        ValueError: if there are fewer, or one twice, or one is nothing that JSON can hold.

    Example:
        >>> Choice((16, 32, 64)).to_dict()
        {'range': 'Choice', 'options': [16, 32, 64]}
        >>> Choice(([0.9, 0.99], [0.9, 0.999])).at(0.8)
        [0.9, 0.999]
    """

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        given = self.options.tolist() if isinstance(self.options, np.ndarray) else self.options
        if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
            raise ValueError(f"options must be a list, got {self.options!r}")
        options = tuple(plain(option) for option in given)
        if len(options) < 2 or any(a == b for i, a in enumerate(options) for b in options[:i]):
            raise ValueError(f"a choice needs two or more different options, got {options}")
        object.__setattr__(self, "options", options)

    def __hash__(self) -> int:
        return hash(self._texts())

    def _texts(self) -> tuple[str, ...]:
        return tuple(json.dumps(option) for option in self.options)

    @property
    def _is_plain(self) -> bool:
        return not any(isinstance(option, (list, dict)) for option in self.options)

    def distribution(self) -> Any:
        """Return what Optuna searches: the options, or their texts if one is a list."""
        listed = self.options if self._is_plain else self._texts()
        return optuna_distributions.CategoricalDistribution(listed)

    def suggest(self, trial: Trial, name: str) -> Any:
        """Ask a trial of Optuna for its value."""
        return self.value(trial.suggest_categorical(name, self.distribution().choices))

    def value(self, raw: Any) -> Any:
        """Return the value that a sampler meant."""
        return raw if self._is_plain else json.loads(raw)

    def raw(self, value: Any) -> Any:
        """Return what a sampler would have said for a value."""
        return value if self._is_plain else json.dumps(value)

    def position(self, value: Any) -> float:
        """Return the place of an option among the others, 0 to 1."""
        return self.options.index(plain(value)) / (len(self.options) - 1)

    def at(self, place: float) -> Any:
        """Return the option at a place from 0 to 1."""
        return self.options[min(int(place * len(self.options)), len(self.options) - 1)]

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of the options."""
        return value in self.options

    def some(self) -> list[Any]:
        """Return the options."""
        return list(self.options)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        return {"range": "Choice", "options": list(self.options)}


Space = Mapping[str, Range]


def from_dict(data: Mapping[str, Any]) -> Any:
    """Return the range that `to_dict` described.

    ``type: int`` makes whole numbers of a `Uniform` or a `LogUniform`.

    Args:
        data: the description.

    Raises:
        ValueError: if the kind is unknown, or an argument is unknown, missing or out of range.

    Example:
        >>> from_dict({"range": "LogUniform", "low": 1e-4, "high": 0.1})
        LogUniform(low=0.0001, high=0.1)
        >>> from_dict({"range": "Uniform", "low": 8, "high": 64, "step": 8, "type": "int"})
        IntUniform(low=8, high=64, step=8, log=False)
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"a range must be a mapping with range: and its ends, got {data!r}")
    name, arguments = data.get("range"), dict(data)
    kind = arguments.pop("type", None) if name in ("Uniform", "LogUniform") else None
    if kind not in (None, "int", "float"):
        raise ValueError(f"{name}: type must be int or float, got {kind!r}")
    if kind == "int":
        arguments |= {"log": True} if name == "LogUniform" else {}
        arguments["range"] = "IntUniform"
    return built("range", KINDS, arguments)
