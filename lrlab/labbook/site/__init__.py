"""Sphinx extension of the book: what pages say about the log is derived from it at build time.

It puts a line under each entry's title and its record at its end, marks entries that others
supersede, fills the front page, the ledger and the tables of published results and of sentences,
writes a placeholder for the page that only `make book` can make, and warns of public names without
documentation (a warning fails the build).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts of the extension; Sphinx calls it.

    Args:
        app: the Sphinx application.

    Returns:
        The extension's metadata.
    """
    from lrlab.labbook.site import _actions as actions
    from lrlab.labbook.site import _claim_role as claim_role
    from lrlab.labbook.site import _frame as frame
    from lrlab.labbook.site import _mathematics as mathematics
    from lrlab.labbook.site import _pages as pages
    from lrlab.labbook.site import _quick as quick
    from lrlab.labbook.site import _security as security
    from lrlab.labbook.site import _typography as typography
    from lrlab.labbook.site import site

    app.connect("config-inited", _add_assets)
    parts = [site, pages, actions, claim_role, frame, mathematics, quick, security, typography]
    if "sphinx_external_toc" in app.extensions:  # a whole book, not a page alone
        from lrlab.labbook.site import _docstrings as docstrings
        from lrlab.labbook.site import _feed as feed
        from lrlab.labbook.site import _findings as findings
        from lrlab.labbook.site import _fresh as fresh
        from lrlab.labbook.site import _front as front
        from lrlab.labbook.site import _gallery as gallery
        from lrlab.labbook.site import _get_the_code as get_the_code
        from lrlab.labbook.site import _ledger_table as ledger_table
        from lrlab.labbook.site import _lighter as lighter
        from lrlab.labbook.site import _pictures as pictures
        from lrlab.labbook.site import _predictions as predictions
        from lrlab.labbook.site import _previews as previews
        from lrlab.labbook.site import _search as search
        from lrlab.labbook.site import _sentence_table as sentence_table
        from lrlab.labbook.site import _starter_files as starter_files
        from lrlab.labbook.site import _story as story
        from lrlab.labbook.site import _subjects as subjects
        from lrlab.labbook.site import _uses as uses
        from lrlab.labbook.site import _words as words
        from lrlab.labbook.site import handbook

        app.setup_extension("sphinx.ext.autodoc")  # whose events some parts listen to
        parts += [ledger_table, sentence_table, front, handbook, starter_files, docstrings]
        parts += [pictures, findings, gallery, story, subjects, feed, fresh, predictions]
        parts += [get_the_code, previews, search, uses, words, lighter]
    for part in parts:
        part.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_assets(app: Sphinx, config: Config) -> None:
    """Give every laboratory's book the style and the scripts that its pages need."""
    config.html_static_path.append(str(Path(__file__).parent / "assets"))
    config.html_css_files.append("lrlab.css")
    config.html_js_files += ["icons.js", "accessibility.js", "page.js", "ledger.js", "gallery.js"]
