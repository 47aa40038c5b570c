"""Where studies are kept: in memory, in a SQLite file, or in a database that machines share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

if TYPE_CHECKING:
    from lrlab.sweep.plan import Plan

HEARTBEAT_SECONDS = 30
optuna.logging.set_verbosity(optuna.logging.WARNING)


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
    try:
        return optuna.storages.RDBStorage(url, **arguments)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"the study's storage can't be opened: {reason}") from None


def open_study(
    plan: Plan | None, storage: str | None, name: str, *, heartbeat: int | None = None
) -> optuna.Study:
    """Open a study, or begin it.

    Args:
        plan: what is searched; None opens a study that must exist.
        storage: URL of the storage; None keeps the study in memory.
        name: of the study in the storage.
        heartbeat: as for `connect`.

    Raises:
        ValueError: if the study there belongs to another plan, or must exist and doesn't. A plan
            with more trials than before goes on with the study.
    """
    if plan is None and (file := _file(storage)) and not file.exists():
        raise ValueError(f"there is no study yet: {file.name} does not exist")
    backend = None if storage is None else connect(storage, heartbeat=heartbeat)
    if plan is None:
        try:
            return optuna.load_study(study_name=name, storage=backend)
        except KeyError:
            raise ValueError(f"the storage has no study {name!r}") from None
    with _quiet():
        study = optuna.create_study(
            study_name=name, storage=backend, direction="minimize", load_if_exists=True
        )
    said = json.loads(json.dumps(plan.to_dict()))
    before = study.user_attrs.get("plan")
    if before is not None:
        differing = sorted(k for k in said if k != "trials" and said[k] != before.get(k))
        if differing:
            raise ValueError(
                f"the study {name!r} was begun with another {', '.join(differing)}; "
                "give this sweep another name, or go on with the same plan"
            )
    if before != said:
        study.set_user_attr("plan", said)
    return study


@contextlib.contextmanager
def held(storage: str | None) -> Iterator[None]:
    """Let no other process of this machine work in lockstep on the same SQLite file meanwhile.

    Raises:
        ValueError: if one does already.
    """
    import filelock

    path = _file(storage)
    if path is None:
        yield
        return
    lock = filelock.FileLock(path.with_name(path.name + ".lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ValueError(
            f"another process works on {path.name} already; asynchronous workers can share a study"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _file(storage: str | None) -> Path | None:
    """The SQLite file behind a URL."""
    if storage is None or not storage.startswith("sqlite:///"):
        return None
    return Path(storage.removeprefix("sqlite:///"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
