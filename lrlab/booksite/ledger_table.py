"""The ledger as a table: readable as it is; a small script sorts and filters it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from ..claims import Row
from ..claims.cards import css_class, measured, unbroken
from ..claims.ledger import totals
from . import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = ("Verdict", "Claim", "Measured", "n", "Rule", "Source", "Date")


def connect(app: Sphinx) -> None:
    """Make the directives `ledger` and `verdict-counts` known."""
    app.add_directive("ledger", LedgerTable)
    app.add_directive("verdict-counts", VerdictCounts)


class LedgerTable(SphinxDirective):
    """Every claim of the entries that count, one row each."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the table, or a sentence where there is nothing to show."""
        site = sites.of(self.env.app)
        if not site.ledger:
            return [nodes.paragraph(text="No entry of the log counts yet.")]
        documents = {entry.name: site.document(entry) for entry in site.log}
        group = nodes.tgroup(cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=1) for _ in COLUMNS]
        head = nodes.row()
        head += [nodes.entry("", nodes.paragraph(text=name)) for name in COLUMNS]
        body = nodes.tbody()
        body += [self._row(row, documents[row.entry]) for row in site.ledger]
        group += [nodes.thead("", head), body]
        return [nodes.table("", group, classes=["lrlab-ledger", "colwidths-auto"])]

    def _row(self, row: Row, document: str) -> nodes.row:
        claim = row.claim
        badge = nodes.inline("", claim.verdict, classes=["lrlab-badge", css_class(claim.verdict)])
        uri = sites.relative_uri(self.env, document)
        link = nodes.reference("", "", refuri=f"{uri}#claim-{claim.slug}")
        link += nodes.literal(text=claim.id)
        source = f"{{cite:t}}`{claim.source}`" if claim.source else "our own"
        if claim.published is not None:
            source += f"; published: {claim.published}"
        cells = (
            [nodes.paragraph("", "", badge)],
            [nodes.paragraph(text=claim.statement), nodes.paragraph("", "", link)],
            [nodes.paragraph(text=unbroken(measured(claim)))],
            [nodes.paragraph(text="–" if claim.n is None else str(claim.n))],
            [nodes.paragraph(text=claim.rule_text)],
            self._parsed(source),
            [nodes.paragraph(text=row.date)],
        )
        made = nodes.row()
        made += [nodes.entry("", *cell) for cell in cells]
        return made

    def _parsed(self, markdown: str) -> list[nodes.Node]:
        holder = nodes.container()
        self.state.nested_parse(StringList([markdown], "ledger"), self.content_offset, holder)
        return holder.children


class VerdictCounts(SphinxDirective):
    """How many claims have which verdict, as a short list."""

    has_content = False
    _LABELS: ClassVar[dict[str, str]] = {"described": "described, without a verdict"}

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        found = nodes.bullet_list(classes=["lrlab-counts"])
        for verdict, n in totals(sites.of(self.env.app).ledger).items():
            label = self._LABELS.get(verdict, verdict)
            number = nodes.strong(text=str(n))
            words: nodes.Node = nodes.Text(label)
            if n:
                uri = sites.relative_uri(self.env, "book/claims")
                words = nodes.reference("", label, refuri=f"{uri}?verdict={quote(verdict)}")
            line = nodes.paragraph("", "", number, nodes.Text(" "), words)
            found += nodes.list_item("", line, classes=[css_class(verdict)])
        return [found]
