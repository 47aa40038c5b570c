"""The handbook of schedules: what its pages show is derived from the schedules themselves.

A page holds prose. Formula, pictures, names and code in other libraries, the table of all
schedules, the explorers and the table of parity are put in by directives at build time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FILES = Path(__file__).parent
EXPLORER, LOSSES = "book/handbook/explorer", "book/handbook/loss_explorer"
CHOOSING = "book/guide/choosing"
_SHARED = ("schedules.js", "controls.js", "chart.js")
# The scripts of each page that has any, in the order in which they need one another.
SCRIPTS = {
    EXPLORER: (*_SHARED, "code.js", "explorer.js"),
    LOSSES: (*_SHARED, "losses.js"),
    CHOOSING: ("choosing.js",),
}


def connect(app: Sphinx) -> None:
    """Make the handbook's directives known, and load its style and its scripts where needed."""
    from lrlab.labbook.site.handbook import _directives as directives
    from lrlab.labbook.site.handbook import _losses as losses
    from lrlab.labbook.site.handbook import _recipe as recipe

    for part in (directives, losses, recipe):
        part.connect(app)
    app.connect("config-inited", _add_files)
    app.connect("html-page-context", _load)


def _add_files(app: Sphinx, config: Any) -> None:
    scripts = dict.fromkeys(name for names in SCRIPTS.values() for name in names)
    config.html_static_path += [str(FILES / name) for name in ("handbook.css", *scripts)]


def _load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if page.startswith("book/handbook/") or page in SCRIPTS:
        app.add_css_file("handbook.css")
    for name in SCRIPTS.get(page, ()):
        app.add_js_file(name, loading_method="defer")
