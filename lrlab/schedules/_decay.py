"""Schedules that start at the peak and go down once."""

from __future__ import annotations

import dataclasses

import numpy as np

from lrlab.schedules._base import Schedule
from lrlab.schedules._pieces import Rates, Steps, cosine, linear, mix


@dataclasses.dataclass(frozen=True)
class Constant(Schedule):
    r"""The same rate at every step.

    $$\eta_t = \eta$$

    Args:
        lr: the rate, > 0.

    Raises:
        ValueError: if the rate is not positive and finite.

    Example:
        >>> Constant(0.1)(1_000_000)
        0.1
    """

    lr: float

    def __post_init__(self) -> None:
        self._check_lr("lr")

    def _rate(self, t: Steps) -> Rates:
        return self.lr + 0.0 * t


@dataclasses.dataclass(frozen=True)
class Linear(Schedule):
    r"""A straight line from the first rate to the last.

    $$\eta_t = \eta_0 \frac{T - t}{T} + \eta_T \frac{t}{T}$$

    It may rise: then ``peak_lr`` is the first rate, not the largest.

    Args:
        peak_lr: rate of the first step, η₀ ≥ 0.
        end_lr: rate at the horizon and after it, η_T ≥ 0.
        steps: horizon T [steps].

    Raises:
        ValueError: if an argument is out of its range, or if both rates are 0.

    Example:
        >>> Linear(1.0, end_lr=0.5, steps=2)([0, 1, 2, 3])
        array([1.  , 0.75, 0.5 , 0.5 ])
    """

    peak_lr: float
    end_lr: float
    steps: int

    def __post_init__(self) -> None:
        _check_ends(self)

    def _rate(self, t: Steps) -> Rates:
        return linear(self.peak_lr, self.end_lr, t, self.steps)


@dataclasses.dataclass(frozen=True)
class LinearDecayToZero(Schedule):
    r"""A straight line from the peak to zero, which is reached at the horizon and not before.

    $$\eta_t = \eta_0 \left(1 - \frac{t}{T}\right)$$

    The last update, at step T − 1, still has the rate η₀/T. For convex problems it is worst-case
    optimal among all schedules (Defazio et al., 2023, arXiv:2310.07831; Zamani and Glineur, 2023,
    arXiv:2307.11134), and language models profit from going all the way to zero (Bergsma et al.,
    2025, arXiv:2502.15938).

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        steps: horizon T [steps].

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> LinearDecayToZero(1.0, steps=4)([0, 1, 2, 3, 4])
        array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    peak_lr: float
    steps: int

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("steps")

    def _rate(self, t: Steps) -> Rates:
        return self.peak_lr * ((self.steps - t) / self.steps)


@dataclasses.dataclass(frozen=True)
class Polynomial(Schedule):
    r"""A power of what is left of the horizon.

    $$\eta_t = \eta_T + (\eta_0 - \eta_T) \left(1 - \frac{t}{T}\right)^p$$

    Power 1 is `Linear`; 0.9 is customary in segmentation ("poly", Chen et al., 2017,
    arXiv:1606.00915). It may rise: then ``peak_lr`` is the first rate, not the largest.

    Args:
        peak_lr: rate of the first step, η₀ ≥ 0.
        end_lr: rate at the horizon and after it, η_T ≥ 0.
        steps: horizon T [steps].
        power: p > 0.

    Raises:
        ValueError: if an argument is out of its range, or if both rates are 0.

    Example:
        >>> Polynomial(1.0, end_lr=0.0, steps=4, power=2.0)([0, 2, 4])
        array([1.  , 0.25, 0.  ])
    """

    peak_lr: float
    end_lr: float
    steps: int
    power: float = 1.0

    def __post_init__(self) -> None:
        _check_ends(self)
        self._check_float("power", open_low=True)

    def _rate(self, t: Steps) -> Rates:
        weight = np.power((self.steps - t) / self.steps, self.power)
        return mix(weight, self.peak_lr, self.end_lr)


@dataclasses.dataclass(frozen=True)
class InverseSqrt(Schedule):
    r"""Decay with the square root of time.

    $$\eta_t = \eta_0 \sqrt{\frac{n}{n + t}}$$

    The form η₀/√t is infinite at t = 0; the timescale n is what makes it finite, and n steps after
    the start the rate has fallen by √2. Behind a warmup of n steps this is the schedule of the
    Transformer (Vaswani et al., 2017, arXiv:1706.03762):
    ``Warmup(InverseSqrt(peak_lr, n), warmup_steps=n)``.

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        timescale_steps: n ≥ 1 [steps].
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> InverseSqrt(1.0, timescale_steps=100)([0, 300, 9_900])
        array([1. , 0.5, 0.1])
    """

    peak_lr: float
    timescale_steps: int
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("timescale_steps")
        self._check_int("steps", optional=True)

    def _rate(self, t: Steps) -> Rates:
        # As floats, since t may be near the end of the integers.
        return self.peak_lr * np.sqrt(self.timescale_steps / (t + float(self.timescale_steps)))


@dataclasses.dataclass(frozen=True)
class Cosine(Schedule):
    r"""Half a cosine from the peak to the end rate.

    $$\eta_t = \eta_T + (\eta_0 - \eta_T)\, \frac{1 + \cos(\pi t / T)}{2}$$

    Computed as sin²(π (T − t) / 2T), which has no cancellation near the end: 1 + cos x loses all
    its digits as x nears π. Introduced as one cycle of `CosineRestarts` (Loshchilov and Hutter,
    2017, arXiv:1608.03983).

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        steps: horizon T [steps].
        end_lr: rate at the horizon and after it, 0 ≤ η_T ≤ η₀.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> schedule = Cosine(1.0, steps=100)
        >>> [round(schedule(t), 3) for t in (0, 50, 99, 100, 101)]
        [1.0, 0.5, 0.0, 0.0, 0.0]
        >>> f"{schedule(99):.12e}"
        '2.467198171342e-04'
    """

    peak_lr: float
    steps: int
    end_lr: float = 0.0

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("steps")
        self._check_lr("end_lr", zero=True)
        self._check_below_peak("end_lr")

    def _rate(self, t: Steps) -> Rates:
        return cosine(self.peak_lr, self.end_lr, t, self.steps)


@dataclasses.dataclass(frozen=True)
class Tanh(Schedule):
    r"""A piece of a hyperbolic tangent: long near the peak, then a steep fall, then a short tail.

    $$\eta_t = \eta_T + \frac{\eta_0 - \eta_T}{2}
    \left(1 - \tanh\left(L + (U - L) \frac{t}{T}\right)\right)$$

    The first rate is η₀ only to (1 − tanh L)/2 = 1 − 8e-7, and the last one is above η_T by
    (1 − tanh U)/2 = 0.25 % of the range (with the default bounds). Computed as 1/(1 + exp 2x),
    which has no cancellation (Hsueh et al., 2019, arXiv:1806.01593).

    Args:
        peak_lr: upper asymptote, η₀ > 0.
        steps: horizon T [steps].
        end_lr: lower asymptote, 0 ≤ η_T ≤ η₀.
        lower: argument of the tanh at the first step, L.
        upper: argument of the tanh at the horizon, U > L.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> schedule = Tanh(1.0, steps=100)
        >>> [round(schedule(t), 4) for t in (0, 50, 70, 100)]
        [1.0, 0.982, 0.5, 0.0025]
    """

    peak_lr: float
    steps: int
    end_lr: float = 0.0
    lower: float = -7.0
    upper: float = 3.0

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("steps")
        self._check_lr("end_lr", zero=True)
        self._check_below_peak("end_lr")
        self._check_float("lower", low=-100.0, high=100.0, open_high=False)
        self._check_float("upper", low=self.lower, high=100.0, open_low=True, open_high=False)

    def _rate(self, t: Steps) -> Rates:
        x = linear(self.lower, self.upper, t, self.steps)
        return mix(1 / (1 + np.exp(2 * x)), self.peak_lr, self.end_lr)


def _check_ends(schedule: Linear | Polynomial) -> None:
    schedule._check_lr("peak_lr", "end_lr", zero=True)
    schedule._check_int("steps")
    if schedule.peak_lr == schedule.end_lr == 0:
        raise ValueError("peak_lr and end_lr can't both be 0, got peak_lr=0.0, end_lr=0.0")
