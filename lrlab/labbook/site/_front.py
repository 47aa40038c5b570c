"""The usable band with the figure that shows it; and lists of entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrlab.claims import Judged
from lrlab.claims.render import number
from lrlab.labbook.entries.markup import prose
from lrlab.labbook.phrases import estimate
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._derived import Derived
from lrlab.labbook.site._pictures import Figure, figures

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

HEADLINE = "book/live/headline.png"
RANGE = "usable-range"
NEWEST = 8


def connect(app: Sphinx) -> None:
    """Make the directives of the front page and the log known."""
    app.connect("builder-inited", _write_headline)
    app.add_directive("answer", Answer)
    app.add_directive("newest-entries", NewestEntries)
    app.add_directive("all-entries", AllEntries)
    app.add_directive("entries-by-tag", EntriesByTag)


@dataclass(frozen=True)
class Band:
    """The usable band of learning rates and the entry that measured it."""

    low: Judged
    high: Judged
    entry: Entry


def usable_band(site: Site) -> Band | None:
    """The band of the newest entry that counts and has the claims `band_low` and `band_high`."""
    for entry in site.counting:
        found = {c["id"].rpartition(".")[2]: Judged.from_dict(c) for c in entry.claims()}
        if "band_low" in found and "band_high" in found:
            return Band(found["band_low"], found["band_high"], entry)
    return None


def headline(site: Site) -> Figure | None:
    """The figure of the usable band: in a cell tagged `usable-range` of an entry that counts.

    Without one it is the newest in a cell tagged `headline`, the first figure of the entry that has
    the usable band, or else of the newest entry that counts and has a figure.
    """
    band = usable_band(site)
    of_band = figures(band.entry) if band else []
    found = [*of_band, *(figure for entry in site.counting for figure in figures(entry))]
    tagged = [figure for tag in (RANGE, "headline") for figure, tags in found if tag in tags]
    return next(iter([*tagged, *(figure for figure, _ in found)]), None)


def _write_headline(app: Sphinx) -> None:
    site = sites.of(app)
    if figure := headline(site):
        sites.write(site.root / HEADLINE, figure.png)


def answer(site: Site) -> str:
    """The band in words and the figure, as Markdown; a sentence where nothing counts yet."""
    band, figure = usable_band(site), headline(site)
    parts = []
    if band:
        parts.append(
            ":::{div} lrlab-answer\n"
            f"Usable learning rates: **{number(band.low.estimate)} to "
            f"{number(band.high.estimate)}**\n:::"
        )
        rows = [
            f"| {prose(end.statement.rstrip('.'))} | {estimate(end)} |"
            for end in (band.low, band.high)
        ]
        parts.append("\n".join(["| End of the range | Learning rate |", "| --- | --- |", *rows]))
        parts.append(f"Measured in {_link(site, band.entry)}, {band.entry.record['date']}.")
    if figure:
        alt = figure.alt.replace("[", "(").replace("]", ")").replace("\n", " ")
        caption = f"{figure.caption} From {_link(site, figure.entry)}."
        parts.append(f":::{{figure}} /{HEADLINE}\n:alt: {alt}\n\n{caption}\n:::")
    return "\n\n".join(parts) or "No entry of the log counts yet, so there is no answer to show."


def newest(site: Site, n: int = NEWEST) -> str:
    """The newest entries, as a Markdown list."""
    lines = []
    for entry in list(reversed(site.log))[:n]:
        remark = " (superseded)" if entry.superseded_by else ""
        question = "" if sites.title(entry).endswith("?") else f" {sites.question(entry)}"
        stop = "" if sites.title(entry).endswith("?") and not remark else "."
        lines.append(f"- {entry.record['date']}: {_link(site, entry)}{remark}{stop}{question}")
    return "\n".join(lines) or "The log has no entry yet."


def all_entries(site: Site) -> str:
    """All entries with their dates, newest first, as a Markdown list."""
    lines = [
        f"- {entry.record['date']}: {_link(site, entry)}"
        f"{' (superseded)' if entry.superseded_by else ''}"
        for entry in reversed(site.log)
    ]
    return "\n".join(lines) or "The log has no entry yet."


def by_tag(site: Site) -> str:
    """The tags in alphabetical order with the notebooks that have them, as a Markdown list."""
    tagged: dict[str, list[str]] = {}
    for entry in sorted(site.counting, key=lambda entry: entry.record["notebook"]):
        link = f"{{doc}}`{entry.record['notebook']} </{site.document(entry)}>`"
        for tag in sites.tags(entry):
            tagged.setdefault(tag, []).append(link)
    return "\n".join(f"- **{tag}**: {', '.join(tagged[tag])}" for tag in sorted(tagged))


def _link(site: Site, entry: Entry) -> str:
    return f"{{doc}}`{sites.title(entry)} </{site.document(entry)}>`"


class Answer(Derived):
    """The answer at the top of the front page."""

    def markdown(self, site: Site) -> str:
        """Return the answer."""
        return answer(site)


class NewestEntries(Derived):
    """The newest entries of the log."""

    def markdown(self, site: Site) -> str:
        """Return the list."""
        return newest(site)


class AllEntries(Derived):
    """All entries of the log, newest first."""

    def markdown(self, site: Site) -> str:
        """Return the list."""
        return all_entries(site)


class EntriesByTag(Derived):
    """The entries that count, by what they are about."""

    def markdown(self, site: Site) -> str:
        """Return the list."""
        return by_tag(site)
