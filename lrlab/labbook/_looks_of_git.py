"""The looks that git's history holds: every committed version of every entry, oldest first."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lrlab.labbook.entries.logbook import claims_of
from lrlab.labbook.looks import Look, look

_RECORD = re.compile(r"book/log/[0-9][^/]*\.json")


def looks_of_git(root: Path) -> Iterator[Look]:
    """Yield a look for each committed version of an entry at full size and declared parameters.

    Args:
        root: the laboratory's folder, in a repository with its whole history.

    Raises:
        subprocess.CalledProcessError: if git can't read the history.
    """
    said = _git(root, "log", "--reverse", "--format=commit %H", "--name-only", "--", "book/log")
    commit = ""
    for line in said.decode().splitlines():
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif _RECORD.fullmatch(line):
            try:
                record = json.loads(_git(root, "show", f"{commit}:{line}"))
                page = line.removesuffix(".json") + ".ipynb"
                notebook = json.loads(_git(root, "show", f"{commit}:{page}"))
            except subprocess.CalledProcessError:
                continue  # deleted in this commit
            if record["size"] == "full" and not record["changed"]:
                yield look(record | {"commit": commit}, claims_of(notebook), None)


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", root, *arguments], capture_output=True, check=True).stdout
