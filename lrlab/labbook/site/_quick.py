"""What Sphinx and its extensions would work out again and again is worked out once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def connect(app: Sphinx) -> None:
    """Find the bibliography's plugin once, and the stem of a word of the search index once."""
    from pybtex.backends.plaintext import Backend
    from pybtex.plugin import register_plugin

    # Else each citation looks through all installed packages for it.
    register_plugin("pybtex.backends", "plaintext", Backend, force=True)
    app.add_search_language(English)


class English(SearchEnglish):
    """English words, each stemmed once for all pages."""

    def init(self, options: dict[str, str]) -> None:
        """Remember stems."""
        super().init(options)
        self.stem = functools.cache(super().stem)  # type: ignore[method-assign]
