"""Gradient descent on the learning rate itself."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from lrlab.schedules._control import Controller, ControllerState, diverge


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

    $$\eta_t = \eta_{t-1} + \beta\, g_t \cdot u_{t-1}
    \quad \text{("additive")}, \qquad
    \eta_t = \eta_{t-1} \left(1 + \beta\,
    \frac{g_t \cdot u_{t-1}}{\lVert g_t \rVert \lVert u_{t-1} \rVert}\right)
    \quad \text{("multiplicative")}$$

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
            return diverge(state)
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
            return diverge(state)
        direction = gradient if direction is None else direction
        return HypergradientState(lr, state.updates + 1, None, direction), lr
