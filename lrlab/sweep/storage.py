"""Where studies are kept: in memory, in a SQLite file, or in a database that machines share."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna

from lrlab.checks import need
from lrlab.sweep._seal import damage
from lrlab.sweep._search import Search, same

__all__ = ["open_study"]

HEARTBEAT_SECONDS = 30
PATIENCE = 20  # seconds that an asynchronous worker waits for others that are opening the study
_TABLES = {"studies", "trials", "version_info", "study_user_attributes"}  # of Optuna
_BEGINNINGS = ("study_", "trial_", "alembic_")  # of its other ones
_RUNNING = "another process works on {} already; asynchronous workers can share a study"


def connect(url: str, *, heartbeat: int | None = None) -> optuna.storages.RDBStorage:
    """Return Optuna's storage behind a URL.

    Args:
        url: such as ``sqlite:///sweep.db`` or ``postgresql+psycopg://user@host/database``.
        heartbeat: seconds between two signs of life of a worker; None: they give none.

    Raises:
        ValueError: if it can't be opened.
    """
    import sqlalchemy

    arguments: dict[str, Any] = {}
    if url.startswith("postgresql"):
        need("psycopg")
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    # A connection is given back at once: workers come and go, and are killed.
    arguments["engine_kwargs"] = {"poolclass": sqlalchemy.pool.NullPool}
    if url.startswith("sqlite"):
        arguments["engine_kwargs"]["connect_args"] = {"timeout": 60}
    if heartbeat is not None:
        retry = optuna.storages.RetryHeartbeatStaleTrialCallback()
        arguments |= {
            "heartbeat_interval": heartbeat,
            "grace_period": 3 * heartbeat,
            "heartbeat_stale_trial_callback": retry,
        }
    refused = (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError, RuntimeError)
    try:
        return optuna.storages.RDBStorage(url, **arguments)
    except (*refused, optuna.exceptions.OptunaError) as error:
        raise ValueError(_cannot(error)) from None


def open_study(
    plan: Search | None, storage: str | None, name: str, *, heartbeat: int | None = None
) -> optuna.Study:
    """Open a study, or begin it.

    Args:
        plan: what is searched; None opens a study that must exist.
        storage: URL of the storage; None keeps the study in memory.
        name: of the study in the storage.
        heartbeat: as for `connect`.

    Raises:
        ValueError: if the study there belongs to another plan or program, or must exist and
            doesn't; nothing is written then. A plan with more trials than before goes on with the
            study.

    Returns:
        The study.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> open_study(plan, None, "mine").study_name
        'mine'
    """
    preflight(plan, storage, name)
    backend = None if storage is None else connect(storage, heartbeat=heartbeat)
    return _opened(plan, backend, name)


def _opened(plan: Search | None, backend: Any, name: str) -> optuna.Study:
    if plan is None:
        try:
            with damage(KeyError):
                study = optuna.load_study(study_name=name, storage=backend)
                noted = study.user_attrs
        except KeyError:
            raise ValueError(f"the storage has no study {name!r}") from None
        _check_attributes(None, name, noted, None)
        return study
    direction: Any = plan.direction or "minimize"
    with quiet(), damage():
        study = optuna.create_study(
            study_name=name, storage=backend, direction=direction, load_if_exists=True
        )
        noted, empty = study.user_attrs, not study.get_trials(deepcopy=False)
    said = json.loads(json.dumps(plan.to_dict()))
    before = noted.get("plan")
    if before is None and not empty:
        raise ValueError(_foreign(name))
    if before is not None:
        _check_attributes(plan, name, noted, None)
    if before != said:
        study.set_user_attr("plan", said)
    return study


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
    path = _file(storage)
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
    _check_attributes(plan, name, found, mode)


def _attributes(path: Path, name: str, mode: str = "ro") -> dict[str, Any] | None:
    """The notes of a study in a file that is only read, None where there is none of this name."""
    try:
        return _read(path, name, mode)
    except (sqlite3.Error, UnicodeError, json.JSONDecodeError) as error:
        # What a killed process was writing has to be rolled back first, as SQLite always does.
        journal = path.with_name(path.name + "-journal")
        if mode == "ro" and isinstance(error, sqlite3.OperationalError) and journal.exists():
            return _attributes(path, name, "rw")
        raise ValueError(f"{_cannot(error)} ({path.name})") from None


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

    if storage.startswith("postgresql://"):
        storage = "postgresql+psycopg://" + storage.removeprefix("postgresql://")
    try:
        engine = sqlalchemy.create_engine(storage, poolclass=sqlalchemy.pool.NullPool)
        if not sqlalchemy.inspect(engine).has_table("studies"):
            raise ValueError(f"the storage has no study {name!r}")
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise ValueError(_cannot(error)) from None


def _check_attributes(
    plan: Search | None, name: str, found: dict[str, Any], mode: str | None
) -> None:
    before = found.get("plan")
    if not isinstance(before, dict):
        if plan is not None and found.get("trials") == 0:
            return  # it was begun, and interrupted at once
        raise ValueError(_foreign(name))
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


def _foreign(name: str) -> str:
    return f"the study {name!r} was made by another program; give this sweep another name"


def _cannot(error: BaseException) -> str:
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

    path = _file(storage)
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


def begin(plan: Search, storage: str, name: str, mode: str) -> tuple[optuna.Study, Any]:
    """Open a study that is going to be carried out in some mode, and note the mode.

    Call it under `alone`.

    Returns:
        The study and its storage.
    """
    preflight(plan, storage, name, mode)
    backend = connect(storage)
    study = _opened(plan, backend, name)
    if study.user_attrs.get("mode") != mode:
        study.set_user_attr("mode", mode)
    return study, backend


def folder_beside(storage: str | None) -> Path | None:
    """Return the folder beside a SQLite file in which its trials keep what they said."""
    path = _file(storage)
    return None if path is None else path.with_suffix(".trials")


def _file(storage: str | None) -> Path | None:
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
        raise ValueError(_cannot(error)) from None
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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna say errors only, meanwhile."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
