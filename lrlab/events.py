"""What a running notebook tells the program that started it, as one JSON line per event."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VARIABLE = "LRLAB_EVENTS"
NOTEBOOK = "LRLAB_NOTEBOOK"  # in which a runner tells a kernel the name of what it runs


def heard() -> bool:
    """Return whether a program listens to events, and shows progress in our place.

    Example:
        >>> heard()
        False
    """
    return bool(os.environ.get(VARIABLE))


def emit(kind: str, **data: Any) -> None:
    r"""Append one event to the file that the environment variable `LRLAB_EVENTS` names.

    Without the variable nothing happens, so that code can emit wherever it runs. A line is written
    by a single append, so that lines of several processes don't mix.

    Args:
        kind: what happened: `plan`, `run`, `progress` or `input`.
        **data: anything JSON can hold.

    Raises:
        TypeError: if `data` can't be written as JSON.

    Example:
        >>> emit("progress", label="eigenvalues", done=1, total=3)
    """
    if not heard():
        return
    line = json.dumps({"event": kind, **data}) + "\n"
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def tell_of_files(folder: str, root: str) -> None:
    """Tell of every file below a folder that this process reads from now on: name and hash.

    What a notebook reads is then known, however it does so; the hook stays until the process ends.

    Args:
        folder: where the files lie.
        root: the folder that their names are relative to.
    """
    place, above = Path(folder).resolve(), Path(root).resolve()
    known: set[str] = set()

    def opened(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str) or arguments[0] in known:
            return
        path = Path(arguments[0]).resolve()
        if path.is_relative_to(place) and path.is_file():
            known.update((arguments[0], str(path)))
            name = path.relative_to(above).as_posix()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            emit("input", what="file", name=name, sha256=digest)

    sys.addaudithook(opened)


class Reader:
    """Reads the events of a file that is still being written, each of them once.

    Args:
        path: the file that `LRLAB_EVENTS` names; it need not exist yet.

    Example:
        >>> list(Reader(Path("no-such-file")))
        []
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the events that were completed since the last time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                yield json.loads(line)
