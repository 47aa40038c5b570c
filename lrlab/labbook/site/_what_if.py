"""A what-if beside the entry that counts: what it changes, and the answers of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrlab.labbook.answers import GUIDE, Answer, answer_of
from lrlab.labbook.entries.markup import code
from lrlab.labbook.entries.values import spell
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site


def usual(entry: Entry, site: Site) -> Entry | None:
    """The entry that counts where this one changes parameters of the full size; else None."""
    record = entry.record
    if not record["changed"] or record["size"] != "full":
        return None
    same = (e for e in site.counting if e.record["notebook"] == record["notebook"])
    return next(same, None)


def banner(entry: Entry, site: Site) -> list[str]:
    """One line on what a what-if changes, and which entry counts; nothing for any other."""
    counts = usual(entry, site)
    if counts is None:
        return []
    before = counts.record["parameters"]
    changes = ", ".join(
        f"{code(f'{name} = {spell(value)}')}"
        + (f" in place of {code(spell(before[name]))}" if name in before else "")
        for name, value in entry.record["changed"].items()
    )
    link = f"{{doc}}`{sites.short_title(counts)} </{site.document(counts)}>`"
    return [
        f":::{{admonition}} A what-if\n:class: note\nWith {changes}. What counts is {link} of "
        f"{counts.record['date']}.\n:::"
    ]


def answered(answer: Answer, entry: Entry, site: Site) -> str:
    """An entry's answer; that of a what-if side by side with that of the entry that counts."""
    guide = site.has(GUIDE)
    own = answer.markdown(guide)
    counts = usual(entry, site)
    other = answer_of(counts.content()) if counts else None
    if other is None:
        return own
    parts = [("This what-if", own), ("What counts", other.markdown(guide))]
    inside = "\n".join(f"::::{{div}}\n**{name}**\n\n{text}\n::::" for name, text in parts)
    return f":::::{{div}} lrlab-beside\n{inside}\n:::::"
