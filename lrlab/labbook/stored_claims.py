"""Stored claims: read, and judged again, each by the version of the rules that judged it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lrlab.claims import Claim, Judged, rules
from lrlab.claims.judge import judge_at, judge_together
from lrlab.labbook import _rules_1, _rules_2

__all__ = ["read", "recompute", "rejudge", "warned"]

Stored = Mapping[str, Any]
_LATER = {2: _rules_2, rules.VERSION: rules}


@dataclass(frozen=True)
class FirstJudged(Judged):
    """A claim that the first version of the rules judged.

    Args:
        holm: place in Holm's order, {"rank": k, "of": m}.
    """

    rules: int = 1
    holm: dict[str, int] | None = None

    @property
    def rule_text(self) -> str:
        """The rule in a few plain words."""
        return _rules_1.describe(self.kind, self.rule)

    @property
    def company(self) -> str:
        """How many claims share its error rate, in words; empty if it is alone."""
        if self.holm is None or self.holm["of"] < 2:
            return ""
        among = f"one of {self.holm['of']} tested claims of its entry (Holm)"
        return f"{among}, judged at α = {self.alpha:.3g}"

    @property
    def sentence(self) -> str:
        """The statement as the notebook says it."""
        return self.statement

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        later = ("rules", "of", "method", "about")
        return {key: value for key, value in asdict(self).items() if key not in later}


def read(stored: Stored) -> Judged:
    """A claim as it was stored.

    Args:
        stored: a claim as `lrlab.claims.Judged.to_dict` gives it.

    Example:
        >>> from lrlab.claims import judge
        >>> [claim] = judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="d")
        >>> read(claim.to_dict()) == claim
        True
    """
    return (FirstJudged if _version(stored) == 1 else Judged).from_dict(stored)


def recompute(stored: Stored) -> str:
    """The verdict that a stored claim's rule gives for its stored values, at its stored level.

    Args:
        stored: a claim as `lrlab.claims.Judged.to_dict` gives it.

    Returns:
        The verdict, whatever verdict the dict itself holds.

    Example:
        >>> from lrlab.claims import judge
        >>> [claim] = judge([Claim.exact("no", "2 is 3", holds=False)], notebook="demo")
        >>> recompute(claim.to_dict() | {"verdict": "supported"})
        'contradicted'
    """
    claim, alpha = _claim(stored), stored["alpha"]
    if _version(stored) == 1:
        return _first(alpha, claim, stored["id"], stored["holm"]).verdict
    return judge_at(alpha, claim, stored["id"], by=_LATER[_version(stored)]).verdict


def rejudge(entry: Sequence[Stored]) -> list[Judged]:
    """Judge all stored claims of one entry again, each by its own version, levels included.

    Args:
        entry: the stored claims, as `lrlab.claims.Judged.to_dict` gives them.

    Example:
        >>> from lrlab.claims import judge
        >>> [claim] = judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="d")
        >>> rejudge([claim.to_dict()])[0].verdict
        'supported'
    """
    by_version: dict[int, dict[str, Claim]] = {}
    for stored in entry:
        by_version.setdefault(_version(stored), {})[stored["id"]] = _claim(stored)
    again = {
        claim.id: claim
        for version, found in by_version.items()
        for claim in (
            judge_first(found) if version == 1 else judge_together(found, _LATER[version])
        )
    }
    return [again[stored["id"]] for stored in entry]


def warned(claim: Judged) -> Judged:
    """A claim whose undecided verdict hangs on one value as what it is: fragile.

    The rules say it since their third version; a stored claim keeps its own verdict and level, and
    is undecided either way.

    Args:
        claim: a claim that any version judged.
    """
    if claim.verdict != rules.INCONCLUSIVE or claim.alpha is None:
        return claim
    why = rules.fragility(claim.kind, claim.data, claim.rule, claim.alpha)
    return replace(claim, verdict=rules.FRAGILE, fragile=why) if why else claim


def judge_first(claims: Mapping[str, Claim]) -> list[Judged]:
    """Judge the claims of one entry, by id, by the first version of the rules."""
    levels = _rules_1.levels({id: (c.kind, c.data, c.rule) for id, c in claims.items()})
    return [_first(levels[id][0], claim, id, levels[id][1]) for id, claim in claims.items()]


def _first(alpha: float | None, claim: Claim, id: str, holm: dict[str, int] | None) -> Judged:
    return judge_at(alpha, claim, id, by=_rules_1, kept_as=FirstJudged, holm=holm)


def _version(stored: Stored) -> int:
    return stored.get("rules", 1)


def _claim(stored: Stored) -> Claim:
    names = ("kind", "statement", "data", "rule", "unit", "source", "published")
    fields = {name: stored[name] for name in names}
    return Claim(stored["id"].rpartition(".")[2], **fields, about=read(stored).about)
