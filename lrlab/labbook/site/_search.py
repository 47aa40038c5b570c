"""The search page: what a page weighs by its part of the book, and excerpts that need no server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.site.site import Site

EXCERPTS = "_static/excerpts.js"
LENGTH = 3000  # characters of a page that excerpts are taken from

# What is added to the score of a page. An entry that does not count has none of the log's.
_WEIGHTS = {"book/handbook/": 12, "book/guide/": 8, "book/sources/": 6, "book/api/": -10}
_COUNTS = 10
_LISTS = {"book/claims", "book/sentences", "book/calibration", "book/log/index", "book/references"}
_LIST = -8  # it has nearly every word
_PARAGRAPH = re.compile(r"<(p|figcaption)\b[^>]*>(.*?)</\1>", re.DOTALL)
_UNREAD = re.compile(
    r'<(script|style|math|pre)\b.*?</\1>|<a class="headerlink".*?</a>'
    r'|<div class="lrlab-(?:byline|uses|rests)\b.*?</div>'
    r'|<details class="lrlab-looks">.*?</details>',
    re.DOTALL,
)


def connect(app: Sphinx) -> None:
    """Write the excerpts, and give the search page the script that shows them."""
    app.connect("html-page-context", _load, priority=800)
    app.connect("build-finished", _write, priority=300)


def _load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if page == "search":
        # Deferred: they come after Sphinx's own, which they use and change.
        app.add_js_file("excerpts.js", loading_method="defer")
        app.add_js_file("search.js", loading_method="defer")


def weight(site: Site, document: str) -> int:
    """What is added to the score of a page that has the words."""
    if document in _LISTS:
        return _LIST
    if entry := site.by_document.get(document):
        return _COUNTS if entry in site.counting else 0
    return next((value for start, value in _WEIGHTS.items() if document.startswith(start)), 0)


def text_of(page: str) -> str:
    """The sentences of a page without its code and formulas.

    Example:
        >>> text_of("<article><p>A <b>word</b>.</p><pre><p>x</p></pre></article>")
        'A word.'
    """
    article = page.partition("<article")[2].partition("</article>")[0]
    plain = re.sub(r"<br\b[^>]*>", " ", _UNREAD.sub("", article))
    found = (re.sub(r"<[^>]*>", "", text) for _, text in _PARAGRAPH.findall(plain))
    return unescape(" ".join(" ".join(found).split()))[:LENGTH]


def excerpts(site: Site, pages: Iterable[tuple[str, str]]) -> str:
    """A script that names for each page its weight and its text."""
    known = {name: [weight(site, name), text_of(page)] for name, page in pages}
    return f"const PAGES = {json.dumps(known, ensure_ascii=False, indent=0)};\n"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    files = ((name, out / f"{name}.html") for name in sorted(app.env.found_docs))
    pages = ((name, file.read_text("utf-8")) for name, file in files if file.is_file())
    sites.write(out / EXCERPTS, excerpts(sites.of(app), pages).encode())
