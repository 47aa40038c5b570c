"""A content-security policy for every page: no script runs but those of the theme and our own.

What a notebook puts out is shown in the article of a page, and a script in it must not run in a
reader's browser. So each page says by their hashes which inline scripts and handlers may run: those
that stand outside of the article, which the theme's templates wrote. Files of scripts must be the
site's own. It works from a web server and from the disk, where "self" is no address and `file:` is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_ARTICLE = re.compile(r"<article\b.*</article>", re.DOTALL | re.IGNORECASE)
_INLINE = re.compile(
    r"<script\b((?:(?!\bsrc\s*=)[^>])*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE
)
_HANDLER = re.compile(r"<[a-z][^<>]*\son[a-z]+=\"([^\"]*)\"", re.IGNORECASE)
_DATA = re.compile(r"\btype\s*=\s*[\"']?(?!text/javascript|module)[\w.+-]+/", re.IGNORECASE)
_MARK = '<meta http-equiv="Content-Security-Policy"'


def connect(app: Sphinx) -> None:
    """Put the policy into the pages once they are written."""
    app.connect("build-finished", _protect_pages)


def _protect_pages(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            if "_static" not in path.relative_to(app.outdir).parts:
                text = path.read_text(encoding="utf-8")
                if (protected := protect(text)) != text:
                    path.write_text(protected, encoding="utf-8")


def protect(page: str) -> str:
    """Return a page with its policy as the first thing in its head; it may have one already.

    Args:
        page: HTML.
    """
    head = _HEAD.search(page)
    if head is None or _MARK in page:
        return page
    return f'{page[: head.end()]}\n{_MARK} content="{policy(page)}" />{page[head.end() :]}'


def policy(page: str) -> str:
    """Return the policy of a page: hashes of the scripts and handlers outside of its article.

    Args:
        page: HTML.

    Example:
        >>> policy("<script>f()</script><article><script>g()</script></article>").count("sha256-")
        1
    """
    theme = _ARTICLE.sub("", page)
    scripts = [code for kind, code in _INLINE.findall(theme) if not _DATA.search(kind)]
    handlers = _HANDLER.findall(theme)
    hashes = sorted({_hash(code) for code in [*scripts, *handlers]})
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    run = f"'self' file: {allowed}" + (" 'unsafe-hashes'" if handlers else "")
    return "; ".join(
        [
            "default-src 'self' file:",
            f"script-src {run}",
            "style-src 'self' file: 'unsafe-inline'",
            "img-src 'self' file: data:",
            "font-src 'self' file: data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self' file:",
        ]
    )


def _hash(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
