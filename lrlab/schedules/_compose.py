"""Schedules made of pieces: a warmup before any, any after any, and warmup-stable-decay."""

from __future__ import annotations

import dataclasses

import numpy as np

from lrlab.schedules._base import Schedule
from lrlab.schedules._pieces import Rates, Steps, choose, cosine, count_reached, linear, mix


@dataclasses.dataclass(frozen=True)
class Warmup(Schedule):
    r"""A rise in front of another schedule, which then starts at its own step 0.

    $$\eta_t = \begin{cases}
    \eta_s + (s(0) - \eta_s)\, t / w & \text{linear},\ t < w \\
    \eta_s \left(s(0) / \eta_s\right)^{t / w} & \text{exponential},\ t < w \\
    s(t - w) & t \ge w
    \end{cases}$$

    The horizon includes the warmup: ``Warmup(Cosine(0.1, steps=900), warmup_steps=100)`` spans
    1,000 updates. The first update of a warmup from 0 has the rate 0, as in the other libraries;
    give a ``start_lr`` where that is a waste (Goyal et al., 2017, arXiv:1706.02677).

    Args:
        then: the schedule to warm up for, s.
        warmup_steps: length of the rise, w ≥ 0 [steps].
        start_lr: first rate η_s ≥ 0; > 0 for an exponential rise.
        kind: "linear" or "exponential".

    Raises:
        ValueError: if an argument is out of its range, or if the start rate is above s(0).

    Example:
        >>> from lrlab.schedules import Linear
        >>> schedule = Warmup(Linear(1.0, end_lr=0.0, steps=4), warmup_steps=2)
        >>> schedule.horizon
        6
        >>> schedule([0, 1, 2, 3, 6])
        array([0.  , 0.5 , 1.  , 0.75, 0.  ])
    """

    then: Schedule
    warmup_steps: int
    start_lr: float = 0.0
    kind: str = "linear"

    def __post_init__(self) -> None:
        if not isinstance(self.then, Schedule):
            raise ValueError(f"then must be a schedule, got then={self.then!r}")
        self._check_int("warmup_steps", low=0)
        self._check_choice("kind", ("linear", "exponential"))
        self._check_lr("start_lr", zero=self.kind == "linear")
        if self.start_lr > self.then(0):
            raise ValueError(
                f"start_lr must be at most the first rate {self.then(0):g} of what follows, "
                f"got start_lr={self.start_lr}"
            )

    @property
    def horizon(self) -> int | None:
        """Number of updates, the warmup included; None if what follows has no end."""
        horizon = self.then.horizon
        return None if horizon is None else self.warmup_steps + horizon

    def _rise(self, t: Steps) -> Rates:
        peak = self.then(0)
        if self.kind == "linear":
            return linear(self.start_lr, peak, t, self.warmup_steps)
        return self.start_lr * np.power(peak / self.start_lr, t / self.warmup_steps)

    def _rate(self, t: Steps) -> Rates:
        w = self.warmup_steps
        return choose(t < w, t, self._rise, lambda t: self.then._held(t - w))


@dataclasses.dataclass(frozen=True)
class Join(Schedule):
    r"""Schedules one after the other, each starting at its own step 0.

    $$\eta_t = s_i(t - b_i), \qquad b_i \le t < b_{i+1}, \quad b_0 = 0$$

    Args:
        schedules: the schedules s₀, s₁, …
        boundaries: step at which the second, third, … takes over; increasing, one fewer than the
            schedules [steps].

    Raises:
        ValueError: if the boundaries don't increase or are not one fewer than the schedules.

    Example:
        >>> from lrlab.schedules import Constant, Linear
        >>> flat_then_down = Join([Constant(1.0), Linear(1.0, 0.0, steps=2)], boundaries=[3])
        >>> flat_then_down.horizon
        5
        >>> flat_then_down([0, 2, 3, 4, 5])
        array([1. , 1. , 1. , 0.5, 0. ])
    """

    schedules: tuple[Schedule, ...]
    boundaries: tuple[int, ...]

    def __post_init__(self) -> None:
        many = isinstance(self.schedules, (list, tuple))
        if not many or not all(isinstance(item, Schedule) for item in self.schedules):
            raise ValueError(f"schedules must be a list of schedules, got {self.schedules!r}")
        object.__setattr__(self, "schedules", tuple(self.schedules))
        self._check_increasing("boundaries")
        if len(self.schedules) != len(self.boundaries) + 1:
            raise ValueError(
                "boundaries must be one fewer than the schedules, "
                f"got {len(self.boundaries)} boundaries and {len(self.schedules)} schedules"
            )

    @property
    def horizon(self) -> int | None:
        """Number of updates up to the end of the last schedule; None if that has no end."""
        horizon = self.schedules[-1].horizon
        return None if horizon is None else sum(self.boundaries[-1:]) + horizon

    def _rate(self, t: Steps) -> Rates:
        i = count_reached(self.boundaries, t)
        starts = (0, *self.boundaries)
        if not isinstance(t, np.ndarray):
            return self.schedules[i]._held(t - starts[i])
        rates = np.empty(t.shape)
        for j, schedule in enumerate(self.schedules):
            mask = i == j
            rates[mask] = schedule._held(t[mask] - starts[j])
        return rates


@dataclasses.dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    r"""A trapezoid: a linear rise, a long constant part, a short cooldown.

    $$\eta_t = \begin{cases}
    \eta_s + (\eta_0 - \eta_s)\, t / w & t < w \\
    \eta_0 & w \le t < T - c \\
    \eta_T + (\eta_0 - \eta_T)\, f\left(\frac{t - T + c}{c}\right) & t \ge T - c
    \end{cases}$$

    with f(x) = 1 − x ("linear"), (1 + cos πx)/2 ("cosine") or 1 − √x ("1-sqrt"). The constant part
    can be prolonged without starting again, and a cooldown over a tenth to a fifth of the training
    ends about where a cosine does (Hu et al., 2024, arXiv:2404.06395; Hägele et al., 2024,
    arXiv:2405.18392).

    Args:
        peak_lr: rate of the constant part, η₀ > 0.
        steps: horizon T, warmup and cooldown included [steps].
        warmup_steps: length of the rise, w ≥ 0 [steps].
        cooldown_steps: length of the cooldown, c ≥ 0; w + c ≤ T [steps].
        end_lr: rate at the horizon and after it, 0 ≤ η_T ≤ η₀.
        cooldown: "linear", "cosine" or "1-sqrt".
        start_lr: first rate of the rise, 0 ≤ η_s ≤ η₀.

    Raises:
        ValueError: if an argument is out of its range, or if warmup and cooldown overlap.

    Example:
        >>> schedule = WarmupStableDecay(1.0, steps=10, warmup_steps=2, cooldown_steps=4)
        >>> schedule([0, 1, 2, 6, 8, 10])
        array([0. , 0.5, 1. , 1. , 0.5, 0. ])
    """

    peak_lr: float
    steps: int
    warmup_steps: int
    cooldown_steps: int
    end_lr: float = 0.0
    cooldown: str = "linear"
    start_lr: float = 0.0

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("steps")
        self._check_int("warmup_steps", "cooldown_steps", low=0)
        self._check_lr("end_lr", "start_lr", zero=True)
        self._check_choice("cooldown", ("linear", "cosine", "1-sqrt"))
        self._check_below_peak("end_lr", "start_lr")
        if self.warmup_steps + self.cooldown_steps > self.steps:
            raise ValueError(
                f"warmup_steps + cooldown_steps must be at most steps={self.steps}, "
                f"got {self.warmup_steps} + {self.cooldown_steps}"
            )

    def _rate(self, t: Steps) -> Rates:
        w, n = self.warmup_steps, self.cooldown_steps
        begin = self.steps - n

        def rise(t: Steps) -> Rates:
            return linear(self.start_lr, self.peak_lr, t, w)

        def later(t: Steps) -> Rates:
            # Without a cooldown the last rate is the constant one.
            return choose(
                (t < begin) | (n == 0),
                t,
                lambda t: self.peak_lr + 0.0 * t,
                lambda t: self._cool(t - begin, n),
            )

        return choose(t < w, t, rise, later)

    def _cool(self, k: Steps, n: int) -> Rates:
        if self.cooldown == "linear":
            return linear(self.peak_lr, self.end_lr, k, n)
        if self.cooldown == "cosine":
            return cosine(self.peak_lr, self.end_lr, k, n)
        # 1 − √x without cancellation where x nears 1.
        return mix((n - k) / n / (1 + np.sqrt(k / n)), self.peak_lr, self.end_lr)
