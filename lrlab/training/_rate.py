"""The learning rate of each update of a run: known beforehand, or set by a controller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from lrlab.schedules import Schedule
from lrlab.schedules.controllers import Controller


class Rate:
    """The rate of a run: of a schedule as an array, of a controller as its state.

    Args:
        source: the schedule or controller.
        steps: number of updates of the run.

    Example:
        >>> from lrlab.schedules import Linear
        >>> rate = Rate(Linear(1.0, end_lr=0.0, steps=4), steps=4)
        >>> [rate.before_update(step, []) for step in range(4)]
        [1.0, 0.75, 0.5, 0.25]
    """

    def __init__(self, source: Schedule | Controller, steps: int) -> None:
        self._controller: Controller | None = None
        self._observes_gradients = False
        if isinstance(source, Controller):
            self._controller, self._state = source, source.start()
            self._observes_gradients = source.observes == "gradient"
        else:
            self._rates = source(np.arange(steps)).tolist()
        self._weights: torch.Tensor | None = None
        self._updates = 0

    def before_update(self, step: int, parameters: Sequence[nn.Parameter]) -> float:
        """Return the rate of the next update; the parameters hold its gradients."""
        if self._controller is None:
            return self._rates[step]
        if self._observes_gradients:
            gradient = parameters_to_vector(
                [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
            )
            self._state, _ = self._controller.update(self._state, gradient)
            self._weights = parameters_to_vector(parameters).detach()
        self._updates = step + 1
        return self._controller.rate(self._state, step)

    def after_update(self, parameters: Sequence[nn.Parameter]) -> None:
        """Note what the optimizer has stepped along, momentum and scaling included."""
        if self._weights is not None and self._state.lr > 0:
            moved = (self._weights - parameters_to_vector(parameters).detach()) / self._state.lr
            self._state = dataclasses.replace(self._state, direction=moved)

    def after_evaluation(self, metrics: Mapping[str, float]) -> None:
        """Show the metrics to a controller that watches one.

        Raises:
            KeyError: naming the metrics there are.
        """
        if self._controller is None or self._observes_gradients:
            return
        watching: Any = self._controller
        name = watching.metric
        if name not in metrics:
            raise KeyError(f"no metric {name!r} to observe; there are {', '.join(metrics)}")
        if self._updates >= self._controller.waits:
            self._state, _ = self._controller.update(self._state, metrics[name])

    @property
    def diverged(self) -> bool:
        """Whether a controller met something that is not finite."""
        return self._controller is not None and self._state.diverged

    def state_dict(self) -> dict[str, Any]:
        """Return the controller's state; empty for a schedule, which has none."""
        return {} if self._controller is None else self._state.to_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        if self._controller is not None:
            self._state = self._controller.resume(state)
