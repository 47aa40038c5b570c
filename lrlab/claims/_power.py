"""How many repetitions an entry's claims take, said from its pilot study."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from lrlab import display, stats
from lrlab.claims.rules import ALPHA

TARGET = 0.8
"""The power that is asked for, and the level of the upper bound of the spread."""


def power(
    pilot: ArrayLike,
    what: str = "paired difference",
    *,
    used: int,
    beyond: float | None = None,
    within: float | None = None,
    effect: float | None = None,
    tested: int = 1,
    unit: str = "seeds",
) -> None:
    r"""Show in a sentence what a pilot study's spread asks for, and what power was bought.

    The spread that counts is the one-sided 80 % upper bound $s\sqrt{(n-1)/\chi^2_{n-1,0.2}}$ of
    that of the pilot: a spread of few values is small by chance as often as not.

    Args:
        pilot: values of the pilot study, shape (n,), n at least 2; what is not finite is left out.
        what: what the values are.
        used: how many repetitions the experiment has.
        beyond: the δ that a mean has to lie beyond; give this or `within`.
        within: the margin that an equivalence has to lie within.
        effect: the true mean: by default 2δ, or 0 for an equivalence.
        tested: the number of claims that share the entry's error rate.
        unit: the unit of replication, as `About.replication` says it: "seeds", "cells", "pairs".

    Raises:
        ValueError: unless one of `beyond` and `within` is given, and the effect can be shown.

    Example:
        >>> values = [0.1, -0.1, 0.2, 0.0, 0.1]
        >>> power(values, "difference", beyond=0.1, used=8)  # doctest: +NORMALIZE_WHITESPACE
        Pilot study: over 5 seeds the difference has a standard deviation of 0.114, at most 0.178
        with 80 % confidence. For a mean of 0.2 to lie beyond 0.1 with power 0.8 that asks for 27
        seeds; 8 were used, with power 0.28.
    """
    if (beyond is None) == (within is None):
        raise ValueError("give either beyond or within")
    values = np.asarray(pilot, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < 2 or np.ptp(values) == 0:
        display.say(f"Pilot study: too few different values for the spread of the {what}.")
        return
    from scipy.stats import chi2

    n = len(values)
    sd = float(values.std(ddof=1))
    bound = sd * float(np.sqrt((n - 1) / chi2.ppf(1 - TARGET, n - 1)))
    alpha = ALPHA / tested
    if beyond is not None:
        mean = 2 * beyond if effect is None else effect
        room, aim = mean - beyond, f"a mean of {mean:.3g} to lie beyond {beyond:.3g}"
        asked = _seeds(lambda: stats.seeds_for_power(room, bound, TARGET, alpha))
        reached = stats.power(room, bound, used, alpha) if used > 1 else 0.0
    else:
        margin, mean = float(within or 0.0), effect or 0.0
        aim = f"a mean of {mean:.3g} to be shown to lie within ±{margin:.3g}"
        asked = _seeds(
            lambda: stats.seeds_for_equivalence(margin, bound, TARGET, alpha, effect=mean)
        )
        reached = stats.equivalence_power(margin, bound, used, mean, alpha) if used > 1 else 0.0
    if tested > 1:
        aim += f", {tested} claims sharing an error rate of 5 %,"
    display.say(
        f"Pilot study: over {n} {unit} the {what} has a standard deviation of {sd:.3g}, at most "
        f"{bound:.3g} with 80 % confidence. For {aim} with power {TARGET:g} that asks for "
        f"{asked} {unit}; {used} were used, with power {reached:.2f}."
    )


def _seeds(smallest: Callable[[], int]) -> str:
    try:
        return str(smallest())
    except ValueError:  # the effect is no further than its boundary, or the spread is huge
        return "more than 10,000"
