"""Worst-case guarantees for the last iterate of the subgradient method, by schedule."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True)
class Guarantee:
    r"""What is guaranteed of the last iterate at the best peak rate.

    Args:
        bound: on f(x_T) − f*, in units of D G.
        scale: the factor on the given rates that gives it, in units of D / G.
    """

    bound: float
    scale: float


def guarantee(rates: ArrayLike) -> Guarantee:
    r"""Return the best guarantee for a shape of a schedule, at its own best peak rate.

    For convex f with subgradients (or stochastic ones, in expectation) of norm at most G, and a
    start at distance D from a minimum, all weights w ≥ 0 give

    $$f(x_T) - f^* \le \frac{D^2 + G^2 \sum_t w_t^2}{2 \sum_t w_t}
    \quad\text{with rates}\quad \eta_t = w_t \frac{\sum_{p>t} w_p}{\sum_p w_p} .$$

    Read backwards, the T − 1 rates of a schedule leave one free number α > 0. With u_T = α and
    u_t = u_{t+1} + η_t / u_{t+1}, the best scale makes the guarantee

    $$D G \frac{\sqrt{\alpha^2 + \sum_{t<T} (\eta_t / u_{t+1})^2}}{u_1} ,$$

    of which the minimum over α is returned. No schedule is below D G / √T, which a linear decay
    to zero reaches; no method of this kind can do better (Drori and Teboulle, 2016).

    Args:
        rates: η_1 … η_{T−1}, the rate of each update up to a common factor, shape (T − 1,).

    Returns:
        The bound and the factor.

    Raises:
        ValueError: if a rate is negative or not finite, or none is positive.

    Source:
        Defazio et al. (2023), theorem 1; Zamani and Glineur (2023) for constant and linear.

    Example:
        >>> found = guarantee([3.0, 2.0, 1.0])  # linear to zero, T = 4
        >>> round(found.bound, 9)
        0.5
    """
    from scipy.optimize import minimize_scalar

    steps = _checked(rates)

    def log_bound(log_alpha: float) -> float:
        first, squares = _backwards(steps, math.exp(log_alpha))
        return 0.5 * math.log(squares) - math.log(first)

    middle = 0.5 * math.log(sum(steps) / len(steps))  # rates and α² have the same unit
    found = minimize_scalar(
        log_bound, bounds=(middle - 12, middle + 12), method="bounded", options={"xatol": 1e-10}
    )
    first, squares = _backwards(steps, math.exp(found.x))
    return Guarantee(math.sqrt(squares) / first, 1 / (first * math.sqrt(squares)))


def guarantee_curve(rates: ArrayLike, at: ArrayLike) -> np.ndarray:
    """Return what is guaranteed after each of some numbers of updates, at the rates as they are.

    Args:
        rates: η_1 …, the rate of each update in units of D / G, shape (updates,).
        at: numbers of updates done, each in [1, updates], shape (points,).

    Returns:
        Bounds in units of D G, shape (points,).

    Raises:
        ValueError: as `guarantee`, or if a number of updates is out of range.

    Source:
        As `guarantee`; Schaipp et al. (2025) for reading it as a curve of training.

    Example:
        >>> linear = 0.125 * np.array([3.0, 2.0, 1.0])
        >>> guarantee_curve(linear, [1, 3]).round(3).tolist()
        [0.708, 0.5]
    """
    from scipy.optimize import minimize_scalar

    steps, points = _checked(rates), np.asarray(at)
    if points.ndim != 1 or points.min() < 1 or points.max() > len(steps):
        raise ValueError(f"at must be numbers of updates in [1, {len(steps)}], got at={at}")

    def bound(log_alpha: float, done: int) -> float:
        first, squares = _backwards(steps[:done], math.exp(log_alpha))
        return math.log(0.5 / first**2 + 0.5 * squares)

    curve = []
    for done in points.tolist():
        middle = 0.5 * math.log(sum(steps[:done]) / done)
        found = minimize_scalar(
            bound,
            bounds=(middle - 12, middle + 12),
            args=(done,),
            method="bounded",
            options={"xatol": 1e-8},
        )
        curve.append(math.exp(found.fun))
    return np.array(curve)


def simple_guarantee(rates: ArrayLike) -> Guarantee:
    r"""Return the guarantee in its simple form, without free weights, at the best peak rate.

    With rates η_1 … η_T (the last one is a free parameter, which no iterate has used)

    $$\frac{D^2}{2 \sum_t \eta_t} + \frac{G^2}{2} \left(
    \frac{\sum_t \eta_t^2}{\sum_t \eta_t} + \sum_{k<T} \frac{\eta_k}{\sum_{t>k} \eta_t}
    \frac{\sum_{t \ge k} \eta_t^2}{\sum_{t \ge k} \eta_t} \right) ,$$

    about twice what `guarantee` gives.

    Args:
        rates: η_1 … η_T up to a common factor, the last one positive, shape (T,).

    Returns:
        The bound in units of D G, and the factor in units of D / G.

    Raises:
        ValueError: if a rate is negative or not finite, or the last one is not positive.

    Source:
        Defazio et al. (2023), theorem 10; Schaipp et al. (2025), theorem 1.

    Example:
        >>> round(simple_guarantee([1.0]).bound, 9)
        1.0
    """
    eta = np.array(_checked(rates))
    if not eta[-1] > 0:
        raise ValueError(f"the last rate must be positive, got {eta[-1]}")
    sums, squares = np.cumsum(eta[::-1])[::-1], np.cumsum(eta[::-1] ** 2)[::-1]
    start = 0.5 / sums[0]
    noise = squares[0] / sums[0] + (eta[:-1] / sums[1:] * squares[:-1] / sums[:-1]).sum()
    return Guarantee(2 * math.sqrt(start * noise / 2), math.sqrt(start / (noise / 2)))


def _checked(rates: ArrayLike) -> list[float]:
    eta = np.asarray(rates, dtype=float)
    if eta.ndim != 1 or not (np.isfinite(eta).all() and (eta >= 0).all() and eta.any()):
        raise ValueError(f"rates must be finite, not negative and not all zero, got {rates}")
    return eta.tolist()


def _backwards(rates: list[float], alpha: float) -> tuple[float, float]:
    """Return u_1 and the sum of squares."""
    u, squares = alpha, alpha * alpha
    for rate in reversed(rates):
        weight = rate / u
        squares += weight * weight
        u += weight
    return u, squares
