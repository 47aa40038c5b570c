"""What a kernel is told to tell, and what is heard of it: the events of `lrlab.events`."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrlab import events


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
            events.emit("input", what="file", name=name, sha256=digest)

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
