"""What every schedule is: a frozen value that maps a step to a learning rate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from lrlab.checks import Checked, built, is_number
from lrlab.schedules._pieces import Rates, Steps

_LAST_STEP = 2**63 - 1
_BLOCK = 8192
_KINDS: dict[str, type[Schedule]] = {}
_T = TypeVar("_T")


class Schedule(Checked):
    """A learning rate as a pure function of the step.

    A subclass is a frozen dataclass that defines ``_rate``, and ``horizon`` where it has an end.
    It then can be called, compared, hashed, scaled, joined, stored as JSON and used in PyTorch.

    Steps count optimizer updates from 0: ``schedule(t)`` is the rate of update number t + 1. A
    schedule with a horizon H has its last update at step H − 1; what it decays to is the value at
    step H, which it holds from there on.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass(frozen=True)
        ... class Sawtooth(Schedule):
        ...     peak_lr: float
        ...     every_steps: int
        ...
        ...     def _rate(self, t):
        ...         return self.peak_lr * (1 - t % self.every_steps / self.every_steps)
        >>> Sawtooth(0.5, every_steps=4)([0, 1, 2, 3, 4])
        array([0.5  , 0.375, 0.25 , 0.125, 0.5  ])
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("_"):
            _KINDS[cls.__name__] = cls

    @property
    def horizon(self) -> int | None:
        """Number of updates that the schedule spans, or None if it has no end.

        At and past the horizon the schedule holds its value there.
        """
        return getattr(self, "steps", None)

    @overload
    def __call__(self, step: int) -> float: ...
    @overload
    def __call__(self, step: npt.ArrayLike) -> npt.NDArray[np.float64]: ...
    def __call__(self, step: int | npt.ArrayLike) -> float | npt.NDArray[np.float64]:
        """Return the learning rate of update number ``step + 1``.

        Args:
            step: updates done so far, counted from 0; an integer or an array of integers.

        Returns:
            A float for an integer, a float64 array of the same shape for an array.

        Raises:
            ValueError: if a step is negative, not an integer, or above 2⁶³ − 1.
        """
        if type(step) is not int:
            if not isinstance(step, np.integer):
                return self._on_array(step)
            step = int(step)
        if not 0 <= step <= _LAST_STEP:
            raise ValueError(f"step must be in [0, 2**63), got step={step}")
        return float(self._held(step))

    def _on_array(self, step: npt.ArrayLike) -> npt.NDArray[np.float64]:
        array = np.asarray(step)
        if array.dtype.kind not in "iu":
            raise ValueError(f"step must be an integer or an array of integers, got {step!r}")
        if array.size and not (array.min() >= 0 and array.max() <= _LAST_STEP):
            raise ValueError(
                f"step must be in [0, 2**63), got steps from {array.min()} to {array.max()}"
            )
        steps = array.astype(np.int64).ravel()
        rates = np.empty(steps.shape)
        # Block by block, so that what a formula computes on the way stays in the cache.
        for i in range(0, steps.size, _BLOCK):
            rates[i : i + _BLOCK] = self._held(steps[i : i + _BLOCK])
        return rates.reshape(array.shape)

    def _held(self, t: Steps) -> Rates:
        """Return the rates, those past the horizon being the one at the horizon."""
        horizon = self.horizon
        if horizon is not None:
            t = np.minimum(t, horizon) if isinstance(t, np.ndarray) else min(t, horizon)
        return self._rate(t)

    def _rate(self, t: Steps) -> Rates:
        """Return the formula's value, for 0 ≤ t ≤ horizon."""
        raise NotImplementedError

    def scale(self, factor: float) -> Self:
        """Return the schedule whose rate at every step is ``factor`` times this one's.

        Every field that is a rate (``lr`` or ``…_lr``) is multiplied, inner schedules included, so
        that the result is a plain schedule of the same kind.

        Args:
            factor: positive and finite.

        Raises:
            ValueError: if the factor is not positive and finite.

        Example:
            >>> from lrlab.schedules import Cosine
            >>> Cosine(0.5, steps=100, end_lr=0.25).scale(2)
            Cosine(peak_lr=1.0, steps=100, end_lr=0.5)
        """
        if not (is_number(factor) and 0 < factor < math.inf):
            raise ValueError(f"factor must be positive and finite, got factor={factor!r}")
        changed = {}
        for name, value in self._fields().items():
            if (name == "lr" or name.endswith("_lr")) and value is not None:
                changed[name] = value * factor
            else:
                changed[name] = _map_schedules(value, lambda inner: inner.scale(factor))
        return type(self)(**changed)

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as a dict that JSON can hold and `from_dict` reads.

        Example:
            >>> from lrlab.schedules import Constant
            >>> Constant(0.1).to_dict()
            {'schedule': 'Constant', 'lr': 0.1}
        """
        fields = {}
        for name, value in self._fields().items():
            value = _map_schedules(value, lambda inner: inner.to_dict())
            fields[name] = list(value) if isinstance(value, tuple) else value
        return {"schedule": type(self).__name__} | fields

    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def _check_below_peak(self: Any, *names: str) -> None:
        for name in names:
            if (lr := getattr(self, name) or 0.0) > self.peak_lr:
                raise ValueError(f"{name} must be at most peak_lr={self.peak_lr}, got {name}={lr}")


def from_dict(data: dict[str, Any]) -> Schedule:
    """Return the schedule that `Schedule.to_dict` described.

    Args:
        data: a dict whose key ``"schedule"`` names the kind; the others are its arguments.

    Raises:
        ValueError: if the kind is unknown, or if an argument is unknown, missing or out of range.

    Example:
        >>> from lrlab.schedules import Cosine, from_dict
        >>> from_dict({"schedule": "Cosine", "peak_lr": 0.1, "steps": 100})
        Cosine(peak_lr=0.1, steps=100, end_lr=0.0)
    """
    arguments = dict(data)
    for key, value in arguments.items():
        if isinstance(value, dict):
            arguments[key] = from_dict(value)
        elif isinstance(value, list):
            arguments[key] = tuple(from_dict(v) if isinstance(v, dict) else v for v in value)
    return built("schedule", _KINDS, arguments)


def _map_schedules(value: _T, function: Callable[[Schedule], Any]) -> Any:
    if isinstance(value, Schedule):
        return function(value)
    if isinstance(value, tuple):
        return tuple(function(v) if isinstance(v, Schedule) else v for v in value)
    return value
