"""The ledger, the table of published results, and how many claims have which verdict."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lrlab.claims import Judged, rules, smallest_effects
from lrlab.claims.render import css_class
from lrlab.labbook.error_rate import FAR, error_rate
from lrlab.labbook.ledger import Row, in_words, joined, totals
from lrlab.labbook.sentences import sentences
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._tables import ClaimTable, said, table
from lrlab.labbook.site._verdicts import chart, rest
from lrlab.labbook.site.site import Site

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry

PUBLISHED = ("Source", "Published", "Measured", "Rule", "Verdict", "Claim")


def connect(app: Sphinx) -> None:
    """Make the directives of the ledger's pages known, and those of the rules' tables."""
    app.add_directive("ledger", LedgerTable)
    app.add_directive("published-results", PublishedResults)
    app.add_directive("verdict-counts", VerdictCounts)
    app.add_directive("error-rate", ErrorRateSentence)
    app.add_directive("smallest-effects", SmallestEffects)


class LedgerTable(ClaimTable):
    """Every claim of the entries that count, folded by entry: tested, measured, checked."""

    def run(self) -> list[nodes.Node]:
        """Return the folded tables, or a sentence where there is nothing to show."""
        if not self.site.ledger:
            return [nodes.paragraph(text="No entry of the log counts yet.")]
        entries = sorted(self.site.counting, key=lambda entry: sites.short_title(entry).lower())
        parts = "".join(self._entry(entry) for entry in entries if entry.claims())
        html = f'<div class="lrlab-ledger">{parts}</div>'
        return [nodes.raw("", html, format="html")]

    def _entry(self, entry: Entry) -> str:
        claims = joined(entry)
        page = sites.relative_uri(self.env, self.site.document(entry))
        said = in_words(claims)
        tags = escape(" ".join(tag.replace(" ", "-") for tag in sites.tags(entry)))
        title = escape(sites.short_title(entry))
        return (
            f'<details data-tags="{tags}"><summary>{title} '
            f'<span class="lrlab-counted">{said}</span></summary>'
            f'<p><a href="{page}">{escape(sites.question(entry))}</a></p>'
            f"{chart(claims, page)}{rest(claims, page)}</details>"
        )


def published(site: Site) -> list[Row]:
    """The claims that hold a published result by others to a rule, in the order of their sources.

    The documents that the laboratory sets out from have a table of their own; a measurement beside
    a published number tries nothing again.
    """
    seeds = {sentence.source for sentence in sentences(site.root)}
    found = [
        row
        for row in site.ledger
        if row.claim.published is not None
        and row.claim.source not in {None, *seeds}
        and row.claim.kind != "descriptive"
    ]
    return sorted(found, key=lambda row: (row.claim.source, row.claim.id))


class PublishedResults(ClaimTable):
    """The published number, its source, and ours, one row each."""

    def run(self) -> list[nodes.Node]:
        """Return the table, or a sentence where there is nothing to show."""
        found = published(self.site)
        if not found:
            return [nodes.paragraph(text="No entry of the log holds a published result yet.")]
        rows = ([self.cells(row)[name] for name in PUBLISHED] for row in found)
        return [table(PUBLISHED, rows, "lrlab-ledger")]

    def cells(self, row: Row) -> dict[str, list[nodes.Node]]:
        """Return the columns of the ledger, with what was published in one of its own."""
        return super().cells(row) | {"Published": [nodes.paragraph(text=said(row.claim))]}

    def source(self, claim: Judged) -> str:
        """Return who published it."""
        return f"{{cite:t}}`{claim.source}`"


class VerdictCounts(SphinxDirective):
    """How many of the tested claims have which verdict, and how much stands beside them."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return a short list."""
        rows = sites.of(self.env.app).ledger
        tested = totals([row for row in rows if row.claim.kind in rules.TESTED])
        kinds = Counter(row.claim.kind for row in rows)
        found = nodes.bullet_list(classes=["lrlab-counts"])
        for verdict, n in tested.items():
            if n:
                found += self._line(n, verdict, f"kind=tested&verdict={quote(verdict)}", verdict)
        for kind, name, words in (
            ("descriptive", "measured", "measurements, without a verdict"),
            ("exact", "check", "checks of formulas and libraries"),
        ):
            if kinds[kind]:
                found += self._line(kinds[kind], words, f"kind={name}", "described")
        return [found]

    def _line(self, n: int, words: str, query: str, verdict: str) -> nodes.Node:
        uri = sites.relative_uri(self.env, "book/claims")
        link = nodes.reference("", words, refuri=f"{uri}?{query}")
        line = nodes.paragraph("", "", nodes.strong(text=str(n)), nodes.Text(" "), link)
        return nodes.list_item("", line, classes=[css_class(verdict)])


class ErrorRateSentence(SphinxDirective):
    """How many verdicts of the whole book stand, and how many entries may hold a wrong one."""

    def run(self) -> list[nodes.Node]:
        """Return one paragraph."""
        found = error_rate(sites.of(self.env.app).ledger)
        text = (
            f"{found.tested} of these claims were tested, in {found.entries} entries. Each entry's "
            "tested claims share an error rate of 5 %, so that at most "
            f"{found.wrong_entries:.1f} entries are expected to hold a wrong verdict. Over the "
            f"whole book {found.stand} lie on one side of their boundary at a directional false "
            f"discovery rate of 5 %; of the {found.near} that lie within {FAR:g} standard errors "
            f"of it, {found.near_stand} do."
        )
        return [nodes.paragraph(text=text)]


class SmallestEffects(SphinxDirective):
    """The table of δ: by metric, its value and the reason for it."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = []
        for metric, row in smallest_effects().items():
            other = [f"{value:g} for {task}" for task, value in row.get("tasks", {}).items()]
            delta = "; ".join([f"{row['delta']:g}", *other])
            cells = (metric, delta, row["unit"], row["reason"])
            rows.append([[nodes.paragraph(text=text)] for text in cells])
        return [table(("Metric", "δ", "Unit", "Reason"), rows, "lrlab-deltas")]
