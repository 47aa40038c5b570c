"""The verdicts of an entry as one chart: a forest plot whose rows are those of a table.

Each tested claim is a row: what is claimed, its verdict, its interval drawn in the unit of the
smallest effect of interest δ and turned into the claimed direction, and the numbers. A screen
reader reads the table, a phone stacks its cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from lrlab.claims import Judged, rules
from lrlab.claims.render import NEAR, css_class, measured
from lrlab.labbook import phrases
from lrlab.labbook.answers import card_link
from lrlab.labbook.ledger import in_words

LEAST, MOST = 3.0, 12.0
"""Half the width of the axis, in units of δ; what lies beyond is drawn at the edge, as an arrow."""

_KINDS = {"descriptive": "measured", "exact": "check"} | dict.fromkeys(rules.TESTED, "tested")
_SHARE = 0.05  # the unit of a proportion, which has no δ
_HEIGHT = 20  # pixels of a row's picture
_BOUND = re.compile(r"\bthan [\d.]+ ?%")  # a statement that names its share itself


def chart(claims: Sequence[Judged], page: str = "", *more: str) -> str:
    """The tested claims of an entry, by family; empty without a tested one.

    Args:
        claims: all claims of an entry.
        page: address of the page that has their cards; empty for this one.
        *more: CSS classes of the table.

    Returns:
        HTML without empty lines.
    """
    tested = [claim for claim in claims if claim.kind in rules.TESTED]
    if not tested:
        return ""
    families = sorted(tested, key=lambda claim: _place(claim, tested))
    reach, names_of = _reach(tested), named(tested)
    parts = [_header(tested)]
    for family, group in groupby(families, key=lambda claim: claim.about.family):
        rows = list(group)
        heading = ""
        if family and len(rows) > 1:
            heading = f'<tr><th colspan="4" scope="rowgroup">{_words(family)}</th></tr>'
        body = "".join(_row(row, reach, page, names_of[row.id]) for row in rows)
        parts.append(f"<tbody>{heading}{body}</tbody>")
    names = " ".join(("lrlab-forest", *more))
    return f'<table class="{names}">{"".join(parts)}</table>'


def turned(claim: Judged) -> tuple[float, float, float]:
    """Estimate and interval of a tested claim, in units of δ, in the claimed direction.

    For an effect 0 is none and 1 is δ; an equivalence holds between -1 and 1; for a proportion 0
    is the threshold and 1 is five in a hundred.
    """
    assert claim.estimate is not None
    low = claim.estimate if claim.low is None else claim.low
    high = claim.estimate if claim.high is None else claim.high
    sign = -1.0 if claim.rule.get("direction") == "less" else 1.0
    origin, unit = 0.0, 1.0
    if claim.kind == "proportion":
        origin, unit = claim.rule["threshold"], _SHARE
    elif claim.kind == "equivalence":
        unit = claim.rule["margin"]
    else:
        unit = claim.rule["delta"] or max(abs(low), abs(high), 1e-12) / 2
    ends = sorted(sign * (end - origin) / unit for end in (low, high))
    return sign * (claim.estimate - origin) / unit, ends[0], ends[1]


def _reach(tested: Iterable[Judged]) -> float:
    """Half the width of the axis: all estimates lie inside, or it is the widest."""
    middles = [abs(turned(claim)[0]) for claim in tested if claim.estimate is not None]
    return min(max(LEAST, 1.2 * max(middles, default=0.0)), MOST)


def _place(claim: Judged, tested: Sequence[Judged]) -> int:
    """Where a claim's family first stands, so that families stay together."""
    families = [other.about.family or other.id for other in tested]
    return families.index(claim.about.family or claim.id)


def _words(family: str) -> str:
    """A family's name as a heading; one that is written like an id loses its hyphens."""
    return escape(family if " " in family else family.replace("-", " "))


def _header(tested: Iterable[Judged]) -> str:
    level = f" ({levels})" if (levels := _levels(tested)) else ""
    axis = (
        '<span class="lrlab-axis" aria-hidden="true"><span>← against</span><span>0</span>'
        "<span>for →</span></span>"
    )
    unit = f"In units of δ (shaded: too small to matter){axis}"
    names = ("Claim", "Verdict", unit, f"Estimate, interval{level}, n")
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _levels(claims: Iterable[Judged]) -> str:
    """The levels of these claims' intervals; empty without any.

    Example:
        >>> from types import SimpleNamespace as Claim
        >>> _levels([Claim(level=0.9916), Claim(level=None), Claim(level=0.95)])
        '95 and 99.2 %'
    """
    found = sorted({claim.level for claim in claims if claim.level is not None})
    return f"{' and '.join(f'{100 * level:.3g}' for level in found)} %" if found else ""


def _row(claim: Judged, reach: float, page: str, statement: str) -> str:
    numbers = phrases.unbroken(f"{phrases.estimate(claim)}, n = {claim.n}")
    return (
        f"{_row_start(claim, page, statement)}"
        f'<td><span class="lrlab-badge {css_class(claim.verdict)}">{claim.verdict}</span></td>'
        f"<td>{_picture(claim, reach)}</td><td>{escape(numbers)}</td></tr>"
    )


def named(claims: Sequence[Judged]) -> dict[str, str]:
    """What is claimed, by id; where several say the same, with what differs in their settings.

    A share says its bound, as on its card: without it "A run ends" might mean all runs, or one.
    """
    stated = {claim.id: _bounded(claim) for claim in claims}
    said = Counter(stated.values())
    settings: dict[str, list[list[str]]] = {}
    for claim in claims:
        settings.setdefault(stated[claim.id], []).append(str(claim.about.setting).split(", "))

    def own(claim: Judged) -> str:
        parts = str(claim.about.setting).split(", ")
        others = settings[stated[claim.id]]
        return ", ".join(part for part in parts if not all(part in other for other in others))

    return {
        claim.id: f"{stated[claim.id].rstrip('.')} ({own(claim)})"
        if said[stated[claim.id]] > 1 and claim.about.setting is not None and own(claim)
        else stated[claim.id]
        for claim in claims
    }


def _bounded(claim: Judged) -> str:
    """The statement of a claim; of a share with the bound that it is held against."""
    if claim.kind != "proportion" or _BOUND.search(claim.statement):
        return claim.statement
    side = "more" if claim.rule["direction"] == "greater" else "less"
    share = f"{100 * claim.rule['threshold']:.3g} %"
    return f"{claim.statement.rstrip('.')}, in {side} than {share} of the {claim.about.replication}"


def _row_start(claim: Judged, page: str, statement: str) -> str:
    """The beginning of a claim's row, with what a script can choose it by."""
    source = escape(claim.source or "")
    return (
        f'<tr class="{css_class(claim.verdict)}" data-verdict="{claim.verdict}" '
        f'data-kind="{_KINDS[claim.kind]}" data-source="{source}">'
        f'<th scope="row"><a href="{page}#claim-{claim.slug}" title="{claim.id}">'
        f"{escape(statement)}</a>{_of_source(claim) if page else ''}</th>"
    )


def _of_source(claim: Judged) -> str:
    """Whose statement it is, and how near to it; for lists apart from the claim's card."""
    if not claim.source:
        return ""
    said = claim.source + NEAR.get(claim.about.like or "", "")
    said += f"; lost or other: {claim.about.lost}" if claim.about.lost else ""
    return f'<p class="lrlab-lost">{escape(said)}</p>'


def _picture(claim: Judged, reach: float) -> str:
    if claim.estimate is None:
        return ""
    middle, low, high = turned(claim)
    zone = (-1.0, 1.0) if claim.kind == "equivalence" else (0.0, 1.0)
    unit = claim.kind == "proportion" or not (claim.rule.get("delta", 1.0))
    zone_at = "" if unit else _rectangle(*zone, reach)
    y = _HEIGHT / 2
    at = [_percent(max(-reach, min(reach, value)), reach) for value in (low, middle, high)]
    arrows = ""  # doubled where the estimate itself lies beyond
    if low < -reach:
        sign = "«" if middle < -reach else "‹"
        arrows += f'<text x="0%" y="{y + 4:g}" text-anchor="end">{sign}</text>'
    if high > reach:
        sign = "»" if middle > reach else "›"
        arrows += f'<text x="100%" y="{y + 4:g}">{sign}</text>'
    point = "" if abs(middle) > reach else f'<circle cx="{at[1]}" cy="{y:g}" r="4"/>'
    return (
        f'<svg class="lrlab-interval" height="{_HEIGHT}" aria-hidden="true" focusable="false">'
        f"{zone_at}"
        f'<line class="lrlab-zero" x1="50%" x2="50%" y1="0" y2="{_HEIGHT}"/>'
        f'<line class="lrlab-whisker" x1="{at[0]}" x2="{at[2]}" '
        f'y1="{y:g}" y2="{y:g}"/>'
        f"{point}{arrows}</svg>"
    )


def _rectangle(low: float, high: float, reach: float) -> str:
    width = 50 * (high - low) / reach
    x = _percent(low, reach)
    return f'<rect class="lrlab-zone" x="{x}" y="0" width="{width:.4g}%" height="{_HEIGHT}"/>'


def _percent(value: float, reach: float) -> str:
    return f"{50 + 50 * value / reach:.4g}%"


def rest(claims: Sequence[Judged], page: str, *more: str) -> str:
    """What an entry measured or checked besides, as tables; empty without such claims.

    Args:
        claims: all claims of an entry.
        page: address of the page that has their cards.
        *more: CSS classes of the tables.
    """
    found, names_of = "", named(claims)
    for kind, title in (("descriptive", "Measured, not tested"), ("exact", "Checks")):
        checks = kind == "exact"
        rows = [
            f"{_row_start(claim, page, names_of[claim.id])}{f'<td>{claim.verdict}</td>' * checks}"
            f"<td>{escape(phrases.unbroken(measured(claim)))}</td></tr>"
            for claim in claims
            if claim.kind == kind
        ]
        names = " ".join(("lrlab-rest", *more))
        columns = (title, *["Verdict"] * checks, "Measured")
        heads = "".join(f'<th scope="col">{name}</th>' for name in columns)
        if rows:
            found += (
                f'<table class="{names}"><thead><tr>{heads}</tr></thead>'
                f"<tbody>{''.join(rows)}</tbody></table>"
            )
    return found


def beside(claims: Iterable[Judged]) -> str:
    """One line that counts what is not in the chart; empty where nothing is."""
    kinds = [claim.kind for claim in claims]
    said = []
    if measured := kinds.count("descriptive"):
        said.append(f"{measured} measurement{'s' * (measured > 1)} without a verdict")
    if checks := kinds.count("exact"):
        said.append(f"{checks} check{'s' * (checks > 1)} of formulas or pinned behaviour")
    if not said:
        return ""
    return f'<p class="lrlab-rests">Beside them: {" and ".join(said)}.</p>'


def rests_on(slugs: Sequence[str], claims: Sequence[Judged]) -> str:
    """What an answer rests on, folded under its verdicts: each claim in words, and what came.

    Args:
        slugs: the claims that the answer names.
        claims: all claims of its entry.

    Returns:
        HTML; empty where the entry has none of them.
    """
    chosen = [claim for slug in slugs for claim in claims if claim.slug == slug]
    if not chosen:
        return ""
    said = named(claims)
    rows = "".join(
        f"<li>{card_link(claim.slug, escape(said[claim.id].rstrip('.')))}: <span "
        f'class="lrlab-inline {css_class(claim.verdict)}">{escape(phrases.inline(claim))}</span>'
        "</li>"
        for claim in chosen
    )
    many = f"{len(chosen)} claim{'s' * (len(chosen) > 1)}"
    levels = f" · intervals of {levels}" if (levels := _levels(chosen)) else ""
    summary = f"The answer rests on {many}: {escape(in_words(chosen))}{levels}"
    return f'<details class="lrlab-rests"><summary>{summary}</summary><ul>{rows}</ul></details>'
