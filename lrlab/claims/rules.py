"""The rules: from data, rule and level to an interval and a verdict. Nothing else judges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from lrlab import stats

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
INCONCLUSIVE = "inconclusive"
FRAGILE = "inconclusive (fragile)"
DESCRIBED = "described"

ALPHA = 0.05  # error rate of a whole entry
MIN_N = 5  # with fewer values nothing is decided

TESTED = ("effect", "equivalence", "proportion")  # the kinds that Holm's procedure counts

Data = dict[str, Any]


def size(kind: str, data: Data) -> int | None:
    """Number of values or trials; None for an exact claim."""
    if kind == "exact":
        return None
    return data["n"] if kind == "proportion" else len(data["values"])


def interval(kind: str, data: Data, rule: Data, alpha: float) -> stats.Interval | None:
    """The interval that the rule looks at; None where there are too few values for one.

    Its level is 1 - alpha; for an equivalence 1 - 2 alpha, as two one-sided tests of level alpha
    have it.
    """
    n = size(kind, data)
    if kind == "proportion":
        if n == 0:
            return None
        return stats.proportion_interval(data["successes"], n, 1 - alpha, rule["method"])
    if n is None or n < 2:
        return None
    if kind == "descriptive" and rule["scale"] == "log":
        return stats.geometric_interval(data["values"], 1 - alpha)
    level = 1 - 2 * alpha if kind == "equivalence" else 1 - alpha
    return stats.mean_interval(data["values"], level)


def p_value(kind: str, data: Data, rule: Data) -> float:
    """The smallest alpha at which the rule decides either way; 1 where it can't."""
    n = size(kind, data)
    if n is None or n < MIN_N:
        return 1.0
    if kind == "effect":
        return stats.mean_p(data["values"], _boundary(rule))
    if kind == "proportion":
        return stats.proportion_p(data["successes"], n, rule["threshold"], rule["method"])
    margin = rule["margin"]
    inside = stats.equivalence_p(data["values"], margin)
    # One-sided: where the mean is beyond a margin, half the two-sided p value against it.
    mean = sum(data["values"]) / n
    outside = stats.mean_p(data["values"], math.copysign(margin, mean)) / 2
    return min(inside, outside if abs(mean) > margin else 1.0)


def verdict(kind: str, data: Data, rule: Data, alpha: float) -> str:
    """What the rule says of these data at this level, before any look at fragility."""
    if kind == "descriptive":
        return DESCRIBED
    if kind == "exact":
        return SUPPORTED if _holds(data, rule) else CONTRADICTED
    found = interval(kind, data, rule, alpha)
    if found is None or found.n < MIN_N:
        return INCONCLUSIVE
    return _judge(kind, found, rule)


def turned_by(kind: str, data: Data, rule: Data, alpha: float) -> list[int]:
    """Which values, left out one at a time, turn the verdict; empty if it survives each.

    A proportion has no order: its indices are 0 for a success and 1 for a failure left out.
    """
    decided = verdict(kind, data, rule, alpha)
    if kind not in TESTED or decided == INCONCLUSIVE:
        return []
    turned = []
    for index, fewer in _left_out(kind, data):
        found = interval(kind, fewer, rule, alpha)
        if found is None or _judge(kind, found, rule) != decided:
            turned.append(index)
    return turned


def describe(kind: str, rule: Data) -> str:
    """The rule in a few plain words."""
    if kind == "exact":
        tolerance = rule.get("tolerance")
        return f"holds to within {tolerance:g}" if tolerance else "holds exactly"
    if kind == "descriptive":
        return "described, not judged"
    if kind == "equivalence":
        return f"interval within ±{rule['margin']:.4g} supports, wholly outside contradicts"
    boundary = rule["threshold"] if kind == "proportion" else _boundary(rule)
    beyond, short = ("above", "below") if rule["direction"] == "greater" else ("below", "above")
    number = f"{boundary:.4g}".replace("-", "−")
    return f"interval {beyond} {number} supports, wholly {short} it contradicts"


def _boundary(rule: Data) -> float:
    return rule["delta"] if rule["direction"] == "greater" else 0.0 - rule["delta"]


def _judge(kind: str, found: stats.Interval, rule: Data) -> str:
    if kind == "equivalence":
        margin = rule["margin"]
        if -margin < found.low and found.high < margin:
            return SUPPORTED
        return CONTRADICTED if found.low > margin or found.high < -margin else INCONCLUSIVE
    boundary = rule["threshold"] if kind == "proportion" else _boundary(rule)
    above, below = found.low > boundary, found.high < boundary
    if rule["direction"] == "less":
        above, below = below, above
    if above:
        return SUPPORTED
    return CONTRADICTED if below else INCONCLUSIVE


def _holds(data: Data, rule: Data) -> bool:
    if "holds" in data:
        return bool(data["holds"])
    pairs = zip(data["measured"], data["expected"], strict=True)
    return all(m == e or abs(m - e) <= rule["tolerance"] for m, e in pairs)


def _left_out(kind: str, data: Data) -> Iterator[tuple[int, Data]]:
    if kind == "proportion":
        successes, n = data["successes"], data["n"]
        if successes > 0:
            yield 0, {"successes": successes - 1, "n": n - 1}
        if successes < n:
            yield 1, {"successes": successes, "n": n - 1}
        return
    values = data["values"]
    for i in range(len(values)):
        yield i, {"values": values[:i] + values[i + 1 :]}
