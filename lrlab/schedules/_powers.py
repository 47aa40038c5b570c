"""Schedules that are multiplied by a factor again and again, in stairs or smoothly."""

from __future__ import annotations

import dataclasses

import numpy as np

from lrlab.schedules._base import Schedule
from lrlab.schedules._pieces import Rates, Steps, count_reached


class _Powers(Schedule):
    """A power of gamma, times the first rate."""

    peak_lr: float
    gamma: float

    def _power(self, n: Steps) -> Rates:
        if self.gamma <= 1:
            return self.peak_lr * self._raised(n)
        with np.errstate(over="ignore"):
            return self.peak_lr * self._raised(n)

    def _raised(self, n: Steps) -> Rates:
        if isinstance(n, np.ndarray) and n.ndim:
            return np.power(self.gamma, n * 1.0)
        # As an array of one: NumPy may round a lone number's power another way than an array's.
        return np.power(self.gamma, (n * 1.0,)).item()

    def _check_powers(self) -> None:
        self._check_lr("peak_lr")
        self._check_float("gamma", open_low=True)
        self._check_int("steps", optional=True)


@dataclasses.dataclass(frozen=True)
class StepDecay(_Powers):
    r"""A staircase: the rate is multiplied by gamma every so many steps.

    $$\eta_t = \eta_0\, \gamma^{\lfloor t / n \rfloor}$$

    With gamma > 1 it is a rising staircase, such as a coarse range test: ``peak_lr`` is then the
    first rate, not the largest.

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        gamma: factor γ > 0 at each stair.
        every_steps: width of a stair, n ≥ 1 [steps].
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> StepDecay(1.0, gamma=0.5, every_steps=2)([0, 1, 2, 3, 4])
        array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    peak_lr: float
    gamma: float
    every_steps: int
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_powers()
        self._check_int("every_steps")

    def _rate(self, t: Steps) -> Rates:
        return self._power(t // self.every_steps)


@dataclasses.dataclass(frozen=True)
class MultiStep(_Powers):
    r"""A staircase with stairs of any width: the rate is multiplied by gamma at each milestone.

    $$\eta_t = \eta_0\, \gamma^{\#\{m \in M :\ m \le t\}}$$

    Used for residual networks, with milestones at a half and three quarters of the training (He et
    al., 2016, arXiv:1512.03385). For other factors at each milestone join `Constant` schedules.

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        milestones: increasing steps M at which the rate changes, each ≥ 1 [steps].
        gamma: factor γ > 0 at each milestone.
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range, or if the milestones don't increase.

    Example:
        >>> MultiStep(1.0, milestones=(2, 3), gamma=0.1)([0, 1, 2, 3])
        array([1.  , 1.  , 0.1 , 0.01])
    """

    peak_lr: float
    milestones: tuple[int, ...]
    gamma: float = 0.1
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_powers()
        self._check_increasing("milestones")

    def _rate(self, t: Steps) -> Rates:
        return self._power(count_reached(self.milestones, t))


@dataclasses.dataclass(frozen=True)
class Exponential(_Powers):
    r"""Exponential decay: the rate is multiplied by gamma over every so many steps, smoothly.

    $$\eta_t = \eta_0\, \gamma^{t / n}$$

    With gamma > 1 it is the ramp of a range test: ``peak_lr`` is then the first rate, not the
    largest.

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        gamma: factor γ > 0 over ``every_steps`` steps.
        every_steps: n ≥ 1 [steps]; the steps of an epoch if gamma is a factor per epoch.
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> Exponential(1.0, gamma=0.25, every_steps=2)([0, 1, 2])
        array([1.  , 0.5 , 0.25])
    """

    peak_lr: float
    gamma: float
    every_steps: int = 1
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_powers()
        self._check_int("every_steps")

    def _rate(self, t: Steps) -> Rates:
        return self._power(t / self.every_steps)
