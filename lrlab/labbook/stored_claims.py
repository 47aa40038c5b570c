"""Stored claims, judged again by the version of the rules that judged it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrlab.claims import Claim, Judged, rules
from lrlab.claims.judge import judge_at, judge_together

__all__ = ["recompute", "rejudge", "unknown"]

Stored = Mapping[str, Any]
_KNOWN = {rules.VERSION: rules}


def unknown(claims: Iterable[Any]) -> str:
    """What is said of claims that a version of the rules judged that this package doesn't know.

    Args:
        claims: stored claims; what is no claim is passed over.

    Returns:
        Half a sentence; empty if every version is known.

    Example:
        >>> unknown([{"rules": 99}])
        'were judged by version 99 of the rules, and this package knows version 3'
    """
    versions = [claim.get("rules", 1) for claim in claims if isinstance(claim, Mapping)]
    others = [version for version in versions if version not in list(_KNOWN)]
    if not others:
        return ""
    known = " and ".join(map(str, sorted(_KNOWN)))
    said = f"version {others[0]!r} of the rules, and this package knows version {known}"
    return f"were judged by {said}"


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
    by = _KNOWN[stored["rules"]]
    return judge_at(stored["alpha"], _claim(stored), stored["id"], by=by).verdict


def rejudge(entry: Sequence[Stored]) -> list[Judged]:
    """Judge all stored claims of one entry again, by their version of the rules, levels included.

    Args:
        entry: the stored claims, as `lrlab.claims.Judged.to_dict` gives them.

    Example:
        >>> from lrlab.claims import judge
        >>> [claim] = judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="d")
        >>> rejudge([claim.to_dict()])[0].verdict
        'supported'
    """
    if not entry:
        return []
    claims = {stored["id"]: _claim(stored) for stored in entry}
    again = {claim.id: claim for claim in judge_together(claims, _KNOWN[entry[0]["rules"]])}
    return [again[stored["id"]] for stored in entry]


def _claim(stored: Stored) -> Claim:
    names = ("kind", "statement", "data", "rule", "unit", "source", "published")
    fields = {name: stored[name] for name in names}
    return Claim(stored["id"].rpartition(".")[2], **fields, about=Judged.from_dict(stored).about)
