"""Judging the claims of one entry together, and again from what they store.

Holm's procedure, as intervals. The m claims of an entry that are tested (effects, equivalences,
proportions) are put in the order of their p values, smallest first. The k-th is judged by its
interval at alpha / (m - k + 1), where alpha = 0.05 is the error rate of the whole entry. From the
first one that this leaves undecided, the level stays where it is: all later ones are undecided by
it too. So each claim's verdict can be read off the interval shown beside it, and the chance of even
one wrong decision in an entry is at most alpha.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lrlab.claims import rules
from lrlab.claims.claim import Claim, Published


@dataclass(frozen=True)
class Judged:
    """A judged claim: everything that is shown, stored and needed to judge it again.

    Args:
        id: `<notebook>.<slug>`.
        kind: "exact", "effect", "equivalence", "proportion" or "descriptive".
        statement: what is claimed.
        source: key in the bibliography, None for a claim of our own.
        published: the published number or result, if there is one.
        unit: unit of the values.
        data: what was measured.
        rule: the rule's parameters.
        alpha: 1 - level at which it was judged; None for an exact claim.
        holm: {"rank": k, "of": m} in the entry's order; None where nothing is tested.
        n: number of values or trials; None for an exact claim.
        estimate: mean, geometric mean or proportion; None for an exact claim without numbers.
        low: lower end of the interval, None without one.
        high: upper end of the interval, None without one.
        fragile: why a decided verdict does not stand; empty if it does.
        verdict: "supported", "contradicted", "inconclusive", "inconclusive (fragile)" or
            "described".

    Example:
        >>> claim = Claim.exact("half", "Half of one", measured=0.5, expected=1 / 2)
        >>> judge([claim], notebook="demo")[0].verdict
        'supported'
    """

    id: str
    kind: str
    statement: str
    source: str | None
    published: Published
    unit: str
    data: dict[str, Any]
    rule: dict[str, Any]
    alpha: float | None
    holm: dict[str, int] | None
    n: int | None
    estimate: float | None
    low: float | None
    high: float | None
    fragile: list[str]
    verdict: str

    @property
    def slug(self) -> str:
        """The id without its notebook."""
        return self.id.rpartition(".")[2]

    @property
    def level(self) -> float | None:
        """Confidence level of the interval, None without one."""
        if self.alpha is None or self.low is None:
            return None
        return 1 - (2 if self.kind == "equivalence" else 1) * self.alpha

    @property
    def rule_text(self) -> str:
        """The rule in a few plain words."""
        return rules.describe(self.kind, self.rule)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Judged:
        """The claim that `to_dict` wrote."""
        return cls(**d)


def judge(claims: Sequence[Claim], *, notebook: str) -> list[Judged]:
    """Judge the claims of an entry together, by the rules fixed in them.

    Holm's procedure over the tested claims, then fragility: a decided verdict must survive leaving
    out any one value, and, where the runner has run the entry under a foreign processor's profile,
    must have been the same there (it names those that were not in `LRLAB_FRAGILE`).

    Args:
        claims: all claims of the entry; judged as one family.
        notebook: name of the notebook; the first part of the ids.

    Returns:
        The judged claims, in the order given.

    Raises:
        ValueError: if two claims have one id.

    Example:
        >>> lower = Claim.effect(
        ...     "lower", "A ends lower than B", direction="less", delta=0.1,
        ...     values=[-0.5, -0.6, -0.55, -0.45, -0.5],
        ... )
        >>> [claim] = judge([lower], notebook="demo")
        >>> claim.id, claim.verdict, round(claim.high, 2)
        ('demo.lower', 'supported', -0.45)
    """
    names = [c.id for c in claims]
    if len(set(names)) != len(names):
        raise ValueError(f"two claims have one id: {sorted(names)}")
    unstable = {i.strip() for i in os.environ.get("LRLAB_FRAGILE", "").split(",") if i.strip()}
    levels = _holm_levels(claims)
    return [
        _settle(claim, f"{notebook}.{claim.id}", *levels[claim.id], unstable) for claim in claims
    ]


def recompute(settled: Mapping[str, Any]) -> str:
    """The verdict that a stored claim's rule gives for its stored values.

    Args:
        settled: a claim as `Judged.to_dict` gives it.

    Returns:
        The verdict, whatever verdict the dict itself holds.

    Example:
        >>> [claim] = judge([Claim.exact("no", "2 is 3", holds=False)], notebook="demo")
        >>> recompute(claim.to_dict() | {"verdict": "supported"})
        'contradicted'
    """
    claim = _claim(settled)
    holm = settled["holm"]
    foreign = {settled["id"]} if FOREIGN in settled["fragile"] else set()
    return _settle(claim, settled["id"], settled["alpha"], holm, foreign).verdict


def rejudge(entry: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Judge all stored claims of one entry again, Holm's order included."""
    claims = {d["id"]: _claim(d) for d in entry}
    levels = _holm_levels(list(claims.values()), ids=list(claims))
    foreign = {d["id"] for d in entry if FOREIGN in d["fragile"]}
    return [_settle(claim, id, *levels[id], foreign) for id, claim in claims.items()]


FOREIGN = "it was another under the profile of a foreign processor"


def _claim(d: Mapping[str, Any]) -> Claim:
    return Claim(
        d["id"].rpartition(".")[2],
        d["kind"],
        d["statement"],
        d["data"],
        d["rule"],
        d["unit"],
        d["source"],
        d["published"],
    )


def _holm_levels(
    claims: Sequence[Claim], ids: Sequence[str] | None = None
) -> dict[str, tuple[float | None, dict[str, int] | None]]:
    """For each id, the alpha it is judged at and its place in Holm's order."""
    named = dict(zip(ids or [c.id for c in claims], claims, strict=True))
    levels: dict[str, tuple[float | None, dict[str, int] | None]] = {
        id: (rules.ALPHA if c.kind == "descriptive" else None, None) for id, c in named.items()
    }
    p = {
        id: rules.p_value(c.kind, c.data, c.rule)
        for id, c in named.items()
        if c.kind in rules.TESTED
    }
    alpha, decided = None, True
    for rank, id in enumerate(sorted(p, key=lambda id: (p[id], id)), start=1):
        if decided:
            alpha = rules.ALPHA / (len(p) - rank + 1)
            decided = p[id] < alpha
        levels[id] = alpha, {"rank": rank, "of": len(p)}
    return levels


def _settle(
    claim: Claim,
    id: str,
    alpha: float | None,
    holm: dict[str, int] | None,
    unstable: set[str],
) -> Judged:
    kind, data, rule = claim.kind, claim.data, claim.rule
    level = rules.ALPHA if alpha is None else alpha
    found = rules.interval(kind, data, rule, level)
    verdict = rules.verdict(kind, data, rule, level)
    fragile = []
    if verdict in (rules.SUPPORTED, rules.CONTRADICTED):
        turned = rules.turned_by(kind, data, rule, level)
        if turned:
            what = (
                " or ".join(("a success", "a failure")[i] for i in turned)
                if kind == "proportion"
                else "value " + " or ".join(str(i + 1) for i in turned)
            )
            fragile.append(f"it turns when {what} is left out")
        if id in unstable:
            fragile.append(FOREIGN)
        if fragile:
            verdict = rules.FRAGILE
    return Judged(
        id=id,
        kind=kind,
        statement=claim.statement,
        source=claim.source,
        published=claim.published,
        unit=claim.unit,
        data=data,
        rule=rule,
        alpha=alpha,
        holm=holm,
        n=rules.size(kind, data),
        estimate=_estimate(kind, data) if found is None else found.estimate,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        fragile=fragile,
        verdict=verdict,
    )


def _estimate(kind: str, data: dict[str, Any]) -> float | None:
    if kind == "exact":
        return data["measured"][0] if len(data.get("measured", [])) == 1 else None
    return data["values"][0] if kind != "proportion" else None
