"""What became of each sentence of a document: its claims, by verdict, with links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

from lrlab.labbook.ledger import totals
from lrlab.labbook.sentences import (
    MEASURED_ONLY,
    Sentence,
    loose_ends,
    papers,
    sentences,
    unsaid,
    untested,
)
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._tables import ClaimTable, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = ("Sentence", "Verdicts")
_log = logging.getLogger(__name__)


def connect(app: Sphinx) -> None:
    """Make the directive `sentences` known, and warn of what table and ledger don't share."""
    app.add_directive("sentences", SentenceTable)
    app.connect("builder-inited", _warn)


def _warn(app: Sphinx) -> None:
    site = sites.of(app)
    told = sentences(site.root)
    found = loose_ends(told, site.ledger, papers(site.root))
    for sentence in [*found, *(unsaid(site.ledger) if told else [])]:
        _log.warning("the tables of sentences: %s", sentence)


class SentenceTable(ClaimTable):
    """The sentences of the document whose key is the argument, one row each."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        chosen = [s for s in sentences(self.site.root) if s.source == self.arguments[0]]
        if not chosen:
            raise self.error(f"the table of sentences has none of {self.arguments[0]!r}")
        rows = ([self._said(s), [self._verdicts(s)]] for s in chosen)
        return [table(COLUMNS, rows, "lrlab-sentences")]

    def _said(self, sentence: Sentence) -> list[nodes.Node]:
        lines = (sentence.says, f"Not known of the source: {sentence.lost}.")
        return [nodes.paragraph(text=line) for line in lines]

    def _verdicts(self, sentence: Sentence) -> nodes.Element:
        if sentence.open:
            return nodes.paragraph("", "", self.badge("open"), nodes.Text(f": {sentence.open}"))
        rows, found = sentence.rows(self.site.ledger), nodes.bullet_list()
        if untested(rows):
            said = nodes.paragraph("", "", self.badge("open"), nodes.Text(f": {MEASURED_ONLY}"))
            found += nodes.list_item("", said)
        for verdict, n in totals(rows).items():
            if not n:
                continue
            line = nodes.paragraph("", "", self.badge(verdict))
            for row in rows:
                if row.claim.verdict == verdict:
                    line += [nodes.Text(" "), self.link(row)]
            found += nodes.list_item("", line)
        return found
