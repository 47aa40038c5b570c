"""Sphinx on a page or two: each time a fork of this process, which has loaded it already."""

import multiprocessing
import sys
import warnings
from pathlib import Path

import myst_parser.sphinx_ext.main  # noqa: F401
import sphinx.builders.html  # noqa: F401
from sphinx.cmd.build import main

FORK = multiprocessing.get_context("fork")


def render(root: Path) -> tuple[int | None, str]:
    """Build a folder strictly into its `_html`; return the exit code, and what was said."""
    said = root / "_said"
    process = FORK.Process(target=_render, args=(root, said))
    process.start()
    process.join()
    return process.exitcode, said.read_text("utf-8")


def _render(root: Path, said: Path) -> None:
    warnings.resetwarnings()
    warnings.simplefilter("ignore")  # of Python: those of Sphinx are told all the same
    with said.open("w", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        words = ["-q", "-W", "--keep-going", "-b", "html", str(root), str(root / "_html")]
        code = main(words)
    sys.stdout = sys.stderr = sys.__stderr__
    sys.exit(code)
