"""A site that weighs less: pictures of fewer colours, and no style or script that no page uses."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.labbook.site import site as sites
from lrlab.labbook.site._styles import used

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLOURS = 256
# Root mean square of the change in a colour, of 255, above which a picture stays as it is.
VISIBLE = 2.0

# The theme's sheets, whose rules for what no page has are left out.
_SHEETS = ("styles/*.css", "sphinx-design*.css", "mystnb*.css")
_FILE = re.compile(r"[\w.-]+\.\w+")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
# What a script completes, in a template or a sum of strings.
_BEGUN = re.compile(r"""[A-Za-z_][\w-]+-(?=\$\{|["'`]\s*\+)""")
_ATTRIBUTES = re.compile(r"""\b(?:class|id)=(?:"([^"]*)"|'([^']*)')""")


def connect(app: Sphinx) -> None:
    """Make the site lighter when all is written."""
    app.connect("build-finished", _lighten, priority=400)


def _lighten(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for path in sorted((out / "_images").glob("*.png")):
        _few_colours(path, out.parent / ".pictures")
    static = out / "_static"
    pages = [path.read_text("utf-8") for path in out.rglob("*.html") if static not in path.parents]
    _remove_unused(static, pages)
    scripts = [path.read_text("utf-8") for path in static.rglob("*.js")]
    names = {*_class_names(pages), *(word for text in scripts for word in _WORD.findall(text))}
    begun = tuple({word for text in scripts for word in _BEGUN.findall(text)})

    def is_used(name: str) -> bool:
        return name in names or name.startswith(begun)

    for pattern in _SHEETS:
        for sheet in static.glob(pattern):
            sites.write(sheet, used(sheet.read_text("utf-8"), is_used).encode())


def fewer_colours(png: bytes) -> bytes:
    """A picture as a smaller PNG, of at most 256 colours; as it is where that could be seen."""
    import numpy as np
    from PIL import Image

    before = Image.open(io.BytesIO(png)).convert("RGBA")
    if before.getextrema()[3][0] < 255:
        return png  # parts of it are transparent
    before = before.convert("RGB")
    after = before.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    change = np.asarray(before, float) - np.asarray(after.convert("RGB"), float)
    if np.sqrt((change**2).mean()) > VISIBLE:
        return png
    made = io.BytesIO()
    after.save(made, "PNG", optimize=True)
    return min(made.getvalue(), png, key=len)


def _few_colours(path: Path, known: Path) -> None:
    """Replace a picture by a smaller one, which is kept for the next build."""
    png = path.read_bytes()
    if b"PLTE" in png[:100]:
        return
    kept = known / f"{hashlib.sha256(png).hexdigest()}.png"
    if not kept.is_file():
        sites.write(kept, fewer_colours(png))
    path.write_bytes(kept.read_bytes())


def _class_names(pages: Iterable[str]) -> Iterator[str]:
    for page in pages:
        for double, single in _ATTRIBUTES.findall(page):
            yield from (double or single).split()


def _remove_unused(static: Path, pages: Iterable[str]) -> None:
    """Remove static files that no page, style or script names; licences stay."""
    files = [path for path in static.rglob("*") if path.is_file()]
    texts = {path: path.read_text("utf-8") for path in files if path.suffix in {".css", ".js"}}
    named = {name for page in pages for name in _FILE.findall(page)}
    while reached := [path for path in texts if path.name in named]:
        named.update(name for path in reached for name in _FILE.findall(texts.pop(path)))
    for path in files:
        needless = path.suffix in {".map", ".ttf"} or path.name not in named
        if needless and "LICENSE" not in path.name:
            path.unlink()
