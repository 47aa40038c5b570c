"""The rules: from data, rule and level to an interval and a verdict. Nothing else judges.

One level for an entry: each of its m tested claims (effects, equivalences, proportions) is judged
by a simultaneous interval at 1 - α/m, α = 0.05 (an equivalence, as two one-sided tests, at
1 - 2α/m). So verdict, card and figure show the same interval, and the chance of even one wrong
decision in an entry is at most α. For an effect with the smallest effect of interest δ the interval
[L, U] is turned into the claimed direction, and the first row that fits counts:

=================  ================
the interval       verdict
=================  ================
L > δ              supported
-δ < L and U < δ   smaller than δ
U < 0              contradicted
U < δ              not by δ
otherwise          inconclusive
=================  ================

An equivalence is supported if its interval lies within ±δ, "different" if it lies outside. A
proportion's exact interval is held against a threshold. Failing to reject decides nothing, and
neither does an interval of zero width: equal values have no spread to judge a mean by. A verdict
that would be another without one outlier is fragile, an undecided one too.
"""

from __future__ import annotations

from typing import Any

from lrlab import stats

__all__ = ["ALPHA", "CONTRADICTED", "DESCRIBED", "DIFFERENT", "FRAGILE", "GRUBBS", "INCONCLUSIVE"]
__all__ += ["MIN_N", "NOT_BY", "NOT_SEEN", "SEEN", "SMALLER", "SUPPORTED", "TESTED", "VERDICTS"]
__all__ += ["VERSION", "boundary", "level"]

VERSION = 3

SUPPORTED = "supported"
SMALLER = "smaller than δ"
CONTRADICTED = "contradicted"
NOT_BY = "not by δ"
DIFFERENT = "different"
INCONCLUSIVE = "inconclusive"
FRAGILE = "inconclusive (fragile)"
SEEN = "seen here"
NOT_SEEN = "not seen here"
DESCRIBED = "described"
VERDICTS = (
    *(SUPPORTED, SEEN, SMALLER, NOT_BY, CONTRADICTED, DIFFERENT, NOT_SEEN),
    *(INCONCLUSIVE, FRAGILE, DESCRIBED),
)
"""All verdicts, in the order in which they are counted."""

ALPHA = 0.05  # error rate of a whole entry
MIN_N = 5  # with fewer values nothing is decided
GRUBBS = 0.01  # level at which one value counts as an outlier

TESTED = ("effect", "equivalence", "proportion")
"""The kinds that are tested, and share an entry's error rate."""

Data = dict[str, Any]


def level(tested: int, kind: str = "effect") -> float:
    """The confidence level that each of an entry's tested claims is judged at.

    Args:
        tested: number of tested claims of the entry, at least 1.
        kind: "equivalence" for that of an equivalence, which is two one-sided tests.

    Example:
        >>> level(5), level(5, "equivalence")
        (0.99, 0.98)
    """
    return 1 - (2 if kind == "equivalence" else 1) * ALPHA / max(1, tested)


def size(kind: str, data: Data) -> int | None:
    """Number of values or trials; None for an exact claim."""
    if kind == "exact":
        return None
    return data["n"] if kind == "proportion" else len(data["values"])


def method(kind: str, data: Data) -> str:
    """How the interval is made: "t", "sign" (order statistics of the median) or "exact".

    A mean has a t interval unless a pair holds a diverged run, whose loss is that of guessing, or
    fewer than n - 1 of the values differ: then the sign test decides, as the interval of the
    median that inverts it.
    """
    if kind == "proportion":
        return "exact"
    values = data["values"]
    tied = kind in TESTED and len(set(values)) < len(values) - 1
    return "sign" if tied or data.get("diverged") else "t"


def interval(kind: str, data: Data, rule: Data, alpha: float) -> stats.Interval | None:
    """The interval that the rule looks at; None where there is none that could be wrong.

    That is where there are too few values, and where that of a tested claim has no width.
    """
    found = computed(kind, data, rule, alpha)
    return None if found and kind in TESTED and found.low == found.high else found


def computed(kind: str, data: Data, rule: Data, alpha: float) -> stats.Interval | None:
    """The interval, whatever its width; None where there are too few values for one.

    Its level is 1 - alpha; for an equivalence 1 - 2 alpha, as two one-sided tests of level alpha
    have it.
    """
    n = size(kind, data)
    if n is None or n < 1:
        return None
    level = 1 - 2 * alpha if kind == "equivalence" else 1 - alpha
    if kind == "proportion":
        return stats.proportion_interval(data["successes"], n, level, rule["method"])
    if method(kind, data) == "sign":
        try:
            return stats.median_interval(data["values"], level)
        except ValueError:  # too few values for this level
            return None
    if n < 2:
        return None
    if kind == "descriptive" and rule["scale"] == "log":
        return stats.geometric_interval(data["values"], level)
    return stats.mean_interval(data["values"], level)


def verdict(kind: str, data: Data, rule: Data, alpha: float) -> str:
    """What the rule says of these data at this level, before any look at fragility."""
    if kind == "descriptive":
        return DESCRIBED
    if kind == "exact":
        return SUPPORTED if holds(data, rule) else CONTRADICTED
    return read(interval(kind, data, rule, alpha), kind, rule)


def read(found: stats.Interval | None, kind: str, rule: Data) -> str:
    """The verdict of a tested claim by its interval."""
    if found is None or found.n < MIN_N:
        return INCONCLUSIVE
    if kind == "equivalence":
        return _same(found, rule["margin"])
    sign = 1 if rule["direction"] == "greater" else -1
    low, high = sorted((sign * found.low, sign * found.high))
    if kind == "proportion":
        threshold = sign * rule["threshold"]
        if low > threshold:
            return SUPPORTED
        return CONTRADICTED if high < threshold else INCONCLUSIVE
    return _beyond(low, high, rule["delta"])


def _beyond(low: float, high: float, delta: float) -> str:
    """The verdict of an effect, its interval turned into the claimed direction."""
    if low > delta:
        return SUPPORTED
    if -delta < low and high < delta:
        return SMALLER
    if high < 0:
        return CONTRADICTED
    return NOT_BY if high < delta else INCONCLUSIVE


def _same(found: stats.Interval, margin: float) -> str:
    if -margin < found.low and found.high < margin:
        return SUPPORTED
    return DIFFERENT if found.low > margin or found.high < -margin else INCONCLUSIVE


def fragility(kind: str, data: Data, rule: Data, alpha: float) -> list[str]:
    """Why a verdict does not stand: an outlier without which it would be another.

    Grubbs' test at 1 % flags at most one value; the verdict without it, at the same level, must be
    the same, also where it is that nothing is decided. The flag sees little: a value five standard
    deviations away is found in about a tenth of the cases at n = 5 and in six tenths at n = 12, as
    the entry *rules_of_evidence* measures.
    """
    values = data.get("values", [])
    if kind not in TESTED or len(values) < MIN_N or method(kind, data) != "t":
        return []
    flagged = stats.outlier(values, GRUBBS)
    if flagged is None:
        return []
    rest = data | {"values": values[:flagged] + values[flagged + 1 :]}
    without = verdict(kind, rest, rule, alpha)
    if without == verdict(kind, data, rule, alpha):
        return []
    return [
        f"value {flagged + 1} is an outlier (Grubbs, {100 * GRUBBS:g} %); without it: {without}"
    ]


def in_setting(verdict: str, setting: str | None) -> str:
    """The word for a verdict on a source: in a setting that is only like its own, what was seen."""
    if setting != "analogue" or verdict in (INCONCLUSIVE, FRAGILE, DESCRIBED):
        return verdict
    return SEEN if verdict == SUPPORTED else NOT_SEEN


def describe(kind: str, rule: Data) -> str:
    """The rule in a few plain words."""
    if kind == "exact":
        tolerance = rule.get("tolerance", 0.0)
        return f"holds to within {tolerance:g}" if tolerance else "holds exactly"
    if kind == "descriptive":
        return "measured, not tested"
    if kind == "equivalence":
        return f"interval within ±{rule['margin']:.4g} supports, wholly outside: different"
    beyond, short = ("above", "below") if rule["direction"] == "greater" else ("below", "above")
    number = f"{boundary(rule, kind):.4g}".replace("-", "−")
    if kind == "proportion":
        return f"interval {beyond} {number} supports, wholly {short} it contradicts"
    if not rule["delta"]:
        return f"interval {beyond} 0 supports, wholly {short} it contradicts"
    return (
        f"interval {beyond} {number} supports; within ±{rule['delta']:.4g}: smaller than δ; "
        f"wholly {short} 0 contradicts"
    )


def boundary(rule: Data, kind: str = "effect") -> float:
    """The value that an interval must lie beyond: ±δ, or a proportion's threshold.

    Args:
        rule: of the claim.
        kind: of the claim.

    Example:
        >>> boundary({"direction": "less", "delta": 0.1})
        -0.1
    """
    if kind == "proportion":
        return rule["threshold"]
    return rule["delta"] if rule["direction"] == "greater" else 0.0 - rule["delta"]


def holds(data: Data, rule: Data) -> bool:
    """Whether an exact claim holds."""
    if "holds" in data:
        return bool(data["holds"])
    pairs = zip(data["measured"], data["expected"], strict=True)
    return all(m == e or abs(m - e) <= rule["tolerance"] for m, e in pairs)
