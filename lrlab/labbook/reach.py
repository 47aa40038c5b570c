"""What a number of repetitions can show where no pilot study says how far they spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lrlab import stats
from lrlab.claims.rules import ALPHA
from lrlab.labbook.phrases import plain

_POWER = 0.8


def of_share(
    n: int,
    what: str,
    *,
    level: float,
    threshold: float = 0.5,
    direction: str = "greater",
    true: Sequence[float] = (0.9, 0.95),
) -> str:
    """Say how many of n must agree for a share beyond a threshold, and how often they will.

    The count is binomial, so that its power hangs on the true share alone: there is no spread that
    a pilot study could find.

    Args:
        n: number of repetitions.
        what: what they are, in the plural.
        level: of the exact (Clopper-Pearson) interval that decides.
        threshold: the share, in (0, 1).
        direction: "greater" or "less" than the threshold.
        true: shares for which the power is said.

    Example:
        >>> print(of_share(12, "runs", level=0.99))  # doctest: +NORMALIZE_WHITESPACE
        A share above 50 % is shown by 11 or more of 12 runs (99 % interval; 12 of 12: 64 to 100 %),
        with power 0.66 where the true share is 90 %, 0.88 where it is 95 %.
        >>> print(of_share(4, "runs", level=0.99))  # doctest: +NORMALIZE_WHITESPACE
        A share above 50 % can't be shown by 4 runs (99 % interval; 4 of 4: 27 to 100 %).
    """
    from scipy.stats import binom

    if not n:
        return f"There are no {what}, so that nothing can be shown of a share of them."
    above = direction == "greater"

    def shows(count: int) -> bool:
        found = stats.proportion_interval(count, n, level)
        return found.low > threshold if above else found.high < threshold

    share = f"A share {'above' if above else 'below'} {100 * threshold:g} %"
    most = n if above else 0
    clear = stats.proportion_interval(most, n, level)
    interval = (
        f"({100 * level:.3g} % interval; {most} of {n}: {100 * clear.low:.0f} to "
        f"{100 * clear.high:.0f} %)"
    )
    counts = [count for count in range(n + 1) if shows(count)]
    if not counts:
        return f"{share} can't be shown by {n} {what} {interval}."
    least = counts[0] if above else counts[-1]
    powers = [binom.sf(least - 1, n, p) if above else binom.cdf(least, n, p) for p in true]
    said = ", ".join(
        f"{power:.2f} where {'it' if k else 'the true share'} is {100 * p:g} %"
        for k, (power, p) in enumerate(zip(powers, true, strict=True))
    )
    asked = f"{least} or {'more' if above else 'fewer'} of {n} {what}"
    return f"{share} is shown by {asked} {interval}, with power {said}."


def of_mean(
    n: int,
    what: str,
    *,
    tested: int,
    beyond: float | None = None,
    within: float | None = None,
    effect: float | None = None,
    unit: str = "seeds",
) -> str:
    """Say how far repetitions may spread for n of them to decide about a mean with power 0.8.

    Args:
        n: number of repetitions, at least 2.
        what: what is averaged.
        tested: the number of claims that share the entry's error rate.
        beyond: the δ that the mean has to lie beyond; give this or `within`.
        within: the margin that an equivalence has to lie within.
        effect: the true mean: by default 2δ, or 0 for an equivalence.
        unit: the unit of replication, in the plural.

    Raises:
        ValueError: unless one of `beyond` and `within` is given.

    Example:
        >>> print(  # doctest: +NORMALIZE_WHITESPACE
        ...     of_mean(8, "regret", tested=6, beyond=0.01, unit="sweeps")
        ... )
        Regret: 8 sweeps show with power 0.8 that a mean of 0.02 lies beyond 0.01 where sweeps have
        a standard deviation of at most 0.0061.
    """
    if (beyond is None) == (within is None):
        raise ValueError("give either beyond or within")
    alpha = ALPHA / tested
    if beyond is not None:
        mean = 2 * beyond if effect is None else effect
        room, aim = mean - beyond, f"lies beyond {beyond:.3g}"
        largest = _largest(lambda sd: stats.power(room, sd, n, alpha), room)
    else:
        margin, mean = float(within or 0.0), effect or 0.0
        aim = f"lies within ±{margin:.3g}"
        largest = _largest(
            lambda sd: stats.equivalence_power(margin, sd, n, mean, alpha), margin - abs(mean)
        )
    return plain(
        f"{what[0].upper()}{what[1:]}: {n} {unit} show with power {_POWER:g} that a mean of "
        f"{mean:.3g} {aim} where {unit} have a standard deviation of at most {largest:.2g}."
    )


def _largest(power: Callable[[float], float], room: float) -> float:
    """The largest spread with that power, which falls with it."""
    low, high = 1e-3 * room, 1e3 * room
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if power(middle) < _POWER else (middle, high)
    return low
