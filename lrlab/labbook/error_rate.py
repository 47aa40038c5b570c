"""How many verdicts of the whole book may be wrong: the error rate over all entries together.

An entry's tested claims share an error rate of 5 %. Over the book, the directional procedure of
Benjamini and Hochberg gives each claim the smallest rate of false verdicts (of the wrong side or of
none) at which its own would still be among those that stand. Claims that lie very far from the
boundary of their rule were never in doubt and make the rest look better, so that the rate is given
without them too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lrlab.claims import Judged, rules
from lrlab.labbook import p_values
from lrlab.labbook.ledger import Row

FAR = 20.0  # standard errors from its boundary, beyond which a claim was never in doubt


@dataclass(frozen=True)
class ErrorRate:
    """The error rate of a book.

    Args:
        tested: number of tested claims.
        stand: of these, how many verdicts stand at a directional false discovery rate of 5 %.
        near: tested claims within 20 standard errors of their boundary.
        near_stand: of these alone, how many stand.
        entries: number of entries with a tested claim.
        wrong_entries: expected number of entries with a wrong verdict, at most.
    """

    tested: int
    stand: int
    near: int
    near_stand: int
    entries: int
    wrong_entries: float


def error_rate(rows: Sequence[Row]) -> ErrorRate:
    """The error rate of all tested claims of a ledger.

    Args:
        rows: the claims of the entries that count.

    Example:
        >>> error_rate([]).tested
        0
    """
    tested = [row for row in rows if row.claim.kind in rules.TESTED]
    near = [row for row in tested if not _far(row.claim)]
    entries = {row.entry for row in tested}
    return ErrorRate(
        len(tested),
        sum(q < rules.ALPHA for q in q_values([row.claim for row in tested])),
        len(near),
        sum(q < rules.ALPHA for q in q_values([row.claim for row in near])),
        len(entries),
        rules.ALPHA * len(entries),
    )


def q_values(claims: Sequence[Judged]) -> list[float]:
    r"""Directional q values of tested claims, judged together.

    With the two-sided p values in order, $q_{(k)} = \min_{j \ge k} m\,p_{(j)}/j$.

    Args:
        claims: tested claims.

    Returns:
        One q value each, in their order.

    Source:
        Benjamini and Yekutieli (2005), *Journal of the American Statistical Association* 100,
        71-81.
    """
    from scipy.stats import false_discovery_control

    p = [p_value(claim) for claim in claims]
    return [float(q) for q in false_discovery_control(p)] if p else []


def p_value(claim: Judged) -> float:
    """Two-sided p value of a tested claim at the boundary of its rule that lies nearest.

    An effect is held against δ, a proportion against its threshold, an equivalence against the
    nearer margin (twice its one-sided p value). 1 where there are too few values.
    """
    data, rule = claim.data, claim.rule
    if claim.n is None or claim.n < rules.MIN_N:
        return 1.0
    if claim.kind == "proportion":
        return p_values.proportion_p(data["successes"], claim.n, rule["threshold"], rule["method"])
    effect = claim.kind == "effect"
    ends = (rules.boundary(rule),) if effect else (-rule["margin"], rule["margin"])
    if claim.method == "sign":
        return max(_sign_p(data["values"], end) for end in ends)
    if effect:
        return p_values.mean_p(data["values"], *ends)
    mean = sum(data["values"]) / claim.n
    if abs(mean) < rule["margin"]:
        return min(1.0, 2 * p_values.equivalence_p(data["values"], rule["margin"]))
    return p_values.mean_p(data["values"], math.copysign(rule["margin"], mean))


def _sign_p(values: Sequence[float], end: float) -> float:
    from scipy.stats import binomtest

    above = sum(value > end for value in values)
    return float(binomtest(above, len(values), 0.5).pvalue)


def _far(claim: Judged) -> bool:
    """Whether its estimate lies beyond `FAR` standard errors from the boundary of a verdict.

    Where the standard error is zero, it does; what is not tested by a mean does not.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> made = dict(direction="less", delta=0.1, values=[-0.5, -0.6, -0.55, -0.45, -0.52])
        >>> [claim] = judge([Claim.effect("lower", "A is lower", **made)], notebook="demo")
        >>> _far(claim)  # 16.9 standard errors
        False
    """
    rule, values = claim.rule, claim.data.get("values", [])
    if claim.kind not in ("effect", "equivalence") or len(values) < 2:
        return False
    margin = rule.get("margin")
    ends = (rules.boundary(rule),) if margin is None else (-margin, margin)
    away = min(abs(fmean(values) - end) for end in ends)
    return away > FAR * stdev(values) / len(values) ** 0.5
