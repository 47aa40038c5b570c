"""What was found, in the words of an answer's sentences: with its interval."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

from lrlab import stats
from lrlab.claims import rules, units
from lrlab.claims.claim import Claim
from lrlab.claims.judge import Judged, judge
from lrlab.claims.render import number

_EXPONENT = re.compile(r"(?<![\w.])(?<!\w-)(\d(?:\.\d+)?)e([-+−]\d\d+)(?!\w)")
_LARGEST, _SMALLEST = 9, -7  # powers of ten that are written out
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNIT_LAST = re.compile(r"(\d)([ \u00a0]\[[^][]{1,40}\](?: \([^()]{1,40}\))?)[ \u00a0]%")


def judged(claims: Sequence[Claim]) -> dict[str, Judged]:
    """Return the claims of an entry as `lrlab.claims.conclude` shows them, by their slugs.

    Args:
        claims: all claims of the entry, as they are handed to `conclude`.

    Example:
        >>> same = Claim.equivalence("same", "A equals B", values=[0.0] * 5, margin=0.1)
        >>> judged([same])["same"].n
        5
    """
    return {claim.slug: claim for claim in judge(claims)}


def change(claim: Judged, lower: str = "lower", higher: str = "higher") -> str:
    """Say a mean log ratio as a change in per cent, with the interval that decided.

    Args:
        claim: a judged claim on log ratios.
        lower: the word where the interval lies below zero.
        higher: the word where it lies above.

    Returns:
        Such as "12 % lower [8, 15]"; where the interval holds zero what the verdict says, such as
        "not clearly different (−1.0 % [−4.1, +3.2])", or "the same to within 1 % (…)".

    Example:
        >>> values = [-0.12, -0.14, -0.13, -0.125, -0.135]
        >>> made = Claim.effect("less", "A is lower", values=values, direction="less")
        >>> change(judged([made])["less"])
        '12 % lower [11, 13]'
    """
    if claim.estimate is None or claim.low is None or claim.high is None:
        return "not known, there are too few runs"
    shift = units.taken_off(claim.unit) or 0.0
    middle, low, high = _changes(*(x + shift for x in (claim.estimate, claim.low, claim.high)))
    if low <= 0 <= high:
        found = _even(claim, higher if claim.rule.get("direction") == "greater" else lower)
        return f"{found} ({_signed(middle)} % [{_signed(low)}, {_signed(high)}])"
    word, ends = (higher, (low, high)) if middle > 0 else (lower, (-high, -low))
    return f"{_plain(abs(middle))} % {word} [{_plain(ends[0])}, {_plain(ends[1])}]"


def _even(claim: Judged, word: str) -> str:
    """What the verdict says of a difference that may be none, whatever the claim's setting."""
    found = rules.verdict(claim.kind, claim.data, claim.rule, claim.alpha or rules.ALPHA)
    room = claim.rule.get("margin", claim.rule.get("delta"))
    if found in (rules.SUPPORTED, rules.SMALLER) and room and not claim.fragile:
        return f"the same {units.within(room, claim.unit)}"
    if found == rules.NOT_BY and not claim.fragile:
        return f"not {word} by {units.at_least(unit=claim.unit, **claim.rule)} or more"
    return f"not clearly {'the same or ' * (claim.kind == 'equivalence')}different"


def percent(values: ArrayLike, level: float) -> str:
    """Return the mean of log ratios in per cent, with its t interval.

    Args:
        values: log ratios, one a seed, shape (n,), n at least 2.
        level: of the interval, such as `claims.level(6)`: the one that decides.

    Returns:
        With one decimal; with two where the interval is narrower than a per cent.

    Example:
        >>> print(percent([0.01, 0.02, 0.03], 0.95))
        +2.0 % [−0.5, +4.6]
        >>> print(percent([0.001, 0.002, 0.003], 0.95))
        +0.20 % [−0.05, +0.45]
    """
    found = stats.mean_interval(values, level)
    return _per_cent(found.estimate, found.low, found.high)


def in_percent(values: ArrayLike, level: float) -> stats.Interval:
    """Return the mean of log ratios as a change in per cent: for tables and axes headed "%".

    $100 (e^x - 1)$ of the mean and of the ends of its t interval, which therefore agree with
    what `percent` says.

    Args:
        values: log ratios, one a seed, shape (n,), n at least 2.
        level: of the interval, such as `claims.level(6)`: the one that decides.

    Example:
        >>> print(in_percent([0.01, 0.02, 0.03], 0.95))
        2.02 [-0.483, 4.59] (95 %, n = 3)
    """
    found = stats.mean_interval(values, level)
    return stats.Interval(*_changes(found.estimate, found.low, found.high), level, found.n)


def factor(values: ArrayLike, level: float) -> str:
    """Return the mean of log ratios as a factor, with its t interval.

    Args:
        values: log ratios, one a seed, shape (n,), n at least 2.
        level: of the interval, such as `claims.level(6)`: the one that decides.

    Example:
        >>> factor([0.6, 0.7, 0.8], 0.95)
        '2.01 [1.57, 2.58]'
        >>> factor([6.6, 7.0, 7.4], 0.95)
        '1,100 [406, 2,960]'
    """
    found = stats.mean_interval(values, level)
    ends = (np.exp(end) for end in (found.estimate, found.low, found.high))
    return plain("{:.3g} [{:.3g}, {:.3g}]".format(*ends))


def inline(claim: Judged) -> str:
    """Verdict, estimate with its interval, and n, in a few words inside a sentence.

    A mean log ratio is said as a change in per cent.

    Args:
        claim: a judged claim.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> values = [-0.5, -0.6, -0.55, -0.45, -0.52]
        >>> lower = Claim.effect("lower", "A is lower", direction="less", delta=0.1, values=values)
        >>> [claim] = judge([lower], notebook="d")
        >>> inline(claim).replace("\N{NO-BREAK SPACE}", " ")
        'supported, −0.524 [−0.593, −0.455], n = 5'
    """
    parts = ["measured" if claim.kind == "descriptive" else claim.verdict]
    if claim.low is not None:
        said = claim.kind == "proportion" or units.taken_off(claim.unit) is not None
        unit = "" if said or not claim.unit else f" {claim.unit}"
        parts.append(unit_first(estimate(claim) + unit))
    if claim.n is not None:
        parts.append(f"n = {claim.n}")
    return unbroken(", ".join(parts))


def estimate(claim: Judged) -> str:
    """Estimate and interval without the unit; a log ratio as a change in per cent, or a factor.

    Where the claim is that a log ratio lies beyond a bound, and its unit says what was taken off
    for that ("…, minus 0.005"), it is the ratio itself that is said.

    Args:
        claim: a judged claim.

    Example:
        >>> values = [-0.12, -0.14, -0.13, -0.125, -0.135]
        >>> made = dict(direction="less", delta=0.1, values=values, unit="log ratio of losses")
        >>> estimate(judged([Claim.effect("less", "A is lower", **made)])["less"])
        '−12.2 % [−13.0, −11.3]'
        >>> made["unit"] += ", minus 0.13"
        >>> estimate(judged([Claim.effect("less", "A is lower", **made)])["less"])
        '0.0 % [−1.0, +1.0]'
    """
    if claim.estimate is None or claim.low is None or claim.high is None:
        return plain(number(claim.estimate))
    found = (claim.estimate, claim.low, claim.high)
    shift = units.taken_off(claim.unit)
    if shift is None:
        return plain("{} [{}, {}]".format(*map(number, found)))
    ratios = [x + shift for x in found]
    if ratios[0] > math.log(2):
        return plain("× {:.3g} [{:.3g}, {:.3g}]".format(*map(math.exp, ratios)))
    return _per_cent(*ratios)


def unbroken(text: str) -> str:
    """The same with spaces inside `n = 8`, `95 %`, `× 2` and `[1, 2]` that no line breaks at.

    Args:
        text: one line.

    Example:
        >>> unbroken("at n = 8").split(" ")[0]
        'at'
    """
    whole = re.sub(r"\[[^][]{1,30}\]", lambda found: found[0].replace(" ", "\u00a0"), text)
    whole = whole.replace("n = ", "n\u00a0=\u00a0").replace("× ", "×\u00a0")
    return whole.replace(" %", "\u00a0%")


def plain(text: str) -> str:
    """The same with numbers as people write them, in place of a computer's `1.02e+03`.

    Args:
        text: one line; `1e-3`, which a person wrote, and names that end so, stay.

    Example:
        >>> plain("1.02e+03 [272, 3.83e+03], at −5.3e−05, to within 2.2e-16")
        '1,020 [272, 3,830], at −0.000053, to within 2.2 × 10⁻¹⁶'
    """
    return _EXPONENT.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    power = int(found[2].replace("−", "-"))
    if _SMALLEST < power < _LARGEST:
        return f"{Decimal(found[1]).scaleb(power):,f}"
    raised = f"10{str(power).translate(_RAISED)}"
    return raised if found[1] == "1" else f"{found[1]} × {raised}"


def unit_first(text: str) -> str:
    """The same with a per cent sign behind its number, in place of behind the interval.

    Args:
        text: one line.

    Example:
        >>> unit_first("2.2 [0.3, 4.2] (95 %, n = 8) % at the end")
        '2.2 % [0.3, 4.2] (95 %, n = 8) at the end'
    """
    return _UNIT_LAST.sub(r"\1 %\2", text)


def _plain(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 9.95 else f"{x:.1f}"


def _signed(x: float) -> str:
    return _without_signed_zero(f"{'−' if x < 0 else '+'}{_plain(abs(x))}")


def _without_signed_zero(number: str) -> str:
    return number if re.search("[1-9]", number) else number[1:]


def _changes(*ratios: float) -> list[float]:
    """Log ratios as changes in per cent: the one way in which the book says them."""
    return [100 * math.expm1(ratio) for ratio in ratios]


def _per_cent(estimate: float, low: float, high: float) -> str:
    """Log ratios with one decimal; with two where the interval is narrower than a per cent."""
    ends = _changes(estimate, low, high)
    digits = 2 if ends[2] - ends[1] < 1 else 1
    said = (_without_signed_zero(f"{end:+.{digits}f}".replace("-", "−")) for end in ends)
    return "{} % [{}, {}]".format(*said)
