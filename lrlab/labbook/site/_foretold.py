"""What became of an entry's prediction, beside its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lrlab.claims import Judged
from lrlab.labbook.answers import card_link
from lrlab.labbook.entries.markup import prose
from lrlab.labbook.grades import graded
from lrlab.labbook.predictions import chance_of
from lrlab.labbook.site._verdicts import named


def what_came(header: Mapping[str, Any], claims: Sequence[Judged]) -> str:
    """The prediction's sentences, or its probabilities, with what came, as a Markdown table.

    Args:
        header: what the entry's notebook says of itself: `foretold` or `predictions`.
        claims: the claims of the entry.

    Returns:
        A table; empty where nothing was foretold.
    """
    verdicts = {claim.slug: claim.verdict for claim in claims}
    if sentences := header.get("foretold"):
        known = {claim.slug: claim for claim in claims}
        rows = [
            (prose(one["says"]), _linked(graded(one["says"], one["claims"], known), one))
            for one in sentences
        ]
        return _table(("Predicted", "What came"), rows)
    stated = header.get("predictions", {})
    spoken_of = {claim.slug: claim for claim in claims if claim.slug in stated}
    said = named(list(spoken_of.values()))
    rows = []
    for slug, chances in stated.items():
        if slug not in spoken_of:
            continue
        likely = ", ".join(f"{verdict} {100 * p:.0f} %" for verdict, p in chances.items() if p)
        came = f"{verdicts[slug]}, which had {100 * chance_of(chances, verdicts[slug]):.0f} %"
        statement = prose(said[spoken_of[slug].id].rstrip("."))
        rows.append((f"{card_link(slug, statement)}: {likely}", came))
    return _table(("Predicted", "What came"), rows) if rows else ""


def _linked(said: str, sentence: Mapping[str, Any]) -> str:
    claims = sentence["claims"]
    if isinstance(claims, str):
        return said
    links = ", ".join(map(card_link, claims))
    return f"{said} ({links})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
