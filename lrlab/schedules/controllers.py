"""Closed-loop learning rates: state and observation in, new state and rate out.

A controller is a frozen value, and its state is another: nothing changes behind the caller's back,
and a state can be kept, compared and gone on from. An observation that is not finite is no bad
epoch: it is a divergence, which the state says from then on, with the rate left where it was.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from lrlab.checks import Checked

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
    """

    observes: ClassVar[str]
    _state: ClassVar[type[ControllerState]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _KINDS[cls.__name__] = cls

    def start(self) -> Any:
        """Return the state before the first observation."""
        return self._state(lr=self.lr)

    def resume(self, data: dict[str, Any]) -> Any:
        """Return the state that its ``to_dict`` described."""
        return self._state(**data)

    def update(self, state: Any, observation: Any) -> tuple[Any, float]:
        """Return the state after an observation, and the rate from now on."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the controller as a dict that JSON can hold and `from_dict` reads.

        Example:
            >>> ReduceOnPlateau(0.1, patience=2).to_dict()["controller"]
            'ReduceOnPlateau'
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"controller": type(self).__name__} | fields


def _diverge(state: Any) -> tuple[Any, float]:
    at = state.updates if state.diverged_at is None else state.diverged_at
    return dataclasses.replace(state, updates=state.updates + 1, diverged_at=at), state.lr


@dataclasses.dataclass(frozen=True)
class PlateauState(ControllerState):
    """State of `ReduceOnPlateau`.

    Args:
        lr: the rate now.
        updates: observations so far.
        diverged_at: number of the first observation that was not finite; None if all were.
        best: best observation so far; None before the first.
        bad: observations since then that were not better.
        cooling: observations still to be passed over after a reduction.
    """

    best: float | None = None
    bad: int = 0
    cooling: int = 0


@dataclasses.dataclass(frozen=True)
class ReduceOnPlateau(Controller):
    r"""Multiply the rate by a factor when a metric has stopped to improve.

    .. math:: \eta \leftarrow \max(\gamma\, \eta,\ \eta_{\min})

    after more than ``patience`` observations in a row that were not better than the best by the
    threshold. Gives the rates of PyTorch's ``ReduceLROnPlateau(..., eps=0)``, except that an
    observation that is not finite is a divergence there.

    Args:
        lr: first rate, > 0.
        factor: γ in (0, 1).
        patience: observations without improvement that are let pass, ≥ 0.
        threshold: the least improvement that counts, ≥ 0: a part of the best so far, or an amount.
        threshold_mode: "rel" (a part) or "abs" (an amount).
        cooldown: observations after a reduction that are not counted, ≥ 0.
        min_lr: smallest rate, 0 ≤ η_min ≤ ``lr``.
        mode: "min" for a metric that should fall, "max" for one that should rise.
        metric: name of the metric to observe.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> controller = ReduceOnPlateau(0.1, factor=0.5, patience=1)
        >>> state = controller.start()
        >>> for loss in (1.0, 0.9, 0.9, 0.9):
        ...     state, lr = controller.update(state, loss)
        >>> lr
        0.05
        >>> state, lr = controller.update(state, float("nan"))
        >>> lr, state.diverged, state.diverged_at
        (0.05, True, 4)
    """

    lr: float
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_lr: float = 0.0
    mode: str = "min"
    metric: str = "validation_loss"

    observes: ClassVar[str] = "metric"
    _state: ClassVar = PlateauState

    def __post_init__(self) -> None:
        self._check_lr("lr")
        self._check_float("factor", open_low=True, high=1.0)
        self._check_int("patience", "cooldown", low=0)
        self._check_float("threshold")
        self._check_choice("threshold_mode", ("rel", "abs"))
        self._check_choice("mode", ("min", "max"))
        self._check_float("min_lr", high=self.lr, open_high=False)

    def update(self, state: PlateauState, observation: float) -> tuple[PlateauState, float]:
        """Return the state after an observation of the metric, and the rate from now on.

        Args:
            state: from ``start`` or an earlier ``update``.
            observation: the metric's value.
        """
        value = float(observation)
        if state.diverged or not math.isfinite(value):
            return _diverge(state)
        lr, best, bad, cooling = state.lr, state.best, state.bad, state.cooling
        if self._is_better(value, best):
            best, bad = value, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > self.patience:
            lr, cooling, bad = max(lr * self.factor, self.min_lr), self.cooldown, 0
        return PlateauState(lr, state.updates + 1, None, best, bad, cooling), lr

    def _is_better(self, value: float, best: float | None) -> bool:
        if best is None:
            return True
        down = self.mode == "min"
        if self.threshold_mode == "rel":
            bar = best * (1 - self.threshold if down else 1 + self.threshold)
        else:
            bar = best - self.threshold if down else best + self.threshold
        return value < bar if down else value > bar


@dataclasses.dataclass(frozen=True, eq=False)
class HypergradientState(ControllerState):
    """State of `HypergradientDescent`.

    Args:
        lr: the rate now.
        updates: observations so far.
        diverged_at: number of the first observation that was not finite; None if all were.
        direction: what the last update stepped along; None before the first.
    """

    direction: Any = None


@dataclasses.dataclass(frozen=True)
class HypergradientDescent(Controller):
    r"""Gradient descent on the rate itself, while training.

    .. math::
        \eta_t = \eta_{t-1} + \beta\, g_t \cdot u_{t-1}
        \quad \text{("additive")}, \qquad
        \eta_t = \eta_{t-1} \left(1 + \beta\,
        \frac{g_t \cdot u_{t-1}}{\lVert g_t \rVert \lVert u_{t-1} \rVert}\right)
        \quad \text{("multiplicative")}

    since the loss after the step w − η u changes with η by −g·u: the rate grows while gradients
    point along the last step and shrinks when they turn back. The additive form needs a β that fits
    the size of the gradients; the multiplicative one does not (Baydin et al., 2018,
    arXiv:1703.04782).

    Args:
        lr: first rate, > 0.
        beta: the rate's own learning rate β > 0; below 1 for the multiplicative form.
        kind: "additive" or "multiplicative".
        min_lr: smallest rate, 0 ≤ η_min ≤ ``lr``.
        max_lr: largest rate, ≥ ``lr``; None for no limit.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> import numpy as np
        >>> controller = HypergradientDescent(0.1, beta=0.5)
        >>> state = controller.start()
        >>> for gradient in ([1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]):
        ...     state, lr = controller.update(state, np.array(gradient))
        ...     print(round(lr, 4))
        0.1
        0.15
        0.15
        0.075
    """

    lr: float
    beta: float = 0.02
    kind: str = "multiplicative"
    min_lr: float = 0.0
    max_lr: float | None = None

    observes: ClassVar[str] = "gradient"
    _state: ClassVar = HypergradientState

    def __post_init__(self) -> None:
        self._check_lr("lr")
        self._check_choice("kind", ("additive", "multiplicative"))
        limit = 1.0 if self.kind == "multiplicative" else math.inf
        self._check_float("beta", open_low=True, high=limit)
        self._check_float("min_lr", high=self.lr, open_high=False)
        self._check_float("max_lr", low=self.lr, optional=True)

    def update(
        self, state: HypergradientState, observation: Any, direction: Any = None
    ) -> tuple[HypergradientState, float]:
        """Return the state after a gradient, and the rate for the update that it makes.

        Args:
            state: from ``start`` or an earlier ``update``.
            observation: the gradient at this step, a vector of NumPy or torch, shape (n,). The
                state keeps it: hand over a copy of what will be overwritten.
            direction: what the optimizer will step along at this update, of the same shape; None
                for the gradient itself, as in gradient descent without momentum.
        """
        gradient, last = observation, state.direction
        norm = math.sqrt(float(gradient @ gradient))
        if state.diverged or not math.isfinite(norm):
            return _diverge(state)
        lr = state.lr
        if last is not None:
            alignment = float(gradient @ last)
            if self.kind == "additive":
                lr = lr + self.beta * alignment
            elif norms := norm * math.sqrt(float(last @ last)):
                lr = lr * (1 + self.beta * alignment / norms)
            lr = max(lr, self.min_lr)
            lr = lr if self.max_lr is None else min(lr, self.max_lr)
        if not math.isfinite(lr):
            return _diverge(state)
        direction = gradient if direction is None else direction
        return HypergradientState(lr, state.updates + 1, None, direction), lr


def from_dict(data: dict[str, Any]) -> Controller:
    """Return the controller that `Controller.to_dict` described.

    Raises:
        ValueError: if the kind is unknown, or if an argument is unknown, missing or out of range.

    Example:
        >>> from_dict({"controller": "ReduceOnPlateau", "lr": 0.1, "patience": 3}).patience
        3
    """
    arguments = dict(data)
    name = arguments.pop("controller", None)
    if name not in _KINDS:
        raise ValueError(f"controller must be one of {', '.join(sorted(_KINDS))}, got {name!r}")
    try:
        return _KINDS[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error
