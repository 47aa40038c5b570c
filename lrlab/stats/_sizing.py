"""How many seeds: power of an interval and of an equivalence test, from a pilot's spread."""

from __future__ import annotations

import math
from collections.abc import Callable


def power(effect: float, sd: float, n: int, alpha: float = 0.05) -> float:
    r"""Power of the two-sided t interval to lie beyond a boundary in the right direction.

    $P(T' > t_{n-1,1-\alpha/2})$ with $T'$ noncentral t of $n-1$ degrees and noncentrality
    $\text{effect}\sqrt n/\text{sd}$.

    Args:
        effect: distance of the true mean from the boundary, in the unit of `sd`, positive.
        sd: standard deviation of the paired differences, as seen in a pilot.
        n: number of paired seeds, at least 2.
        alpha: 1 - level of the interval.

    Returns:
        Probability in [0, 1].

    Example:
        >>> round(power(effect=1.0, sd=0.5, n=5), 2)
        0.91
    """
    from scipy import stats

    _check_design(sd, n, alpha)
    critical = stats.t.ppf(1 - alpha / 2, n - 1)
    return float(stats.nct.sf(critical, n - 1, effect * math.sqrt(n) / sd))


def equivalence_power(
    margin: float, sd: float, n: int, effect: float = 0.0, alpha: float = 0.05
) -> float:
    r"""Power of TOST: the chance that the $1-2\alpha$ interval lies within ±margin.

    $\int \left[\Phi\!\big(\tfrac{c(s)-\mu}{\sigma/\sqrt n}\big) -
    \Phi\!\big(\tfrac{-c(s)-\mu}{\sigma/\sqrt n}\big)\right] f(s)\,ds$ with
    $c(s) = \text{margin} - t_{n-1,1-\alpha}\,s/\sqrt n$ and $f$ the density of the sample sd.

    Args:
        margin: half-width of the region of equivalence, in the unit of `sd`.
        sd: standard deviation of the paired differences.
        n: number of paired seeds, at least 2.
        effect: true mean difference, 0 where the two are really equal.
        alpha: level of each one-sided test.

    Returns:
        Probability in [0, 1].

    Example:
        >>> [round(equivalence_power(margin, sd=1.0, n=5), 2) for margin in (1, 1.5, 2)]
        [0.29, 0.74, 0.95]
    """
    from scipy import integrate, stats

    _check_design(sd, n, alpha)
    se, t = sd / math.sqrt(n), stats.t.ppf(1 - alpha, n - 1)

    def inside(chi: float) -> float:
        room = margin - t * se * chi / math.sqrt(n - 1)
        within = stats.norm.cdf((room - effect) / se) - stats.norm.cdf((-room - effect) / se)
        return within * stats.chi.pdf(chi, n - 1)

    largest = margin * math.sqrt(n - 1) / (t * se)
    bulk = float(stats.chi.isf(1e-12, n - 1))
    return float(integrate.quad(inside, 0, min(largest, bulk), limit=200)[0])


def seeds_for_power(
    effect: float, sd: float, target: float = 0.8, alpha: float = 0.05, at_least: int = 5
) -> int:
    """Smallest number of paired seeds whose `power` reaches the target.

    Args:
        effect: distance of the expected mean from the boundary, positive.
        sd: pilot standard deviation of the paired differences.
        target: power to reach, in (0, 1).
        alpha: 1 - level of the interval.
        at_least: never fewer than this.

    Returns:
        Number of seeds.

    Raises:
        ValueError: if the effect is not positive, or 10,000 seeds would not be enough.

    Example:
        >>> seeds_for_power(effect=0.5, sd=0.5)
        10
    """
    if not effect > 0:
        raise ValueError(f"effect must be positive, got effect={effect}")
    return _smallest_n(lambda n: power(effect, sd, n, alpha), target, at_least)


def seeds_for_equivalence(
    margin: float,
    sd: float,
    target: float = 0.8,
    alpha: float = 0.05,
    at_least: int = 5,
    effect: float = 0.0,
) -> int:
    """Smallest number of paired seeds whose `equivalence_power` reaches the target.

    Args:
        margin: half-width of the region of equivalence, positive.
        sd: pilot standard deviation of the paired differences.
        target: power to reach, in (0, 1).
        alpha: level of each one-sided test.
        at_least: never fewer than this.
        effect: true mean difference, less than the margin; 0 where the two are really equal.

    Returns:
        Number of seeds.

    Raises:
        ValueError: if the margin is not positive or not beyond the effect, or 10,000 seeds would
            not be enough.

    Example:
        >>> seeds_for_equivalence(margin=1.0, sd=1.0)
        11
    """
    if not margin > 0:
        raise ValueError(f"margin must be positive, got margin={margin}")
    if not abs(effect) < margin:
        raise ValueError(f"effect must lie within ±margin={margin}, got effect={effect}")
    return _smallest_n(lambda n: equivalence_power(margin, sd, n, effect, alpha), target, at_least)


def _check_design(sd: float, n: int, alpha: float) -> None:
    if not sd > 0:
        raise ValueError(f"sd must be positive, got sd={sd}")
    if n < 2:
        raise ValueError(f"n must be at least 2, got n={n}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must be in (0, 0.5), got alpha={alpha}")


def _smallest_n(power_at: Callable[[int], float], target: float, at_least: int) -> int:
    if not 0 < target < 1:
        raise ValueError(f"target must be in (0, 1), got target={target}")
    low = high = max(2, at_least)
    while power_at(high) < target:
        low, high = high + 1, 2 * high
        if high > 20_000:
            raise ValueError(f"10,000 seeds would not reach a power of {target}")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= target else (middle + 1, high)
    return low
