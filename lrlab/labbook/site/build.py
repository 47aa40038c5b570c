"""Render the book: in parallel, strictly, and again only what changed."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ENVIRONMENT = "environment.pickle"
# Events of Sphinx, and the part of the work that ends with each.
_PARTS = {
    "env-before-read-docs": "starting",
    "env-updated": "reading",
    "html-collect-pages": "writing",
    "build-finished": "finishing",
}


@dataclass
class Report:
    """What a build did.

    Args:
        pages: number of pages.
        read: how many of them were read; the others were known.
        seconds: how long each part took.
        warnings: number of warnings, each of which was said on standard error.
    """

    pages: int = 0
    read: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: int = 0

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        total = sum(self.seconds.values())
        return f"{self.pages} pages, {self.read} of them read anew, in {total:.0f} s ({parts})"


def build(root: Path, out: Path | None = None, jobs: int | None = None) -> Report:
    """Render the book.

    Pages that are known from the last build are not read again; what a reader sees is the same as
    after a build from nothing. After one with warnings the next build starts from nothing.

    Args:
        root: the laboratory's folder.
        out: where pages go; `_build/html` by default. What else is made lies beside it.
        jobs: number of processes; one more than there are processors by default.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    clock = time.perf_counter()
    out = out or root / "_build" / "html"
    doctrees = out.parent / ".doctrees"
    report = Report()
    # All pages are written, so the words of the last build need not be known.
    (out / "searchindex.js").unlink(missing_ok=True)
    try:
        with patch_docutils(str(root)), docutils_namespace(), _garbage_seldom():
            app = Sphinx(
                srcdir=root,
                confdir=None,
                outdir=out,
                doctreedir=doctrees,
                buildername="html",
                confoverrides=settings(root),
                status=None,
                warning=sys.stderr,
                warningiserror=True,
                keep_going=True,
                # While pages are written, the main process does little but hand them out.
                parallel=jobs or len(os.sched_getaffinity(0)) + 1,
            )
            made: set[str] = set()
            _watch(app, report, clock, made)
            app.build(force_all=True)
            _sweep(app, made)
    except BaseException:
        (doctrees / _ENVIRONMENT).unlink(missing_ok=True)
        raise
    report.pages, report.warnings = len(app.env.found_docs), app._warncount
    if report.warnings:
        (doctrees / _ENVIRONMENT).unlink(missing_ok=True)
    return report


@contextmanager
def _garbage_seldom() -> Iterator[None]:
    """Pages are many objects, most of which stay: looking for garbage took a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def settings(root: Path) -> dict[str, Any]:
    """Sphinx's settings, as Jupyter Book makes them from `_config.yml`."""
    from jupyter_book.config import get_final_config

    made, _ = get_final_config(
        user_yaml=root / "_config.yml",
        sourcedir=root,
        cli_config={"latex_individualpages": False, "nitpicky": True},
    )
    return made


def _watch(app: Sphinx, report: Report, clock: float, made: set[str]) -> None:
    """Note how long each part takes, how many pages are read and which extensions make."""

    def note(event: str) -> Any:
        def at(*arguments: Any) -> list[Any] | None:
            now = time.perf_counter()
            report.seconds[_PARTS[event]] = now - clock - sum(report.seconds.values())
            if event == "env-before-read-docs":
                report.read = len(arguments[2])
            return [] if event == "html-collect-pages" else None

        return at

    for event in _PARTS:
        app.connect(event, note(event), priority=1 if event == "html-collect-pages" else 999)
    app.connect("html-page-context", lambda app, page, *_: made.add(page))


def _sweep(app: Sphinx, made: set[str]) -> None:
    """Remove pages, pictures and downloads of an earlier build that this one did not make."""
    out = Path(app.outdir)
    builder: Any = app.builder
    modules = getattr(app.env, "_viewcode_modules", {})
    sources = {f"_modules/{name.replace('.', '/')}" for name, known in modules.items() if known}
    pages = {"index.html", *(f"{page}.html" for page in made | app.env.found_docs | sources)}
    downloads = {where for _, where in app.env.dlfiles.values()}
    for path in _files(out):
        name = path.relative_to(out).as_posix()
        if name.startswith("_images/"):
            stale = path.name not in builder.images.values()
        elif name.startswith("_downloads/"):
            stale = name.removeprefix("_downloads/") not in downloads
        else:
            stale = path.suffix == ".html" and not name.startswith("_static/") and name not in pages
        if stale:
            path.unlink()
    for folder in (out / "_downloads").glob("*"):
        if not any(folder.iterdir()):
            folder.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
