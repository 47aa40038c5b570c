"""The handbook of schedules: what its pages show is derived from the schedules themselves.

A page holds prose. Formula, pictures, names and code in other libraries, the table of all
schedules, the explorer and the table of parity are put in by directives at build time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FILES = Path(__file__).parent
SCRIPTS = ("schedules.js", "chart.js", "code.js", "explorer.js")
EXPLORER = "book/handbook/explorer"
CHOOSING = "choosing.js"


def connect(app: Sphinx) -> None:
    """Make the handbook's directives known, and load its style and its scripts where needed."""
    from lrlab.labbook.site.handbook import _directives as directives
    from lrlab.labbook.site.handbook import _recipe as recipe

    directives.connect(app)
    recipe.connect(app)
    app.connect("config-inited", _add_files)
    app.connect("html-page-context", _load)


def _add_files(app: Sphinx, config: Any) -> None:
    config.html_static_path += [str(FILES / name) for name in ("handbook.css", CHOOSING, *SCRIPTS)]


def _load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    from lrlab.labbook.site.handbook._recipe import PAGE

    if page.startswith("book/handbook/") or page == PAGE:
        app.add_css_file("handbook.css")
    if page == PAGE:
        app.add_js_file(CHOOSING, loading_method="defer")
    if page == EXPLORER:
        for name in SCRIPTS:
            app.add_js_file(name, loading_method="defer")
