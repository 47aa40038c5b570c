"""The Atom feed of the log: for each entry its answer and its verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.labbook.answers import answer_of
from lrlab.labbook.ledger import in_words, joined
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._gallery import without_marks

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.site.site import Site

FEED = "book/log/atom.xml"
AUTHOR = "The LR lab"
# Names of feed and entries, which stay the same wherever the book is put (RFC 4151).
_TAG = "tag:lr-lab.example,2026:"
_ATOM = "http://www.w3.org/2005/Atom"


def connect(app: Sphinx) -> None:
    """Write the feed when the book is done."""
    app.connect("build-finished", _write)


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        path = Path(app.outdir) / FEED
        site = sites.of(app)
        sites.write(path, feed(site, site.address))


def feed(site: Site, where: str = "") -> bytes:
    """The log as an Atom feed (RFC 4287), newest entry first.

    Args:
        site: the log.
        where: the address of the book; without one, links are relative to the feed.
    """
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    newest = list(reversed(site.log))
    _text(root, "id", f"{_TAG}log")
    _text(root, "title", "The LR lab")
    _text(root, "updated", newest[0].record["started"] if newest else "2026-01-01T00:00:00Z")
    _text(ET.SubElement(root, f"{{{_ATOM}}}author"), "name", AUTHOR)
    if where:
        _link(root, f"{where}{FEED}", "self")
    _link(root, f"{where}book/log/index.html" if where else "index.html", "alternate")
    for entry in newest:
        part = ET.SubElement(root, f"{{{_ATOM}}}entry")
        _text(part, "id", f"{_TAG}{entry.name}")
        _text(part, "title", sites.title(entry))
        _text(part, "published", entry.record["started"])
        _text(part, "updated", entry.record["started"])
        page = f"{site.document(entry)}.html"
        _link(part, f"{where}{page}" if where else page.removeprefix("book/log/"), "alternate")
        answer = answer_of(entry.content())
        verdicts = in_words(joined(entry)).replace(" · ", ", ")
        summary = [
            without_marks(answer.text) if answer else sites.question(entry),
            f"Claims: {verdicts}." if verdicts else "",
        ]
        _text(part, "summary", " ".join(filter(None, summary)))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = text


def _link(parent: ET.Element, where: str, relation: str) -> None:
    kind = "application/atom+xml" if relation == "self" else "text/html"
    ET.SubElement(parent, f"{{{_ATOM}}}link", rel=relation, type=kind, href=where)
