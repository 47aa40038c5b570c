"""Where a laboratory is, and where things lie in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lrlab.labbook.entries.errors import BadInput


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder, upwards from `start`, that is a laboratory.

    A laboratory is a folder that holds `_toc.yml` and `notebooks/`.

    Args:
        start: where to begin; the working folder by default.

    Raises:
        BadInput: if there is none.
    """
    try:
        start = (start or Path.cwd()).resolve()
    except OSError as error:
        raise BadInput(f"the working folder can't be found: {error.strerror}") from None
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise BadInput(
        "this folder is not in a laboratory: no parent folder holds _toc.yml and notebooks/"
    )


def log_folder(root: Path) -> Path:
    """Return the folder of the log's entries."""
    return root / "book" / "log"


def of_entry(path: Path) -> Path:
    """Return the laboratory of an entry's file: the inverse of `log_folder`."""
    return path.parents[2]


def reference_folder(root: Path) -> Path:
    """Return the folder of the executed smoke notebooks that validation compares with."""
    return root / "tests" / "reference"


def partial_folder(root: Path) -> Path:
    """Return the folder where notebooks that failed are kept to be looked at."""
    return root / ".lrlab" / "partial"


def git(root: Path, *arguments: str) -> str | None:
    """Return what a git command prints, or `None` where git or a repository is missing."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
