"""Judging the claims of one entry together; `lrlab.claims.rules` says how."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self

from lrlab import events
from lrlab.claims import rules, units
from lrlab.claims.claim import Claim, Published
from lrlab.claims.setting import About, Setting

__all__ = ["Judged", "judge"]


@dataclass(frozen=True)
class Judged:
    """A judged claim: everything that is shown, stored and needed to judge it again.

    Args:
        id: `<notebook>.<slug>`.
        kind: "exact", "effect", "equivalence", "proportion" or "descriptive".
        statement: what is claimed, as the notebook says it; `sentence` is what is shown.
        source: key in the bibliography, None for a claim of our own.
        published: the published number or result, if there is one.
        unit: unit of the values.
        data: what was measured.
        rule: the rule's parameters.
        alpha: 1 - level at which it was judged; None for an exact claim.
        n: number of values or trials; None for an exact claim.
        estimate: mean, median, geometric mean or proportion; None for an exact claim.
        low: lower end of the interval, None without one.
        high: upper end of the interval, None without one.
        fragile: why the verdict does not stand: what it hangs on; empty if it does.
        verdict: one of `lrlab.claims.rules.VERDICTS`.
        rules: version of the rules that judged it.
        of: number of tested claims that share the entry's error rate; None if it is not tested.
        method: how the interval was made: "t", "sign" or "exact".
        about: setting, metric, replication, …: see `lrlab.claims.About`.

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
    n: int | None
    estimate: float | None
    low: float | None
    high: float | None
    fragile: list[str]
    verdict: str
    rules: int = rules.VERSION
    of: int | None = None
    method: str | None = None
    about: About = field(default_factory=About)

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

    @property
    def company(self) -> str:
        """How many claims share its error rate, in words; empty if it is alone."""
        if self.of is None or self.of < 2:
            return ""
        return f"one of {self.of} tested claims, which share the entry's 95 %"

    @property
    def sentence(self) -> str:
        """The statement that is shown: setting, claim, and by how much, from claim and rule."""
        return _composed(self)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """The claim that `to_dict` wrote."""
        stored = dict(d["about"])
        setting = stored.get("setting")
        about = About(**stored | {"setting": Setting(**setting) if setting else None})
        return cls(**dict(d) | {"about": about})


def judge(claims: Sequence[Claim], *, notebook: str | None = None) -> list[Judged]:
    """Judge the claims of an entry together, by the rules fixed in them.

    Args:
        claims: all claims of the entry; the tested ones share its error rate.
        notebook: name of the notebook, the first part of the ids; None: the one that runs.

    Returns:
        The judged claims, in the order given.

    Raises:
        ValueError: if two claims have one id.

    Example:
        >>> lower = Claim.effect(
        ...     "lower", "A ends lower than B", direction="less", delta=0.1,
        ...     values=[-0.5, -0.6, -0.55, -0.45, -0.52],
        ... )
        >>> [claim] = judge([lower], notebook="demo")
        >>> claim.id, claim.verdict, round(claim.high, 2)
        ('demo.lower', 'supported', -0.45)
    """
    names = [c.id for c in claims]
    if len(set(names)) != len(names):
        raise ValueError(f"two claims have one id: {sorted(names)}")
    where = notebook or _notebook_name()
    return judge_together({f"{where}.{claim.id}": claim for claim in claims})


def _notebook_name() -> str:
    """Name of the notebook that runs: as its runner says, that of the script, or of the session.

    Where nobody says it, it is "notebook".
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    said = os.environ.get(events.NOTEBOOK) or os.environ.get("JPY_SESSION_NAME")
    if said is None and script is not None and "ipykernel" not in script:
        said = script
    return Path(said).stem if said else "notebook"


def _composed(claim: Judged) -> str:
    """What is shown of a claim: setting, statement, and the difference that its rule asks for.

    Args:
        claim: a judged claim.

    Example:
        >>> about = About(Setting("LeNet on 3,500 digits", "SGD", "165 updates"))
        >>> same = Claim.equivalence(
        ...     "same", "Cosine and linear decay end alike.", margin=0.01, values=[0.0] * 5,
        ...     unit="log ratio of test losses", about=about,
        ... )
        >>> print(_composed(judge([same], notebook="demo")[0]))
        LeNet on 3,500 digits, SGD, 165 updates: Cosine and linear decay end alike, to within 1 %.
    """
    if claim.kind not in rules.TESTED and not claim.about.setting:
        return claim.statement
    said = claim.statement.strip().removesuffix(".")
    before = f"{claim.about.setting}: " if claim.about.setting else ""
    if claim.kind == "effect" and claim.rule["delta"]:
        said += f", by at least {units.at_least(unit=claim.unit, **claim.rule)}"
    elif claim.kind == "equivalence":
        said += f", {units.within(claim.rule['margin'], claim.unit)}"
    elif claim.kind == "proportion":
        side = "more" if claim.rule["direction"] == "greater" else "less"
        share = f"{100 * claim.rule['threshold']:.3g} %"
        said += f", in {side} than {share} of the {claim.about.replication}"
    return f"{before}{said}."


def judge_together(claims: Mapping[str, Claim], by: Any = rules) -> list[Judged]:
    """Judge the claims of one entry, by id, at the level that they share, by a module of rules."""
    tested = sum(claim.kind in rules.TESTED for claim in claims.values())
    found = []
    for id, claim in claims.items():
        of = tested if claim.kind in rules.TESTED else None
        alpha = None if claim.kind == "exact" else rules.ALPHA / (of or 1)
        method = rules.method(claim.kind, claim.data) if of else None
        found.append(judge_at(alpha, claim, id, by=by, of=of, method=method))
    return found


def judge_at(alpha: float | None, claim: Claim, id: str, *, by: Any = rules, **more: Any) -> Judged:
    """Judge one claim at a level, by a module of rules."""
    kind, data, rule = claim.kind, claim.data, claim.rule
    level = rules.ALPHA if alpha is None else alpha
    found = by.interval(kind, data, rule, level)
    verdict = by.verdict(kind, data, rule, level)
    if fragile := by.fragility(kind, data, rule, level):
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
        n=rules.size(kind, data),
        estimate=_estimate(kind, data) if found is None else found.estimate,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        fragile=fragile,
        verdict=by.in_setting(verdict, claim.about.like),
        rules=by.VERSION,
        about=claim.about,
        **more,
    )


def _estimate(kind: str, data: dict[str, Any]) -> float | None:
    if kind == "exact":
        return data["measured"][0] if len(data.get("measured", [])) == 1 else None
    return median(data["values"]) if kind != "proportion" else None
