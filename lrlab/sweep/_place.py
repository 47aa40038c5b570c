"""Where a study is kept, looked at before anything is written: may it be, and is it ours."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lrlab.sweep.search import Search, same

_TABLES = {"studies", "trials", "version_info", "study_user_attributes"}  # of Optuna
_BEGINNINGS = ("study_", "trial_", "alembic_")  # of its other ones
_RUNNING = "another process works on {} already; asynchronous workers can share a study"


def preflight(plan: Search | None, storage: str | None, name: str, mode: str | None = None) -> None:
    """Find out, without writing anything, whether a study can be opened.

    Args:
        plan: as for `open_study`.
        storage: URL of the storage; None: in memory.
        name: of the study.
        mode: ``"in lockstep"`` or ``"asynchronously"``: how it is going to be carried out.

    Raises:
        ValueError: if it can't.
    """
    if storage is None:
        return
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise ValueError(f"a study's name has 1 to 200 letters, got {name!r}")
    path = file_of(storage)
    if path is None:
        if plan is None:
            _check_tables(storage, name)
        return
    if path.is_dir():
        raise ValueError(f"the study's storage can't be opened: {path} is a folder")
    if not path.exists():
        if plan is None:
            raise ValueError(f"there is no study yet: {path.name} does not exist")
        if not path.parent.is_dir():
            raise ValueError(f"the study's storage can't be opened: no folder {path.parent}")
        if not os.access(path.parent, os.W_OK):
            raise ValueError(f"the study can't be kept: {path.parent} can't be written to")
        return
    if plan is not None and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise ValueError(f"the study can't be kept: {path.name} can't be written to")
    found = _attributes(path, name)
    if found is None:
        if plan is None:
            raise ValueError(f"the storage has no study {name!r}")
        return
    check_notes(plan, name, found, mode)


def _attributes(path: Path, name: str, mode: str = "ro") -> dict[str, Any] | None:
    """The notes of a study in a file that is only read, None where there is none of this name."""
    try:
        return _read(path, name, mode)
    except (sqlite3.Error, UnicodeError, json.JSONDecodeError) as error:
        # What a killed process was writing has to be rolled back first, as SQLite always does.
        journal = path.with_name(path.name + "-journal")
        if mode == "ro" and isinstance(error, sqlite3.OperationalError) and journal.exists():
            return _attributes(path, name, "rw")
        raise ValueError(f"{cannot(error)} ({path.name})") from None


def _read(path: Path, name: str, mode: str) -> dict[str, Any] | None:
    url = f"file:{quote(str(path.resolve()))}?mode={mode}"
    with contextlib.closing(sqlite3.connect(url, uri=True, timeout=60)) as base:
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master")}
        tables = {table for table in tables if not table.startswith(("sqlite_", "ix_"))}
        if not tables >= _TABLES:  # or the first process was killed while it made them
            if all(table in _TABLES or table.startswith(_BEGINNINGS) for table in tables):
                return None
            raise ValueError(f"{path.name} is the database of another program")
        query = "SELECT study_id FROM studies WHERE study_name = ?"
        found = base.execute(query, (name,)).fetchone()
        if found is None:
            return None
        query = "SELECT key, value_json FROM study_user_attributes WHERE study_id = ?"
        notes = {key: json.loads(value) for key, value in base.execute(query, found)}
        query = "SELECT COUNT(*) FROM trials WHERE study_id = ?"
        return notes | {"trials": base.execute(query, found).fetchone()[0]}


def _check_tables(storage: str, name: str) -> None:
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(spelled_out(storage), poolclass=sqlalchemy.pool.NullPool)
        if not sqlalchemy.inspect(engine).has_table("studies"):
            raise ValueError(f"the storage has no study {name!r}")
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise ValueError(cannot(error)) from None


def check_notes(plan: Search | None, name: str, found: dict[str, Any], mode: str | None) -> None:
    before = found.get("plan")
    if not isinstance(before, dict):
        if plan is not None and found.get("trials") == 0:
            return  # it was begun, and interrupted at once
        raise ValueError(foreign(name))
    if plan is None:
        return
    if differing := same(plan, before):
        raise ValueError(
            f"the study {name!r} was begun with another {', '.join(differing)}; "
            "give this sweep another name, or go on with the same plan"
        )
    if mode is not None and found.get("mode", mode) != mode:
        raise ValueError(
            f"the study {name!r} was begun in another way, {found['mode']}; go on with it so, or "
            "give this sweep another name"
        )


def spelled_out(url: str) -> str:
    """Return a URL with the driver that we have for PostgreSQL."""
    return re.sub("^postgresql://", "postgresql+psycopg://", url)


def foreign(name: str) -> str:
    return f"the study {name!r} was made by another program; give this sweep another name"


def cannot(error: BaseException) -> str:
    return (
        f"the study's storage can't be opened: {str(error).splitlines()[0] if str(error) else ''}"
    )


@contextlib.contextmanager
def alone(storage: str | None, *, wait: float = 0.0) -> Iterator[None]:
    """Let no other process of this machine work in lockstep on the same SQLite file meanwhile.

    Args:
        storage: URL of the storage.
        wait: seconds that another one may take to be done.

    Raises:
        ValueError: if one does already.
    """
    import filelock

    path = file_of(storage)
    if path is None:
        yield
        return
    beside = path.with_name(path.name + ".lock")
    lock = filelock.FileLock(beside, timeout=wait)
    try:
        beside.touch()  # where nothing can be written, waiting for the lock changes nothing
        lock.acquire()
    except filelock.Timeout:
        raise ValueError(_RUNNING.format(path.name)) from None
    except OSError as error:
        raise ValueError(f"the study can't be kept: {error.strerror}: {path.parent}") from None
    try:
        yield
    finally:
        lock.release()


def file_of(storage: str | None) -> Path | None:
    """The SQLite file behind a URL.

    Raises:
        ValueError: if it is kept in memory or may only be read.
    """
    if storage is None:
        return None
    import sqlalchemy

    if not isinstance(storage, str):
        raise ValueError(f"storage must be a URL such as sqlite:///sweep.db, got {storage!r}")
    try:
        url = sqlalchemy.make_url(storage)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise ValueError(cannot(error)) from None
    if url.get_backend_name() != "sqlite":
        return None
    place = (url.database or "").removeprefix("file:").partition("?")[0]
    if not place or ":memory:" in place or url.query.get("mode") == "memory":
        raise ValueError(
            "a study in memory would be lost with this process; name a file, such as "
            "sqlite:///sweep.db"
        )
    if url.query.get("mode") == "ro" or "immutable" in url.query:
        raise ValueError("the study can't be kept: its storage may only be read")
    return Path(place)
