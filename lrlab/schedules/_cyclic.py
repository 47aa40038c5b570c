"""Schedules that go up and down."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lrlab.schedules._base import Schedule
from lrlab.schedules._pieces import Rates, Steps, choose, cosine, count_reached, linear, mix


@dataclasses.dataclass(frozen=True)
class CosineRestarts(Schedule):
    r"""Cosine cycles, each starting at the peak again: stochastic gradient descent with restarts.

    $$\eta_t = \eta_T + (\eta_0 d^i - \eta_T)\, \frac{1 + \cos(\pi k / n_i)}{2},
    \qquad n_i = n_0\, g^i$$

    where step t is step k of cycle i. The end rate is reached at the horizon; before a restart the
    last step of a cycle is one short of it (Loshchilov and Hutter, 2017, arXiv:1608.03983).

    Args:
        peak_lr: rate of the first step, η₀ > 0.
        cycle_steps: length of the first cycle, n₀ ≥ 1 [steps].
        cycles: number of cycles, ≥ 1.
        growth: each cycle is g times as long as the one before, an integer ≥ 1.
        decay: each cycle's peak is d times that of the one before, in (0, 1].
        end_lr: rate that every cycle decays to, at most the last cycle's peak.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> schedule = CosineRestarts(1.0, cycle_steps=2, cycles=2, growth=2, decay=0.5)
        >>> schedule.horizon
        6
        >>> schedule([0, 1, 2, 4, 6]).round(3)
        array([1.  , 0.5 , 0.5 , 0.25, 0.  ])
    """

    peak_lr: float
    cycle_steps: int
    cycles: int
    growth: int = 1
    decay: float = 1.0
    end_lr: float = 0.0

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("cycle_steps", "cycles", "growth")
        self._check_float("decay", open_low=True, high=1.0, open_high=False)
        self._check_lr("end_lr", zero=True)
        last_peak = self.peak_lr * self.decay ** (self.cycles - 1)
        if self.end_lr > last_peak:
            raise ValueError(
                f"end_lr must be at most the last cycle's peak {last_peak:g}, "
                f"got end_lr={self.end_lr}"
            )
        # Doubling cycles are longer than the integers after 63 of them; don't even sum up more.
        if (self.growth > 1 and self.cycles > 63) or self.horizon >= 2**62:
            raise ValueError(f"cycles must end before step 2**62, got cycles={self.cycles}")

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """First steps of the cycles, where they grow."""
        return tuple(self._start(i) for i in range(self.cycles))

    def _start(self, i: int) -> int:
        if self.growth == 1:
            return self.cycle_steps * i
        return self.cycle_steps * ((self.growth**i - 1) // (self.growth - 1))

    @property
    def horizon(self) -> int:
        """Number of updates in all cycles."""
        return self._start(self.cycles)

    def _rate(self, t: Steps) -> Rates:
        n = self.cycle_steps
        if self.growth == 1:
            i = t // n
            # The horizon itself belongs to the last cycle.
            i = i - (i == self.cycles)
            start = n * i
            fade = self._fade(i)
        else:
            i = count_reached(self._starts, t) - 1
            if isinstance(t, np.ndarray):
                start = np.asarray(self._starts)[i]
                fade = self._fade(np.arange(self.cycles))[i]
            else:
                start = self._starts[i]
                fade = self._fade(i)
            n = n + (self.growth - 1) * start  # a geometric series
        return cosine(self.peak_lr * fade, self.end_lr, t - start, n)

    def _fade(self, i: Steps) -> Rates:
        return np.power(self.decay, i * 1.0) if self.decay < 1 else 1.0 + 0.0 * i


@dataclasses.dataclass(frozen=True)
class OneCycle(Schedule):
    r"""One cycle: up from a small rate to the peak, down to a much smaller one.

    $$\eta_t = \begin{cases}
    A(\eta_s, \eta_p, t / w) & t \le w \\
    A(\eta_p, \eta_e, (t - w)/(T - w)) & t > w
    \end{cases}$$

    where A anneals from its first to its second argument along half a cosine or a straight line.
    With three phases the rate comes down to the start rate over another w steps, and from there
    falls to the end rate in a straight line or half a cosine: the form of the paper. Two phases are
    fastai's. The momentum goes the other way (Smith and Topin, 2018, arXiv:1708.07120).

    The peak is at step ``warmup_steps`` exactly and the end rate is reached at step ``steps``.
    PyTorch's ``OneCycleLR`` counts to the last update instead: over N updates with a rise over the
    fraction p it equals ``OneCycle(peak_lr, steps=N - 1, warmup_steps=p * N - 1)``.

    Args:
        peak_lr: largest rate, η_p > 0.
        steps: horizon T [steps].
        warmup_steps: steps to the peak, w ≥ 0 (≥ 1 with three phases); None for 30 % of the
            horizon, rounded [steps].
        start_lr: first rate η_s ≤ η_p; None for η_p/25.
        end_lr: last rate η_e ≤ η_s; None for η_s/10000.
        anneal: "cosine" or "linear".
        phases: 2 or 3.
        min_momentum: momentum at the peak, in [0, 1).
        max_momentum: momentum at the start and at the end, in [0, 1).

    Raises:
        ValueError: if an argument is out of its range, or if the rise (twice the rise, in three
            phases) is not shorter than the horizon.

    Example:
        >>> schedule = OneCycle(1.0, steps=100)
        >>> [round(schedule(t), 6) for t in (0, 30, 65, 100)]
        [0.04, 1.0, 0.500002, 4e-06]
        >>> [round(schedule.momentum(t), 6) for t in (0, 30, 65, 100)]
        [0.95, 0.85, 0.9, 0.95]
    """

    peak_lr: float
    steps: int
    warmup_steps: int | None = None
    start_lr: float | None = None
    end_lr: float | None = None
    anneal: str = "cosine"
    phases: int = 2
    min_momentum: float = 0.85
    max_momentum: float = 0.95

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_int("steps")
        self._check_int("warmup_steps", low=0, optional=True)
        self._check_lr("start_lr", "end_lr", zero=True, optional=True)
        self._check_choice("anneal", ("cosine", "linear"))
        self._check_choice("phases", (2, 3))
        self._check_float("min_momentum", high=1.0)
        self._check_float("max_momentum", high=1.0)
        self._check_below_peak("start_lr")
        start, end = self._ends
        if end > start:
            raise ValueError(f"end_lr must be at most start_lr={start}, got end_lr={end}")
        if self.phases == 3 and self._rise == 0:
            raise ValueError(
                f"warmup_steps must be at least 1 with three phases, got warmup_steps=0, "
                f"steps={self.steps}"
            )
        if (self.phases - 1) * self._rise >= self.steps:
            raise ValueError(
                f"warmup_steps must be less than steps/{self.phases - 1}, "
                f"got warmup_steps={self._rise}, steps={self.steps}"
            )

    @cached_property
    def _rise(self) -> int:
        return round(0.3 * self.steps) if self.warmup_steps is None else self.warmup_steps

    @cached_property
    def _ends(self) -> tuple[float, float]:
        start = self.peak_lr / 25 if self.start_lr is None else self.start_lr
        return start, start / 1e4 if self.end_lr is None else self.end_lr

    def _rate(self, t: Steps) -> Rates:
        start, end = self._ends
        return self._cycle(t, start, self.peak_lr, end)

    def momentum(self, step: int | npt.ArrayLike) -> float | npt.NDArray[np.float64]:
        """Return the momentum that goes with the rate: smallest where the rate is largest.

        Args:
            step: updates done so far; an integer or an array of integers.

        Returns:
            A float for an integer, a float64 array of the same shape for an array.
        """
        return _Momentum(self)(step)

    def _cycle(self, t: Steps, start: float, peak: float, end: float) -> Rates:
        piece = _half_cosine if self.anneal == "cosine" else linear
        w, total = self._rise, self.steps

        def fall(t: Steps) -> Rates:
            return piece(peak, end, t - w, total - w)

        def fall_twice(t: Steps) -> Rates:
            return choose(
                t < 2 * w,
                t,
                lambda t: piece(peak, start, t - w, w),
                lambda t: piece(start, end, t - 2 * w, total - 2 * w),
            )

        after = fall if self.phases == 2 else fall_twice
        return choose(t < w, t, lambda t: piece(start, peak, t, w), after)


def _half_cosine(a: float, b: float, k: Steps, n: int) -> Rates:
    return cosine(a, b, k, n) if a >= b else cosine(b, a, n - k, n)


@dataclasses.dataclass(frozen=True)
class _Momentum(Schedule):
    """The momentum of a one-cycle schedule."""

    cycle: OneCycle

    @property
    def horizon(self) -> int:
        return self.cycle.steps

    def _rate(self, t: Steps) -> Rates:
        low, high = self.cycle.min_momentum, self.cycle.max_momentum
        return self.cycle._cycle(t, high, low, high)


@dataclasses.dataclass(frozen=True)
class Cyclic(Schedule):
    r"""Triangles between a base rate and the peak, again and again.

    $$\eta_t = \eta_b + (\eta_p - \eta_b)\, s\, \Lambda(k)$$

    where Λ rises from 0 to 1 over ``up_steps`` and falls to 0 over ``down_steps``, k is the step
    within cycle c, and s is 1 ("triangular"), 2^(−c) ("triangular2") or γ^t ("exp_range")
    (Smith, 2017, arXiv:1506.01186).

    Args:
        peak_lr: largest rate, η_p > 0.
        base_lr: rate at the start of every cycle, 0 ≤ η_b ≤ η_p.
        up_steps: steps of the rise, ≥ 1 [steps].
        down_steps: steps of the fall, ≥ 1; None for as many as of the rise [steps].
        mode: "triangular", "triangular2" or "exp_range".
        gamma: factor per step of "exp_range", in (0, 1].
        steps: horizon [steps]; None for no end.

    Raises:
        ValueError: if an argument is out of its range, or if gamma is given for another mode.

    Example:
        >>> Cyclic(1.0, base_lr=0.0, up_steps=2, mode="triangular2")([0, 1, 2, 3, 4, 6])
        array([0. , 0.5, 1. , 0.5, 0. , 0.5])
    """

    peak_lr: float
    base_lr: float
    up_steps: int
    down_steps: int | None = None
    mode: str = "triangular"
    gamma: float = 1.0
    steps: int | None = None

    def __post_init__(self) -> None:
        self._check_lr("peak_lr")
        self._check_lr("base_lr", zero=True)
        self._check_int("up_steps")
        self._check_int("down_steps", "steps", optional=True)
        self._check_choice("mode", ("triangular", "triangular2", "exp_range"))
        self._check_float("gamma", open_low=True, high=1.0, open_high=False)
        self._check_below_peak("base_lr")
        if self.gamma != 1 and self.mode != "exp_range":
            raise ValueError(f"gamma is for mode 'exp_range' only, got gamma={self.gamma}")

    def _rate(self, t: Steps) -> Rates:
        up = self.up_steps
        down = up if self.down_steps is None else self.down_steps
        k = t % (up + down)
        weight = choose(k < up, k, lambda k: k / up, lambda k: (up + down - k) / down)
        if self.mode == "triangular2":
            weight = weight * np.power(0.5, t // (up + down) * 1.0)
        elif self.mode == "exp_range":
            weight = weight * np.power(self.gamma, t * 1.0)
        return mix(weight, self.peak_lr, self.base_lr)
