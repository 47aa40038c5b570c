"""Which pages have to be read again, so that a build of what changed equals a build from nothing.

Sphinx asks files for their dates. Here each page has a fingerprint of all that it is made from, and
is read again when that is another one: an entry depends on the text that it becomes, a page about
the package on the package, and any other page on everything (they are few and quick). All pages are
written at every build, since a title or a claim may stand on any of them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lrlab
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import _uses as uses
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = Path(lrlab.__file__).parent
API = "book/api/"
# What makes pages: when this changes, every page is read again.
_MAKERS = ("labbook", "claims")
_MADE = ("__pycache__", "live")  # folders whose files are results


def connect(app: Sphinx) -> None:
    """Compare fingerprints before pages are read."""
    app.add_config_value("lrlab_makers", "", "env")
    app.connect("config-inited", _note_makers)
    app.connect("env-get-outdated", _outdated)


def _note_makers(app: Sphinx, config: Any) -> None:
    folders = [PACKAGE / name for name in _MAKERS]
    config.lrlab_makers = digest(path for folder in folders for path in _files(folder))
    # It numbers chapters after all pages are read, which we don't ask for; it does not say so.
    if numbering := app.extensions.get("sphinx_multitoc_numbering"):
        numbering.parallel_read_safe = True


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    now = fingerprints(app, env)
    before = getattr(env, "lrlab_fingerprints", {})
    env.lrlab_fingerprints = now  # type: ignore[attr-defined]
    stale = [document for document, value in now.items() if before.get(document) != value]
    _forget_sources(app, {*stale, *removed}, added - set(sites.of(app).by_document))
    return stale


def _forget_sources(app: Sphinx, stale: set[str], added: set[str]) -> None:
    """Have the pages of source code made again where a page that they link back to may differ."""
    modules = getattr(app.env, "_viewcode_modules", {}).values()
    users = {page for module in modules if module for page in module[2].values()}
    if added or stale & users:
        shutil.rmtree(Path(app.outdir) / "_modules", ignore_errors=True)


def fingerprints(app: Sphinx, env: BuildEnvironment) -> dict[str, str]:
    """What each page is made from, as a hash."""
    site = sites.of(app)
    package = digest(_files(PACKAGE))
    sources = [file for name in ("book", "notebooks") for file in _files(site.root / name)]
    book = digest(sources, package, site.address, site.repository, site.branch)
    used = "\n".join(uses.fingerprint(site))
    found = {}
    for document in env.found_docs:
        source = Path(env.doc2path(document))
        if document in site.by_document:
            text = source.read_text("utf-8")
            made = pages.decorate(text, site.by_document[document], site)
            uses_claims = any(f"{{{role}}}`" in text for role in ("claim", "measured"))
            found[document] = digest([], made, book if uses_claims else "")
        elif document.startswith(API):
            found[document] = digest([source], package, used)
        else:
            found[document] = digest([source, *_beside(source)], book)
    return found


def digest(paths: Iterable[Path], *more: str) -> str:
    """A hash of files' names and contents, and of texts."""
    value = hashlib.sha256()
    for part in [*(p for path in paths for p in (path.name.encode(), path.read_bytes()))]:
        value.update(hashlib.sha256(part).digest())
    for text in more:
        value.update(hashlib.sha256(text.encode()).digest())
    return value.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not set(path.relative_to(folder).parts) & set(_MADE):
            yield path


def _beside(source: Path) -> list[Path]:
    """The record of the run on this machine, which lies outside what git keeps."""
    record = source.with_suffix(".json")
    return [record] if record.is_file() else []
