"""The figures that entries are known by: on their own page, in the gallery and beside sentences."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.site import site as sites
from lrlab.labbook.site._outputs import begun

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry

FOLDER = "book/live/pictures"
_FIGURE = re.compile(r'(<figure\b[^>]*>\s*)(<img\b[^>]*\bsrc="([^"]+)"[^>]*>)')
SCALE = 0.65
"""Of a figure's pixels, 120 an inch: its smallest text, 8.5 points, is 9 pixels high then."""

QUALITY = 50  # of 100: eight pictures have to fit on the front page


@dataclass(frozen=True)
class Figure:
    """A figure of an entry: its PNG, what it shows, and where it is from."""

    png: bytes
    alt: str
    caption: str
    entry: Entry


def figures(entry: Entry) -> list[tuple[Figure, list[str]]]:
    """All figures of an entry, each with the tags of its cell."""
    found = []
    for cell in json.loads(Path(entry.path).read_bytes())["cells"]:
        shown = cell["metadata"].get("mystnb", {})
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                figure = Figure(
                    base64.b64decode("".join(png)),
                    shown.get("image", {}).get("alt", ""),
                    begun(shown.get("figure", {}).get("caption", "")),
                    entry,
                )
                found.append((figure, cell["metadata"].get("tags", [])))
    return found


def headline(entry: Entry) -> Figure | None:
    """The figure that an entry is known by: its headline, or else its first; None without one."""
    found = figures(entry)
    return next((one for one, tags in found if "headline" in tags), found[0][0] if found else None)


def picture(entry: Entry) -> str:
    """Where the small picture of an entry is, from the laboratory's folder."""
    return f"{FOLDER}/{entry.name}.webp"


def connect(app: Sphinx) -> None:
    """Make the small pictures before pages are read."""
    app.connect("config-inited", _write, priority=600)
    app.connect("html-page-context", _open_large, priority=880)


def opened(body: str) -> str:
    """A page whose figures, when clicked, open as large as they are.

    Example:
        >>> opened('<figure id="a"><img alt="A line." src="x.png"/></figure>')
        '<figure id="a"><a href="x.png"><img alt="A line." src="x.png"/></a></figure>'
    """
    return _FIGURE.sub(r'\1<a href="\3">\2</a>', body)


def _open_large(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if "body" in context:
        context["body"] = opened(context["body"])


def _write(app: Sphinx, config: Any) -> None:
    from PIL import Image

    site = sites.of(app)
    for entry in site.counting:
        file = site.root / picture(entry)
        made_from = file.with_suffix(".sha256")
        sha256 = f"{entry.record['entry_sha256']} {SCALE} {QUALITY}"
        made = file.is_file() and made_from.is_file()
        if made and made_from.read_text("utf-8") == sha256:
            continue
        if (figure := headline(entry)) is None:
            continue
        whole = Image.open(io.BytesIO(figure.png)).convert("RGB")
        small = whole.resize((round(whole.width * SCALE), round(whole.height * SCALE)))
        out = io.BytesIO()
        small.save(out, "WEBP", quality=QUALITY, method=6)
        sites.write(file, out.getvalue())
        sites.write(made_from, sha256.encode())
