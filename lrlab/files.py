"""Files that are written as a whole or not at all, sealed against damage, and where caches are."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SEAL = hashlib.sha256().digest_size
_complained: set[Path] = set()


@contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which replaces `path` if nothing is raised.

    What was written is on the disk before the name is: after a loss of power the old file is there,
    or the new one.

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
        with suppress(OSError):  # not every system can do that with a folder
            _to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a full or broken disk, not a system that has no such call
            raise
    finally:
        os.close(descriptor)


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


def write_sealed(path: Path, payload: bytes) -> None:
    """Write all of a file or nothing, with the sha256 of its content behind it.

    Args:
        path: the file to be written; its folder is made if needed.
        payload: its content.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.bin"
        >>> write_sealed(path, b"payload")
        >>> read_sealed(path)
        b'payload'
    """
    write(path, payload + hashlib.sha256(payload).digest())


def read_sealed(path: Path) -> bytes:
    """Return the content of a file that `write_sealed` wrote.

    Args:
        path: the file.

    Raises:
        ValueError: if it can't be read, or if one bit of it is not what was written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_sealed(Path(folder) / "kept", b"payload")
        ...     read_sealed(Path(folder) / "kept")
        b'payload'
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} can't be read") from error
    if hashlib.sha256(data[:-_SEAL]).digest() != data[-_SEAL:]:
        raise ValueError(f"{path.name} is damaged")
    return data[:-_SEAL]


def cache_folder(start: Path | None = None) -> Path | None:
    """Return the absolute path of the store of runs; None where it is switched off.

    ``LRLAB_CACHE=off`` switches it off, ``LRLAB_CACHE=<folder>`` moves it: a relative one starts at
    the working folder, and ``~`` is the home. Otherwise it is ``.lrlab/runs`` in the laboratory
    around `start`, or ``~/.cache/lrlab/runs``.

    Args:
        start: where a laboratory is looked for; the working folder by default.

    Raises:
        OSError, RuntimeError: if there is no working folder, or no home, to start from.

    Example:
        >>> from unittest.mock import patch
        >>> with patch.dict(os.environ, LRLAB_CACHE="/tmp/of-mine"):
        ...     cache_folder().as_posix()
        '/tmp/of-mine'
    """
    value = os.environ.get("LRLAB_CACHE", "").strip()
    if value.lower() == "off":
        return None
    if value:
        return Path(value).expanduser().absolute()
    here = Path.cwd() if start is None else start.absolute()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder / ".lrlab" / "runs"
    return Path.home() / ".cache" / "lrlab" / "runs"


def data_folder() -> Path | None:
    """Return the absolute path of the folder of drawn data; None where nothing is kept.

    It is ``~/.cache/lrlab/data``, or where ``LRLAB_DATA`` says, for all laboratories: data depend
    on no run, so that validation, whose store of runs is empty at the beginning, need not draw
    them again. ``LRLAB_CACHE=off`` or ``LRLAB_DATA=off`` draws them afresh.

    Raises:
        OSError, RuntimeError: if there is no working folder, or no home, to start from.

    Example:
        >>> from unittest.mock import patch
        >>> with patch.dict(os.environ, LRLAB_CACHE="off"):
        ...     data_folder() is None
        True
    """
    places = [os.environ.get(name, "").strip() for name in ("LRLAB_CACHE", "LRLAB_DATA")]
    if "off" in (place.lower() for place in places):
        return None
    return Path(places[1] or "~/.cache/lrlab/data").expanduser().absolute()


def usable(folder: Path) -> bool:
    """Whether files can be written to the folder of a cache; where not, `complain` about it.

    Args:
        folder: it need not exist yet, and is not made.

    Example:
        >>> import tempfile
        >>> usable(Path(tempfile.mkdtemp()) / "runs")
        True
    """
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    probe = there / f".{uuid.uuid4().hex}.tmp"
    try:
        try:
            probe.write_bytes(bytes(4096))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        complain(folder, error)
        return False
    return True


def complain(folder: Path, error: Exception) -> None:
    """Warn, once for each folder in a process, that a cache can't be used; nothing else is lost.

    Args:
        folder: where it should be.
        error: why it can't.

    Example:
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     for _ in range(2):
        ...         complain(Path("/nowhere"), PermissionError("forbidden"))
        >>> [str(one.message) for one in said]
        ['what is computed is not kept: forbidden (/nowhere)']
    """
    if folder not in _complained:
        _complained.add(folder)
        reason = getattr(error, "strerror", None) or str(error)
        warnings.warn(f"what is computed is not kept: {reason} ({folder})", stacklevel=3)
