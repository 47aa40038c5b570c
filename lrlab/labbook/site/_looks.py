"""What became of an entry's verdicts from one look to the next, folded behind a short phrase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
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


def looks_at(entry: Entry, site: Site) -> list[Look]:
    """The looks at the notebook of an entry, oldest first; none for a what-if or a smoke run."""
    if entry.record["size"] != "full" or entry.record["changed"]:
        return []
    return [look for look in site.looks if look.notebook == entry.record["notebook"]]


def changes_of(looks: Sequence[Look], claims: Sequence[Judged]) -> list[str]:
    """What changed or was dropped from look to look: how much, with the list folded, as Markdown.

    Args:
        looks: the looks at one notebook, oldest first.
        claims: the claims of its entry, whose cards are linked.

    Returns:
        One block; none where nothing changed.
    """
    groups: dict[str, dict[str, list[str]]] = {kind: {} for kind in _GROUPS}
    if looks:
        groups["dropped"] = {id: [verdict] for id, verdict in dropped(looks).items()}
    for id, verdicts in changed(looks).items():
        if id not in groups["dropped"]:
            groups[kind_of_change(verdicts)][id] = verdicts
    counts = [
        _GROUPS[kind][0].format(len(found), s="s" * (len(found) > 1))
        for kind, found in groups.items()
        if found
    ]
    if not counts:
        return []
    here = {claim.id: claim.slug for claim in claims}
    lists = "".join(_list(_GROUPS[kind][1], found, here) for kind, found in groups.items() if found)
    summary = f"<summary>Between the looks: {', '.join(counts)}</summary>"
    return [fence(f'<details class="lrlab-looks">{summary}{lists}</details>', "{raw} html")]


def _list(title: str, found: Mapping[str, Sequence[str]], here: Mapping[str, str]) -> str:
    lines = "".join(
        f"<li>{card_link(here[id]) if id in here else escape(id.rpartition('.')[2])}: "
        f"{escape(' → '.join(verdicts))}</li>"
        for id, verdicts in found.items()
    )
    return f"<p>{title}:</p><ul>{lines}</ul>"
