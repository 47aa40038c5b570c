"""Files that are written as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which replaces `path` if nothing is raised.

    Args:
        path: the file to be written; its folder is made if needed.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with written_atomically(folder / "a.txt") as temporary:
        ...     _ = temporary.write_text("all of it")
        >>> [p.name for p in folder.iterdir()]
        ['a.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not mkstemp, whose files nobody else may read.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        _to_disk(temporary)
        temporary.replace(path)
        _to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    # A rename that survives a power cut, with content that does not, would be half a file.
    with contextlib.suppress(OSError):  # some file systems can't, and folders only on POSIX
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Write all of a file or nothing.

    Args:
        path: the file to be written; its folder is made if needed.
        data: its content.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> write(path, b"all of it")
        >>> path.read_bytes()
        b'all of it'
    """
    with written_atomically(path) as temporary:
        temporary.write_bytes(data)
