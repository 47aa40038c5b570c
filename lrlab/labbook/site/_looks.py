"""What became of an entry's verdicts from one look to the next, folded behind a short phrase."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.claims import Judged
from lrlab.labbook.answers import card_link
from lrlab.labbook.entries.markup import fence
from lrlab.labbook.looks import Look, changed, dropped, kind_of_change

if TYPE_CHECKING:
    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

_GROUPS = {
    "other": ("{} changed verdict{s}", "Another verdict"),
    "untested": ("{} no longer tested", "Measured now, no longer tested"),
    "renamed": (
        "{} reworded",
        "The same, in the words for another’s claim in a setting that is only like its own",
    ),
    "dropped": ("{} dropped", "Claims that the last look has no more, with their last verdict"),
}


REASONS = "book/reworked.toml"


def reasons_in(root: Path) -> dict[str, str]:
    """Why claims are no longer tested, were dropped or reworded, by name, as the table has it.

    A name is a notebook's and a claim's, with a dot between them; it may hold `*`.
    """
    file = root / REASONS
    tables = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    return {f"{notebook}.{slug}": why for notebook, t in tables.items() for slug, why in t.items()}


def looks_at(entry: Entry, site: Site) -> list[Look]:
    """The looks at the notebook of an entry, oldest first; none for a what-if or a smoke run."""
    if entry.record["size"] != "full" or entry.record["changed"]:
        return []
    return [look for look in site.looks if look.notebook == entry.record["notebook"]]


def changes_of(
    looks: Sequence[Look], claims: Sequence[Judged], reasons: Mapping[str, str]
) -> list[str]:
    """What changed or was dropped from look to look: how much, with the list folded, as Markdown.

    Args:
        looks: the looks at one notebook, oldest first.
        claims: the claims of its entry, whose cards are linked.
        reasons: why a claim changed, by its name, which may hold `*`.

    Returns:
        One block; none where nothing changed.
    """
    groups: dict[str, dict[str, list[str]]] = {kind: {} for kind in _GROUPS}
    if looks:
        groups["dropped"] = {id: [verdict] for id, verdict in dropped(looks).items()}
    today = {claim.id: claim.verdict for claim in claims}
    for id, verdicts in changed(looks).items():
        if id not in groups["dropped"]:
            if (
                today.get(id, verdicts[-1]) != verdicts[-1]
            ):  # made fragile since, by another processor
                verdicts = [*verdicts, today[id]]
            groups[kind_of_change(verdicts)][id] = verdicts
    counts = [
        _GROUPS[kind][0].format(len(found), s="s" * (len(found) > 1))
        for kind, found in groups.items()
        if found
    ]
    if not counts:
        return []
    here = {claim.id: claim.slug for claim in claims}
    lists = "".join(
        _list(_GROUPS[kind][1], found, here, reasons) for kind, found in groups.items() if found
    )
    summary = f"<summary>Between the looks: {', '.join(counts)}</summary>"
    return [fence(f'<details class="lrlab-looks">{summary}{lists}</details>', "{raw} html")]


def _list(
    title: str,
    found: Mapping[str, Sequence[str]],
    here: Mapping[str, str],
    reasons: Mapping[str, str],
) -> str:
    lines = "".join(
        f"<li>{card_link(here[id]) if id in here else escape(id.rpartition('.')[2])}: "
        f"{escape(' → '.join(verdicts))}{_why(id, reasons)}</li>"
        for id, verdicts in found.items()
    )
    return f"<p>{title}:</p><ul>{lines}</ul>"


def _why(id: str, reasons: Mapping[str, str]) -> str:
    found = [why for name, why in reasons.items() if fnmatchcase(id, name)]
    return f" ({escape(found[0])})" if found else ""
