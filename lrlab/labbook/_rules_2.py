"""The second version of the rules, kept as it was: it judges the entries that it made.

It differs from that of today in two points: it passed an interval of zero width, and it did not ask
of an undecided verdict whether it hangs on one value.
"""

from __future__ import annotations

from lrlab.claims import rules
from lrlab.claims.rules import INCONCLUSIVE, TESTED, Data, in_setting
from lrlab.claims.rules import computed as interval

__all__ = ["VERSION", "fragility", "in_setting", "interval", "verdict"]

VERSION = 2


def verdict(kind: str, data: Data, rule: Data, alpha: float) -> str:
    """What the rule says of these data at this level, before any look at fragility."""
    if kind not in TESTED:
        return rules.verdict(kind, data, rule, alpha)
    return rules.read(interval(kind, data, rule, alpha), kind, rule)


def fragility(kind: str, data: Data, rule: Data, alpha: float) -> list[str]:
    """Why a decided verdict does not stand: an outlier without which it would be another."""
    if verdict(kind, data, rule, alpha) == INCONCLUSIVE:
        return []
    return rules.fragility(kind, data, rule, alpha)
