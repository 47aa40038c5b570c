"""Where studies are kept: in memory, in a SQLite file, or in a database that machines share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna

from lrlab.checks import need
from lrlab.sweep._place import cannot, check_notes, file_of, foreign, preflight, spelled_out
from lrlab.sweep._seal import damage
from lrlab.sweep.search import Search

__all__ = ["open_study"]

HEARTBEAT_SECONDS = 30
PATIENCE = 20  # seconds that an asynchronous worker waits for others that are opening the study


def folder_beside(storage: str | None) -> Path | None:
    """Return the folder beside a SQLite file in which its trials keep what they said."""
    path = file_of(storage)
    return None if path is None else path.with_suffix(".trials")


def connect(url: str, *, heartbeat: int | None = None) -> optuna.storages.RDBStorage:
    """Return Optuna's storage behind a URL.

    Args:
        url: such as ``sqlite:///sweep.db`` or ``postgresql+psycopg://user@host/database``.
        heartbeat: seconds between two signs of life of a worker; None: they give none.

    Raises:
        ValueError: if it can't be opened.
    """
    import sqlalchemy

    if url.startswith("postgresql"):
        need("psycopg")
    url = spelled_out(url)
    # A connection is given back at once: workers come and go, and are killed.
    arguments: dict[str, Any] = {"engine_kwargs": {"poolclass": sqlalchemy.pool.NullPool}}
    if url.startswith("sqlite"):
        arguments["engine_kwargs"]["connect_args"] = {"timeout": 60}
    if heartbeat is not None:
        arguments |= {
            "heartbeat_interval": heartbeat,
            "grace_period": 3 * heartbeat,
            "heartbeat_stale_trial_callback": optuna.storages.RetryHeartbeatStaleTrialCallback(),
        }
    refused = (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError, RuntimeError)
    try:
        storage = optuna.storages.RDBStorage(url, **arguments)
    except (*refused, optuna.exceptions.OptunaError) as error:
        raise ValueError(cannot(error)) from None
    if heartbeat is not None and url.startswith("sqlite"):
        # Lock before reading, or two workers take the same trial: SQLite knows no row locks.
        lock = "BEGIN IMMEDIATE"
        sqlalchemy.event.listen(storage.engine, "begin", lambda to: to.exec_driver_sql(lock))
    return storage


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
        check_notes(None, name, noted, None)
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
        raise ValueError(foreign(name))
    if before is not None:
        check_notes(plan, name, noted, None)
    if before != said:
        study.set_user_attr("plan", said)
    return study


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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna say errors only, meanwhile."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
