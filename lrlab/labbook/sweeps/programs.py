"""A search over a script: several run at a time as the workers, each up to the next rung."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from lrlab import sweep as sweeps  # which loads what it has when it is asked for
from lrlab.labbook.sweeps._process import Process
from lrlab.labbook.sweeps.script import Script
from lrlab.sweep import reporting
from lrlab.sweep.storage import folder_beside
from lrlab.sweep.workers import Params, Progress

if TYPE_CHECKING:
    import optuna


def search(
    plan: Script,
    *,
    storage: str | None = None,
    name: str = "sweep",
    n_jobs: int | None = None,
    progress: bool = True,
) -> optuna.Study:
    """Carry out a search over a script, or go on with it; see `lrlab.sweep.sweep`.

    What the trials said is kept in a folder beside a SQLite file, else in the working folder.

    Args:
        plan: what is searched.
        storage: URL of the storage; None keeps the study in memory.
        name: of the study in the storage.
        n_jobs: scripts that run at a time; None: one for each core.
        progress: show a line of progress.

    Returns:
        The study.

    Raises:
        ValueError: if the plan or the storage makes no sense.
    """
    folder = folder_beside(storage) or Path(f"{name}.trials")
    with contextlib.closing(_Scripts(plan, folder, n_jobs)) as workers:
        return sweeps.sweep(plan, storage=storage, name=name, progress=progress, workers=workers)


class _Scripts:
    """Starts a script for each trial, and hears what it says.

    Args:
        plan: what is searched.
        folder: where each trial has a folder for what it said.
        n_jobs: scripts that run at a time; None: one for each core.
    """

    def __init__(self, plan: Script, folder: Path, n_jobs: int | None) -> None:
        self._plan, self._folder = plan, folder
        self._processes: dict[int, Process] = {}
        self._started: list[Process] = []
        self._lock = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(n_jobs or joblib.cpu_count())
        self._ending: list[concurrent.futures.Future[None]] = []
        self._key = secrets.token_bytes(16)
        try:
            self._listener = Listener(authkey=self._key)
        except OSError:  # a temporary folder whose name is too long for a local socket
            self._listener = Listener(("127.0.0.1", 0), authkey=self._key)
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def advance(self, waiting: Mapping[int, Params], stage: int) -> Iterator[tuple[int, Progress]]:
        """Yield trial by trial how far it came, in any order."""
        calls = [self._pool.submit(self._one, n, params, stage) for n, params in waiting.items()]
        for call in concurrent.futures.as_completed(calls):
            yield call.result()

    def _one(self, number: int, params: Params, stage: int) -> tuple[int, Progress]:
        if number not in self._processes:
            try:
                self._start(number, params)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                return number, Progress((), (), failed=f"it can't be started: {reason}")
        found = self._processes[number].go(stage)
        if found.ended or found.failed:
            self._processes.pop(number, None)
        return number, found

    def _start(self, number: int, params: Params) -> None:
        folder = self._folder / f"{number:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "config.json").absolute()
        file.write_text(json.dumps(self._plan.config(params), indent=1) + "\n", "utf-8")
        words = self._plan.words(params, file)
        environment = os.environ | {
            reporting.ADDRESS: str(self._listener.address),
            reporting.KEY: self._key.hex(),
            reporting.TRIAL: str(number),
            reporting.CONFIG: str(file),
        }
        with self._lock:
            if not self._open:
                raise ValueError("the sweep is ending")
            process = Process(
                words,
                folder,
                self._plan.metric,
                environment,
                timeout=self._plan.timeout,
                grace=self._plan.grace,
            )
            self._started.append(process)
            self._processes[number] = process  # known before the lock lets its first word in

    def end(self, number: int) -> None:
        """Tell the script of a trial that the rule has stopped it."""
        process = self._processes.pop(number, None)
        if process is not None:
            self._ending.append(self._pool.submit(process.stop))

    def close(self, *, clean: bool = True) -> None:
        """End whatever still runs; no process is left.

        Args:
            clean: wait until those that were told to end have done so.
        """
        if clean:
            concurrent.futures.wait(self._ending)
        with self._lock:
            self._open = False
            for process in self._started:
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        with contextlib.suppress(OSError):
            self._listener.close()

    def _accept(self) -> None:
        while self._open:
            try:
                connection = self._listener.accept()
            except Exception:  # closed, or somebody without the key
                if not self._open:
                    return
                continue
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        with connection, contextlib.suppress(EOFError, OSError, ValueError, KeyError, TypeError):
            while True:
                said: dict[str, Any] = json.loads(connection.recv_bytes())
                with self._lock:  # a script that is being started may speak already
                    process = self._processes.get(int(said["trial"]))
                goes_on = process is not None and process.heard(said["step"], said["metrics"])
                connection.send_bytes(reporting.GO if goes_on else reporting.STOP)
