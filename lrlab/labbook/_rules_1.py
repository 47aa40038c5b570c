"""The first version of the rules, kept as it was: it judges the entries that it made.

Holm's procedure, as intervals. The m claims of an entry that are tested (effects, equivalences,
proportions) are put in the order of their p values, smallest first. The k-th is judged by its
interval at alpha / (m - k + 1), where alpha = 0.05 is the error rate of the whole entry. From the
first one that this leaves undecided, the level stays where it is: all later ones are undecided by
it too. A decided verdict is fragile if leaving out any one value turns it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from lrlab import stats
from lrlab.claims.rules import (
    ALPHA,
    CONTRADICTED,
    DESCRIBED,
    INCONCLUSIVE,
    MIN_N,
    SUPPORTED,
    TESTED,
    Data,
    boundary,
    holds,
    size,
)
from lrlab.labbook import p_values

VERSION = 1


def interval(kind: str, data: Data, rule: Data, alpha: float) -> stats.Interval | None:
    """The interval that the rule looks at; None where there are too few values for one.

    Its level is 1 - alpha; for an equivalence 1 - 2 alpha, as two one-sided tests of level alpha
    have it.
    """
    n = size(kind, data)
    if kind == "proportion":
        if not n:
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
        return p_values.mean_p(data["values"], boundary(rule))
    if kind == "proportion":
        return p_values.proportion_p(data["successes"], n, rule["threshold"], rule["method"])
    margin = rule["margin"]
    inside = p_values.equivalence_p(data["values"], margin)
    # One-sided: where the mean is beyond a margin, half the two-sided p value against it.
    mean = sum(data["values"]) / n
    outside = p_values.mean_p(data["values"], math.copysign(margin, mean)) / 2
    return min(inside, outside if abs(mean) > margin else 1.0)


def verdict(kind: str, data: Data, rule: Data, alpha: float) -> str:
    """What the rule says of these data at this level, before any look at fragility."""
    if kind == "descriptive":
        return DESCRIBED
    if kind == "exact":
        return SUPPORTED if holds(data, rule) else CONTRADICTED
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


def in_setting(verdict: str, setting: str | None) -> str:
    """The word for a verdict on a source: the same in every setting."""
    return verdict


def describe(kind: str, rule: Data) -> str:
    """The rule in a few plain words."""
    if kind == "exact":
        tolerance = rule.get("tolerance")
        return f"holds to within {tolerance:g}" if tolerance else "holds exactly"
    if kind == "descriptive":
        return "described, not judged"
    if kind == "equivalence":
        return f"interval within ±{rule['margin']:.4g} supports, wholly outside contradicts"
    beyond, short = ("above", "below") if rule["direction"] == "greater" else ("below", "above")
    number = f"{boundary(rule, kind):.4g}".replace("-", "−")
    return f"interval {beyond} {number} supports, wholly {short} it contradicts"


def _judge(kind: str, found: stats.Interval, rule: Data) -> str:
    if kind == "equivalence":
        margin = rule["margin"]
        if -margin < found.low and found.high < margin:
            return SUPPORTED
        return CONTRADICTED if found.low > margin or found.high < -margin else INCONCLUSIVE
    end = boundary(rule, kind)
    above, below = found.low > end, found.high < end
    if rule["direction"] == "less":
        above, below = below, above
    if above:
        return SUPPORTED
    return CONTRADICTED if below else INCONCLUSIVE


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


def levels(claims: Mapping[str, tuple[str, Data, Data]]) -> dict[str, Any]:
    """For each id, the alpha it is judged at and its place in Holm's order.

    Args:
        claims: by id, kind, data and rule.
    """
    found: dict[str, Any] = {
        id: (ALPHA if kind == "descriptive" else None, None) for id, (kind, _, _) in claims.items()
    }
    p = {id: p_value(*claim) for id, claim in claims.items() if claim[0] in TESTED}
    alpha, decided = None, True
    for rank, id in enumerate(sorted(p, key=lambda id: (p[id], id)), start=1):
        if decided:
            alpha = ALPHA / (len(p) - rank + 1)
            decided = p[id] < alpha
        found[id] = alpha, {"rank": rank, "of": len(p)}
    return found


def fragility(kind: str, data: Data, rule: Data, alpha: float) -> list[str]:
    """Why a decided verdict would not stand: each value that turns it when it is left out."""
    turned = turned_by(kind, data, rule, alpha)
    if not turned:
        return []
    names = [("a success", "a failure")[i] if kind == "proportion" else str(i + 1) for i in turned]
    what = ("" if kind == "proportion" else "value ") + " or ".join(names)
    return [f"it turns when {what} is left out"]
