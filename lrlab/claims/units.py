"""Amounts in the unit of a claim's values; of log ratios in per cent, or as a factor.

A notebook names the unit in words: "log ratio of rates", or "log ratio of rates, less 1.7006" where
the claim is about another ratio than 1 and that was taken off. Nothing else reads these words.
"""

from __future__ import annotations

import math
import re

_TAKEN_OFF = re.compile(r", (?:less|minus) (?:that of )?([\d.]+)( %)?$")
_SHIFT = re.compile(r"(, (less|minus) .*| \([^()]* (added|taken off)\))$")
_FACTOR = math.log(1.95)  # a log ratio from which on a factor is said


def taken_off(unit: str) -> float | None:
    """What was taken off the log ratios that a unit names; None where it names no log ratios.

    Args:
        unit: as a claim names it.

    Example:
        >>> taken_off("log ratio of losses"), taken_off("log ratio of losses, minus 0.005")
        (0.0, 0.005)
        >>> round(taken_off("log ratio of losses, less that of 10 %"), 3)  # log 1.1
        0.095
    """
    if "log ratio" not in unit:
        return None
    found = _TAKEN_OFF.search(unit)
    number = float(found[1]) if found else 0.0
    return math.log1p(number / 100) if found and found[2] else number


def named(unit: str) -> str:
    """A unit with what was taken off in per cent, or as a factor.

    Args:
        unit: as a claim names it.

    Example:
        >>> named("log ratio of rates, less 1.7006")
        'log ratio of rates, less that of a factor of 5.48'
    """
    shift = taken_off(unit)
    return _TAKEN_OFF.sub(f", less that of {amount(shift)}", unit) if shift else unit


def amount(ratio: float) -> str:
    """How far a log ratio is from 0, whatever its sign.

    Args:
        ratio: the logarithm of a ratio.

    Example:
        >>> amount(0.1), amount(-0.1), amount(-0.7)
        ('11 %', '9.5 %', 'a factor of 2.01')
    """
    if abs(ratio) > _FACTOR:
        return f"a factor of {math.exp(abs(ratio)):.3g}"
    return f"{abs(100 * math.expm1(ratio)):.2g} %"


def at_least(delta: float, unit: str, direction: str) -> str:
    """The smallest effect of interest δ as an amount: δ less is fewer per cent than δ more.

    Args:
        delta: at least 0, in the unit.
        unit: as a claim names it.
        direction: "less" or "greater".

    Example:
        >>> at_least(0.1, "log ratio of losses", "less"), at_least(0.1, "of them", "less")
        ('9.5 %', '0.1 of them')
    """
    if taken_off(unit) is None:
        return f"{delta:.3g} {_SHIFT.sub('', unit)}".strip()
    return amount(delta if direction == "greater" else -delta)


def within(margin: float, unit: str) -> str:
    """Where an equivalence must lie; where its unit says what was taken off, that is put back.

    Args:
        margin: half-width of the region, in the unit.
        unit: as a claim names it.

    Example:
        >>> within(0.01, "log ratio of losses"), within(0.6, "log ratio of rates")
        ('to within 1 %', 'to within a factor of 1.82')
        >>> within(0.038, "log ratio of losses, less 0.0576")
        'of 2 % to 10 %'
    """
    middle = taken_off(unit)
    if middle is None:
        return f"to within {margin:.3g} {_SHIFT.sub('', unit)}".strip()
    low, high = middle - margin, middle + margin
    if middle and low > _FACTOR:
        return f"a factor of {math.exp(low):.3g} to {math.exp(high):.3g}"
    if middle:
        return f"of {'−' if low < 0 else ''}{amount(low)} to {amount(high)}"
    alike = amount(low) == amount(high)
    return f"to within {amount(high) if alike else f'a factor of {math.exp(margin):.3g}'}"
