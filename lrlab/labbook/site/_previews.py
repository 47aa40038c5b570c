"""What others show of a page: its description, its picture and its address; and the site's map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape as escape_xml

from docutils import nodes

from lrlab.labbook.answers import answer_of
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._gallery import first_sentence

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.site.site import Site

LENGTH = 200  # characters of a description
_WITHOUT = {"search", "genindex", "py-modindex", "404"}  # pages that nobody looks for
_ICON = Path(__file__).parent / "assets" / "favicon.svg"


def connect(app: Sphinx) -> None:
    """Give pages descriptions, and the site an icon, a page for what is not there, and a map."""
    app.connect("config-inited", _add_icon, priority=900)
    app.connect("html-page-context", _describe, priority=950)  # after the frame
    app.connect("html-collect-pages", _missing)
    app.connect("build-finished", _write_map)


def _add_icon(app: Sphinx, config: Any) -> None:
    config.html_favicon = config.html_favicon or str(_ICON)


def described(text: str) -> str:
    """A text as a description: one line, of whole words and at most 200 characters.

    Example:
        >>> described("A short text.")
        'A short text.'
        >>> len(described("word " * 100)) <= 200
        True
    """
    line = " ".join(text.split())
    if len(line) <= LENGTH:
        return line
    return line[: LENGTH - 1].rpartition(" ")[0].rstrip(",;:–-") + "…"


def description(site: Site, page: str, doctree: nodes.document | None) -> str:
    """What a page says in a sentence: an entry's answer or question, else its first paragraph."""
    if entry := site.by_document.get(page):
        found = answer_of(entry.content())
        return described(first_sentence(found.text) if found else sites.question(entry))
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        text = re.sub(r"\$[^$]*\$", "", paragraph.astext())
        if len(text) > 40 and isinstance(paragraph.parent, nodes.section):
            return described(text)
    return ""


def tags(site: Site, page: str, title: str, text: str, picture: tuple[str, str] | None) -> str:
    """The elements of a page's head that describe it; with the site's address also its preview.

    Args:
        site: the log.
        page: name of the page.
        title: its title.
        text: its description.
        picture: where its picture is on the site and what it shows; None without one.
    """
    found = [_meta("name", "description", text)] if text else []
    if site.address and page not in _WITHOUT:
        kind = "article" if page in site.by_document else "website"
        found += [
            _meta("property", "og:type", kind),
            _meta("property", "og:title", title),
            _meta("property", "og:url", f"{site.address}{page}.html"),
        ]
        found += [_meta("property", "og:description", text)] if text else []
        if picture:
            found += [
                _meta("property", "og:image", f"{site.address}{picture[0]}"),
                _meta("property", "og:image:alt", picture[1]),
                _meta("name", "twitter:card", "summary_large_image"),
            ]
    return "\n    ".join(found)


def _meta(kind: str, name: str, content: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(content)}" />'


def _describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    site = sites.of(app)
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    text = description(site, page, doctree)
    head = tags(site, page, title, text, _picture(doctree))
    context["metatags"] = f"{context.get('metatags', '')}\n    {head}"
    if page in _WITHOUT:
        context["pageurl"] = None


def _picture(doctree: nodes.document | None) -> tuple[str, str] | None:
    """The first picture of a page as it is written, which is the headline of an entry."""
    for image in doctree.findall(nodes.image) if doctree else ():
        _, folder, name = image["uri"].rpartition("_images/")
        if folder:
            return f"{folder}{name}", image.get("alt", "")
    return None


def _missing(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page that a server shows where there is none: from anywhere, so its links are whole."""
    home = sites.of(app).address or "/"
    yield "404", {"title": "Page not found", "lrlab_home": home}, "404.html"


def sitemap(address: str, pages: list[str]) -> str:
    """The addresses of a site's pages, as the search engines' XML."""
    lines = "".join(
        f"<url><loc>{escape_xml(f'{address}{page}.html')}</loc></url>\n" for page in pages
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
    )


def _write_map(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    out, site = Path(app.outdir), sites.of(app)
    made = {out / "robots.txt": b"User-agent: *\nAllow: /\n"}
    if site.address:
        made[out / "robots.txt"] += f"Sitemap: {site.address}sitemap.xml\n".encode()
        pages = sorted(page for page in app.env.found_docs if not _superseded(site, page))
        made[out / "sitemap.xml"] = sitemap(site.address, pages).encode()
    else:
        (out / "sitemap.xml").unlink(missing_ok=True)
    for path, content in made.items():
        sites.write(path, content)


def _superseded(site: Site, page: str) -> bool:
    entry = site.by_document.get(page)
    return entry is not None and bool(entry.superseded_by)
