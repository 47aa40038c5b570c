"""The ``inv`` policy of Caffe, which the papers on super-convergence compare with."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lrlab.schedules import Schedule


@dataclasses.dataclass(frozen=True)
class InverseDecay(Schedule):
    r"""Decay with a power of time, slow at first: Caffe's ``inv``.

    $$\eta_t = \eta_0 (1 + \gamma t)^{-p}$$

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        gamma: γ > 0; after 1/γ steps the rate has fallen by the factor 2^p [1/steps].
        power: p > 0.
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> InverseDecay(0.01, gamma=1e-4)([0, 10_000]).round(6)
        array([0.01    , 0.005946])

    Source:
        Jia et al. (2014) for the policy; its LeNet has γ = 1e-4 and p = 0.75.
    """

    peak_lr: float
    gamma: float
    power: float = 0.75
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_float("gamma", open_low=True)
        self._check_float("power", open_low=True)
        self._check_int("steps", optional=True)

    def _rate(self, t: Any) -> Any:
        return self.peak_lr * np.power(1 + self.gamma * t, -self.power)
