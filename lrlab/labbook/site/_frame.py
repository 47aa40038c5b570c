"""What surrounds every page: sidebar, title, and only the scripts that the page needs."""

from __future__ import annotations

import posixpath
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.site import _subjects as subjects
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._feed import FEED

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TEMPLATES = Path(__file__).with_name("templates")
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>')
# A script, and what a page must contain to need it.
_NEEDED = {"ledger.js": "lrlab-ledger", "gallery.js": "lrlab-entry", "page.js": "lrlab-"}


def connect(app: Sphinx) -> None:
    """Use the book's own templates, and tell them what they show."""
    app.connect("config-inited", _use_templates)
    app.connect("html-page-context", _complete, priority=900)  # after the theme


def _use_templates(app: Sphinx, config: Any) -> None:
    config.templates_path.insert(0, str(TEMPLATES))
    sidebar = ["navbar-logo.html", "search-button-field.html", "subjects.html"]
    config.html_sidebars = {"**": sidebar if "sphinx_external_toc" in app.extensions else []}


def _complete(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> str | None:
    if not hasattr(app, "lrlab_parts"):
        app.lrlab_parts = subjects.parts(app)  # type: ignore[attr-defined]
    context["lrlab_parts"] = app.lrlab_parts  # type: ignore[attr-defined]
    context["lrlab_feed"] = FEED
    _shorten(app, context)
    context["metatags"] = _VIEWPORT.sub("", context.get("metatags", ""))
    body = context.get("body", "")
    context["script_files"] = [
        script for script in context["script_files"] if _is_needed(script, body)
    ]
    return "source.html" if page.startswith("_modules/") else None


def _shorten(app: Sphinx, context: dict[str, Any]) -> None:
    """Previous and next entry by their short titles, as in the sidebar."""
    site = sites.of(app)
    for way in ("prev", "next"):
        link = context.get(way)
        name = posixpath.basename(link["link"]).removesuffix(".html") if link else ""
        if entry := site.by_document.get(f"book/log/{name}"):
            context[way] = {**link, "title": escape(sites.short_title(entry))}


def _is_needed(script: Any, body: str) -> bool:
    name = Path(str(getattr(script, "filename", "") or "")).name
    return _NEEDED.get(name, "") in body
