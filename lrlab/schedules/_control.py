"""What all controllers share: a frozen value, its state, and how both become JSON."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from lrlab.checks import Checked, built

_KINDS: dict[str, type[Controller]] = {}


@dataclasses.dataclass(frozen=True)
class ControllerState:
    """What a controller knows after some observations.

    Args:
        lr: the rate now.
        updates: observations so far.
        diverged_at: number of the first observation that was not finite, counted from 0; None if
            all were finite.
    """

    lr: float
    updates: int = 0
    diverged_at: int | None = None

    @property
    def diverged(self) -> bool:
        """Whether an observation was not finite."""
        return self.diverged_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the state's fields as a dict, which `Controller.resume` reads."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


class Controller(Checked):
    """Base of the controllers: ``state, lr = controller.update(state, observation)``.

    Class attributes say what a controller looks at: ``observes`` is "metric" (a number, after each
    evaluation) or "gradient" (a vector, before each optimizer update).

    Example:
        >>> from lrlab.schedules.controllers import ReduceOnPlateau
        >>> controller = ReduceOnPlateau(0.1, patience=0, factor=0.5)
        >>> state = controller.start()
        >>> for loss in (1.0, 2.0):
        ...     state, lr = controller.update(state, loss)
        >>> lr
        0.05
    """

    observes: ClassVar[str]
    waits: ClassVar[int] = 0
    """Updates before the first observation that counts."""
    _state: ClassVar[type[ControllerState]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _KINDS[cls.__name__] = cls

    def start(self: Any) -> Any:
        """Return the state before the first observation."""
        return self._state(lr=self.lr)

    def resume(self, data: dict[str, Any]) -> Any:
        """Return the state that its ``to_dict`` described."""
        return self._state(**data)

    def update(self, state: Any, observation: Any) -> tuple[Any, float]:
        """Return the state after an observation, and the rate from now on."""
        raise NotImplementedError

    def rate(self, state: Any, step: int) -> float:
        """Return the rate of update number step + 1, in a state."""
        return state.lr

    def to_dict(self) -> dict[str, Any]:
        """Return the controller as a dict that JSON can hold and `from_dict` reads.

        Example:
            >>> from lrlab.schedules.controllers import ReduceOnPlateau
        >>> ReduceOnPlateau(0.1, patience=2).to_dict()["controller"]
            'ReduceOnPlateau'
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"controller": type(self).__name__} | fields


def diverge(state: Any) -> tuple[Any, float]:
    """Return the state after an observation that is not finite, and the rate, left as it was."""
    at = state.updates if state.diverged_at is None else state.diverged_at
    return dataclasses.replace(state, updates=state.updates + 1, diverged_at=at), state.lr


def from_dict(data: dict[str, Any]) -> Controller:
    """Return the controller that `Controller.to_dict` described.

    Args:
        data: a dict with the key ``"controller"``.

    Raises:
        ValueError: if the kind is unknown, or if an argument is unknown, missing or out of range.

    Example:
        >>> from lrlab.schedules.controllers import from_dict
        >>> from_dict({"controller": "ReduceOnPlateau", "lr": 0.1, "patience": 3}).patience
        3
    """
    return built("controller", _KINDS, data)
