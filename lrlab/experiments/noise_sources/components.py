"""Variance components of a crossed design: how much of the spread comes from which factor."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True)
class Component:
    """One part of a variance with its interval.

    Args:
        estimate: without bias, so that it can come out below zero.
        low: lower end, not below zero.
        high: upper end, not below zero.

    Example:
        >>> Component(estimate=4.0, low=1.0, high=9.0).deviation
        2.0
    """

    estimate: float
    low: float
    high: float

    @property
    def deviation(self) -> float:
        """The standard deviation; zero where the estimate is below zero."""
        return math.sqrt(max(0.0, self.estimate))


@dataclasses.dataclass(frozen=True)
class Crossed:
    """The components of y = μ + row + column + interaction + within.

    Args:
        rows: variance between the rows.
        columns: variance between the columns.
        interaction: what a row and a column have together, and neither has alone.
        within: variance within a cell.
    """

    rows: Component
    columns: Component
    interaction: Component
    within: Component

    def shares(self) -> dict[str, float]:
        """Return each estimate, at least zero, as a share of their sum."""
        parts = {f.name: getattr(self, f.name).deviation ** 2 for f in dataclasses.fields(self)}
        whole = sum(parts.values())
        return {name: part / whole if whole else 0.0 for name, part in parts.items()}


def crossed(values: ArrayLike, level: float = 0.95) -> Crossed:
    r"""Return the variance components of a balanced crossed design with random factors.

    From the mean squares of the analysis of variance,

    $$\hat\sigma^2_r = \frac{M_r - M_{rc}}{JK}, \quad \hat\sigma^2_c = \frac{M_c - M_{rc}}{IK},
    \quad \hat\sigma^2_{rc} = \frac{M_{rc} - M_w}{K}, \quad \hat\sigma^2_w = M_w .$$

    The interval within cells is that of χ²; those of the differences are by the modified
    large-sample method, which needs quantiles of F and covers about what it says.

    Args:
        values: shape (I, J, K): row, column, repetition; each at least 2, all finite.
        level: confidence level of each interval.

    Returns:
        The four components.

    Raises:
        ValueError: if the shape or a value makes no sense.

    Source:
        Burdick and Graybill (1992), *Confidence Intervals on Variance Components*, chapter 3;
        Ting et al. (1990), *Journal of Statistical Computation and Simulation* 35, 135-143.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> row, within = rng.normal(size=(30, 1, 1)), 0.1 * rng.normal(size=(30, 4, 2))
        >>> found = crossed(row + within)
        >>> found.rows.low < 1.0 < found.rows.high, round(found.shares()["rows"], 1)
        (True, 1.0)
    """
    from scipy import stats

    y = np.asarray(values, dtype=float)
    if y.ndim != 3 or min(y.shape) < 2:
        raise ValueError(f"values must have a shape of three numbers from 2 on, got {y.shape}")
    if not np.isfinite(y).all():
        raise ValueError("values must be finite")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got level={level}")
    i, j, k = y.shape
    cell = y.mean(2)
    row, column, mean = cell.mean(1), cell.mean(0), cell.mean()
    degrees = {"r": i - 1, "c": j - 1, "rc": (i - 1) * (j - 1), "w": i * j * (k - 1)}
    squares = {
        "r": j * k * ((row - mean) ** 2).sum(),
        "c": i * k * ((column - mean) ** 2).sum(),
        "rc": k * ((cell - row[:, None] - column + mean) ** 2).sum(),
        "w": ((y - cell[:, :, None]) ** 2).sum(),
    }
    m = {name: float(squares[name] / degrees[name]) for name in squares}
    tail, within = (1 - level) / 2, degrees["w"]

    def difference(first: str, second: str, over: int) -> Component:
        low, high = _ends(m[first], degrees[first], m[second], degrees[second], tail)
        estimate = (m[first] - m[second]) / over
        return Component(estimate, max(0.0, low / over), max(0.0, high / over))

    return Crossed(
        rows=difference("r", "rc", j * k),
        columns=difference("c", "rc", i * k),
        interaction=difference("rc", "w", k),
        within=Component(
            m["w"],
            squares["w"] / float(stats.chi2.isf(tail, within)),
            squares["w"] / float(stats.chi2.ppf(tail, within)),
        ),
    )


def _ends(m1: float, n1: int, m2: float, n2: int, tail: float) -> tuple[float, float]:
    """Return the ends of the interval of E[m1] − E[m2], two mean squares."""
    from scipy import stats

    upper1, lower1 = stats.chi2.isf(tail, n1) / n1, stats.chi2.ppf(tail, n1) / n1
    upper2, lower2 = stats.chi2.isf(tail, n2) / n2, stats.chi2.ppf(tail, n2) / n2
    f, g1, h2 = stats.f.isf(tail, n1, n2), 1 - 1 / upper1, 1 / lower2 - 1
    cross = ((f - 1) ** 2 - (g1 * f) ** 2 - h2**2) / f
    below = (g1 * m1) ** 2 + (h2 * m2) ** 2 + cross * m1 * m2
    f, h1, g2 = stats.f.ppf(tail, n1, n2), 1 / lower1 - 1, 1 - 1 / upper2
    cross = ((1 - f) ** 2 - (h1 * f) ** 2 - g2**2) / f
    above = (h1 * m1) ** 2 + (g2 * m2) ** 2 + cross * m1 * m2
    return (
        m1 - m2 - math.sqrt(max(0.0, float(below))),
        m1 - m2 + math.sqrt(max(0.0, float(above))),
    )
