"""The place of an entry: tried and held before anything is computed, filled as a whole."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lrlab.files import write, written_atomically
from lrlab.labbook.entries.errors import BadInput, RunFailed

_PROBE = b"lrlab\n" * 10_000


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the place of an entry: it can be written, and no other process makes it meanwhile.

    What a killed process left behind is in nobody's way.

    Args:
        path: the notebook that is going to be written.

    Raises:
        BadInput: if the place can't be written, or if another process holds it.
    """
    made = _made(path.parent)
    try:
        _try_to_write(path)
        with alone(path):
            yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # something lies in it now
                folder.rmdir()


def put(path: Path, data: bytes, record: bytes, kept: Path) -> None:
    """Write an entry and its record, both or none.

    Args:
        path: the notebook's file.
        data: its content.
        record: the content of the record beside it.
        kept: where the notebook is left if it can't be written.

    Raises:
        RunFailed: if it can't be written after all.
    """
    try:
        with (
            written_atomically(path) as notebook,
            written_atomically(path.with_suffix(".json")) as beside,
        ):
            notebook.write_bytes(data)
            beside.write_bytes(record)
    except OSError as error:
        what = f"{path.name} can't be written: {error.strerror}"
        raise RunFailed(what, keep(data, kept)) from None


def keep(data: bytes, path: Path) -> Path | None:
    """Leave a notebook where it can be looked at: in its place, or else among temporary files.

    Returns:
        Where it is; None if it can be written nowhere.
    """
    with contextlib.suppress(OSError):
        write(path, data)
        return path
    with contextlib.suppress(OSError):
        elsewhere = Path(tempfile.mkdtemp(prefix="lrlab-kept-")) / path.name
        write(elsewhere, data)
        return elsewhere
    return None


def is_record(path: Path) -> bool:
    """Return whether a file is the record of an entry, and no other JSON."""
    try:
        return "entry_sha256" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _made(folder: Path) -> list[Path]:
    """Make a folder and return those that were not there before, the innermost first."""
    missing = []
    try:
        for one in (folder, *folder.parents):
            if one.is_dir():
                break
            missing.append(one)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return missing


def _try_to_write(path: Path) -> None:
    class Tried(Exception):
        pass

    if path.is_dir():
        raise BadInput(f"{path} is a folder, and the entry is a file")
    try:
        with contextlib.suppress(Tried), written_atomically(path) as probe:
            probe.write_bytes(_PROBE)
            raise Tried
    except OSError as error:
        raise _unwritable(path.parent, error) from None


def _unwritable(folder: Path, error: OSError) -> BadInput:
    return BadInput(f"{folder} can't be written to: {error.strerror}; nothing was executed")


@contextlib.contextmanager
def alone(path: Path, wait: float = 0) -> Iterator[None]:
    """Let no other process write a file meanwhile; what a killed one left is in nobody's way.

    Args:
        path: the file.
        wait: how long another process may take, in seconds.

    Raises:
        BadInput: if another process writes it, or if its folder can't be written to.
    """
    import filelock

    file = path.with_name(f".{path.name}.lock")
    lock = filelock.FileLock(file, timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise BadInput(
            f"another process is making {path.stem} at this moment; wait until it is done"
        ) from None
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    try:
        yield
    finally:
        file.unlink(missing_ok=True)  # while it is held: who waits for it looks again
        lock.release()
