"""Tables of claims: readable as they are, cards on a phone; a small script sorts and filters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from lrlab.claims import Judged
from lrlab.claims.render import css_class, measured
from lrlab.claims.rules import DESCRIBED
from lrlab.labbook.ledger import Row
from lrlab.labbook.phrases import unbroken
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from lrlab.labbook.site.site import Site


def table(
    columns: Sequence[str], rows: Iterable[Sequence[list[nodes.Node]]], *classes: str
) -> nodes.table:
    """Return a table whose cells know the name of their column, so that a phone can show it.

    Args:
        columns: names of the columns.
        rows: for each row, for each column, the nodes of the cell.
        *classes: CSS classes of the table.
    """
    group = nodes.tgroup(cols=len(columns))
    group += [nodes.colspec(colwidth=1) for _ in columns]
    head, body = nodes.row(), nodes.tbody()
    head += [nodes.entry("", nodes.paragraph(text=name)) for name in columns]
    for cells in rows:
        row = nodes.row()
        row += [
            nodes.entry("", *cell, classes=[f"lrlab-is-{name.lower()}"])
            for name, cell in zip(columns, cells, strict=True)
        ]
        body += row
    group += [nodes.thead("", head), body]
    return nodes.table("", group, classes=["lrlab-rows", "colwidths-auto", *classes])


def said(claim: Judged) -> str:
    """Return what was published, a number in at most six digits."""
    return claim.published if isinstance(claim.published, str) else f"{claim.published:g}"


class ClaimTable(SphinxDirective):
    """Base of the directives that show claims of the ledger."""

    has_content = False

    @cached_property
    def _known(self) -> dict[str, nodes.container]:
        return {}

    @property
    def site(self) -> Site:
        """The site of this build."""
        return sites.of(self.env.app)

    def badge(self, verdict: str) -> nodes.inline:
        """Return a verdict as it is shown everywhere."""
        word = "measured" if verdict == DESCRIBED else verdict
        return nodes.inline("", word, classes=["lrlab-badge", css_class(verdict)])

    def link(self, row: Row) -> nodes.reference:
        """Return the id of a claim, which leads to its card."""
        uri = sites.relative_uri(self.env, self.site.page_of(row.entry))
        reference = nodes.reference("", "", refuri=f"{uri}#claim-{row.claim.slug}")
        reference += nodes.literal(text=row.claim.id)
        return reference

    def cells(self, row: Row) -> dict[str, list[nodes.Node]]:
        """Return what can be said of a claim, by the name of the column."""
        claim = row.claim
        return {
            "Verdict": [nodes.paragraph("", "", self.badge(claim.verdict))],
            "Claim": [
                nodes.paragraph(text=claim.statement),
                nodes.paragraph("", "", self.link(row)),
            ],
            "Measured": [nodes.paragraph(text=unbroken(measured(claim)))],
            "n": [nodes.paragraph(text="–" if claim.n is None else str(claim.n))],
            "Rule": [nodes.paragraph(text=claim.rule_text)],
            "Source": self.parsed(self.source(claim)),
            "Date": [nodes.paragraph(text=row.date)],
        }

    def source(self, claim: Judged) -> str:
        """Return who claimed it, and what was published, as Markdown."""
        source = f"{{cite:t}}`{claim.source}`" if claim.source else "our own"
        return source if claim.published is None else f"{source}; published: {said(claim)}"

    def parsed(self, markdown: str) -> list[nodes.Node]:
        """Return what Markdown becomes; a text is parsed once, and only its first use has ids."""
        holder = nodes.container()
        if markdown in self._known:
            holder = self._known[markdown].deepcopy()
            for node in holder.findall(nodes.Element):
                node["ids"] = []
        else:
            self.state.nested_parse(StringList([markdown], "claims"), self.content_offset, holder)
            self._known[markdown] = holder.deepcopy()
        return holder.children
