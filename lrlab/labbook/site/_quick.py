"""What Sphinx and its extensions would work out again and again is worked out once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def connect(app: Sphinx) -> None:
    """Look once for the bibliography's plugin and each word's stem, and store nothing twice."""
    from pybtex.backends.plaintext import Backend
    from pybtex.plugin import register_plugin

    # Else each citation looks through all installed packages for it.
    register_plugin("pybtex.backends", "plaintext", Backend, force=True)
    app.add_search_language(English)
    app.connect("doctree-read", _own)


def _own(app: Sphinx, doctree: nodes.document) -> None:
    """Let nodes belong to their page.

    Those from reStructuredText inside Markdown belong to a document of their own, whose settings
    hold all that is known of the book, and that would be stored and loaded with each such page.
    """
    for node in doctree.findall():
        if node.document is not doctree:
            node.document = doctree


class English(SearchEnglish):
    """English words, each stemmed once for all pages."""

    def init(self, options: dict[str, str]) -> None:
        """Remember stems."""
        super().init(options)
        self.stem = functools.cache(super().stem)  # type: ignore[method-assign]
