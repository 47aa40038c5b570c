"""Closed-loop learning rates: state and observation in, new state and rate out.

A controller is a frozen value, and its state is another: nothing changes behind the caller's back,
and a state can be kept, compared and gone on from. An observation that is not finite is no bad
epoch: it is a divergence, which the state says from then on, with the rate left where it was.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from lrlab.schedules._control import Controller, ControllerState, diverge, from_dict
from lrlab.schedules._hypergradient import HypergradientDescent, HypergradientState

__all__ = [
    "AfterWarmup",
    "Controller",
    "ControllerState",
    "HypergradientDescent",
    "HypergradientState",
    "PlateauState",
    "ReduceOnPlateau",
    "from_dict",
]


@dataclasses.dataclass(frozen=True)
class PlateauState(ControllerState):
    """State of `ReduceOnPlateau`.

    Args:
        lr: the rate now.
        updates: observations so far.
        diverged_at: number of the first observation that was not finite; None if all were.
        best: best observation so far; None before the first.
        num_bad_epochs: observations since then that were not better.
        cooling: observations still to be passed over after a reduction.
    """

    best: float | None = None
    num_bad_epochs: int = 0
    cooling: int = 0


@dataclasses.dataclass(frozen=True)
class ReduceOnPlateau(Controller):
    r"""Multiply the rate by a factor when a metric has stopped to improve.

    $$\eta \leftarrow \max(\gamma\, \eta,\ \eta_{\min})$$

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
            return diverge(state)
        lr, best, bad, cooling = state.lr, state.best, state.num_bad_epochs, state.cooling
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


@dataclasses.dataclass(frozen=True)
class AfterWarmup(Controller):
    r"""A linear warmup in front of another controller of a metric, such as `ReduceOnPlateau`.

    $$\eta_t = \eta_s + (\eta - \eta_s)\, t / w \quad (t < w), \qquad \eta_t = \eta$$

    with the controller's rate η. What is observed during the warmup does not count.

    Args:
        base: what sets the rate afterwards.
        warmup_steps: length of the rise, w ≥ 1 [updates].
        start_lr: first rate of the rise, 0 ≤ η_s ≤ the controller's first rate.

    Raises:
        ValueError: if an argument is out of its range, or the controller observes gradients.

    Example:
        >>> controller = AfterWarmup(ReduceOnPlateau(0.1, patience=0), warmup_steps=4)
        >>> state = controller.start()
        >>> [round(controller.rate(state, step), 3) for step in range(6)]
        [0.0, 0.025, 0.05, 0.075, 0.1, 0.1]
    """

    base: Controller
    warmup_steps: int
    start_lr: float = 0.0

    observes: ClassVar[str] = "metric"

    def __post_init__(self) -> None:
        if isinstance(self.base, dict):
            object.__setattr__(self, "base", from_dict(self.base))
        if getattr(self.base, "observes", None) != "metric" or self.base.waits:
            raise ValueError(f"base must be a controller of a metric, got base={self.base!r}")
        self._check_int("warmup_steps")
        self._check_float("start_lr", high=self.lr, open_high=False)

    @property
    def waits(self) -> int:  # type: ignore[override]  # of the others it is a constant
        """Updates before the first observation that counts: those of the warmup."""
        return self.warmup_steps

    @property
    def lr(self) -> float:
        """The first rate after the warmup."""
        base: Any = self.base
        return base.lr

    @property
    def metric(self) -> str:
        """Name of the metric to observe."""
        base: Any = self.base
        return base.metric

    def start(self) -> Any:
        """Return the controller's state before the first observation."""
        return self.base.start()

    def resume(self, data: dict[str, Any]) -> Any:
        """Return the controller's state that its ``to_dict`` described."""
        return self.base.resume(data)

    def update(self, state: Any, observation: float) -> tuple[Any, float]:
        """Return the controller's state after an observation, and its rate."""
        return self.base.update(state, observation)

    def rate(self, state: Any, step: int) -> float:
        """Return the rate of update number step + 1, in a state."""
        if step >= self.warmup_steps:
            return state.lr
        return self.start_lr + (state.lr - self.start_lr) * step / self.warmup_steps

    def to_dict(self) -> dict[str, Any]:
        """Return a dict that JSON can hold and `from_dict` reads."""
        return super().to_dict() | {"base": self.base.to_dict()}
