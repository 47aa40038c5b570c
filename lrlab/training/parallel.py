"""Many runs at once: one process for each core, one thread in each process.

`train_many` is joblib. Inside ``joblib.parallel_config(backend="dask")`` (or ``"ray"``) the same
call runs on a cluster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import joblib
import torch
from joblib.parallel import get_active_backend
from tqdm import tqdm

from lrlab import events, files
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training._stopping import Stop
from lrlab.training.loop import train
from lrlab.training.probes import Probe
from lrlab.training.record import Run
from lrlab.training.results import Results
from lrlab.training.store import Store, default_store, run_key


class WorkerKilled(RuntimeError):
    """A worker process was killed from outside; what was finished is kept."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One run to be trained: the arguments of `lrlab.train`.

    Args:
        task: data, model and loss.
        recipe: how it is trained.
        probes: what else is measured.
        stop: when it ends early.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> Job(tasks.get("mnist", n_train=32), recipe).recipe.steps
        2
    """

    task: Task
    recipe: Recipe
    probes: tuple[Probe, ...] = ()
    stop: Stop | None = None

    @property
    def key(self) -> str | None:
        """The key of the run in a store."""
        return run_key(self.task, self.recipe, self.probes, self.stop)


@overload
def train_many(
    jobs: Mapping[Hashable, Job],
    *,
    n_jobs: int | None = ...,
    store: Store | str | None = ...,
    progress: bool = ...,
) -> Results: ...


@overload
def train_many(
    jobs: Sequence[Job],
    *,
    n_jobs: int | None = ...,
    store: Store | str | None = ...,
    progress: bool = ...,
) -> list[Run]: ...


def train_many(
    jobs: Mapping[Hashable, Job] | Sequence[Job],
    *,
    n_jobs: int | None = None,
    store: Store | str | None = "default",
    progress: bool = True,
) -> Results | list[Run]:
    """Train many runs in parallel and return them by key, or in the order of the jobs.

    Runs that the store knows are read from it, equal jobs are trained once, and each run is kept
    as soon as it is finished, so that an interrupted call loses nothing that was finished: the
    same call again goes on.

    Args:
        jobs: what is to be trained, by key or in a row.
        n_jobs: number of processes; None means one for each core (or what the active
            `joblib.parallel_config` says).
        store: where runs are kept; ``"default"`` is
            `lrlab.training.store.default_store`, None keeps none.
        progress: show a progress bar.

    Returns:
        One run for each job: `Results` with the keys of the jobs, or a list in their order.

    Raises:
        WorkerKilled: if a worker process was killed from outside.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> job = Job(tasks.get("mnist", n_train=32), recipe)
        >>> [run.status for run in train_many([job, job], n_jobs=1, store=None, progress=False)]
        ['completed', 'completed']
    """
    if isinstance(jobs, Mapping):
        runs = train_many([*jobs.values()], n_jobs=n_jobs, store=store, progress=progress)
        return Results(dict(zip(jobs, runs, strict=True)))
    place = _place(store)
    names = [job.key or f"#{i}" for i, job in enumerate(jobs)]
    todo = dict(zip(names, jobs, strict=True))
    done: dict[str, Run] = {}
    if place is not None:
        known = {name: job for name, job in todo.items() if not name.startswith("#")}
        stored = ((name, place.get(name, job.recipe)) for name, job in known.items())
        done = {name: run for name, run in stored if run is not None}
    waiting = {name: job for name, job in todo.items() if name not in done}
    events.emit("plan", total=len(todo), stored=len(done), seconds=None)
    for name, run in done.items():
        events.emit("run", key=name, stored=True, status=run.status, seconds=run.seconds)
    keeper = place if place is not None and waiting and files.usable(place.folder) else None
    shown = progress and waiting and not events.heard()
    bar = tqdm(total=len(waiting), unit="run", disable=not shown)
    with bar:
        for name, run in _trained(waiting, n_jobs, keeper):
            if keeper is not None and run.key and keeper.get(run.key, run.recipe) is None:
                keeper.put(run)  # a worker on another machine has another folder
            done[name] = run
            bar.update()
            events.emit("run", key=run.key, stored=False, status=run.status)
    return [done[name] for name in names]


def _place(store: Store | str | None) -> Store | None:
    if store == "default":
        return default_store()
    if isinstance(store, str):
        raise ValueError(f"store must be a Store, 'default' or None, got {store!r}")
    return store


def in_parallel(calls: Iterable[Any], n_jobs: int | None = None) -> Iterator[Any]:
    """Carry out calls in processes of one thread each and yield what they return, as it comes.

    Args:
        calls: made by `joblib.delayed`.
        n_jobs: number of processes; None means one for each core (or what the active
            `joblib.parallel_config` says).

    Raises:
        WorkerKilled: if a worker process was killed from outside.

    Example:
        >>> sorted(in_parallel([joblib.delayed(abs)(x) for x in (-1, 2)], n_jobs=1))
        [1, 2]
    """
    setting = contextlib.nullcontext()
    if isinstance(get_active_backend()[0], joblib.parallel.BACKENDS["loky"]):
        n_jobs = joblib.cpu_count() if n_jobs is None else n_jobs
        more = {"initializer": end_with, "initargs": (os.getpid(),)}
        setting = joblib.parallel_config("loky", inner_max_num_threads=1, **more)
    try:
        with setting:
            pool = joblib.Parallel(
                n_jobs=n_jobs, batch_size=1, pre_dispatch="all", return_as="generator_unordered"
            )
            yield from pool(calls)
    except joblib.externals.loky.process_executor.TerminatedWorkerError as error:
        raise WorkerKilled(
            "a worker process was killed (out of memory?); the runs that were finished are kept, "
            "the same call again trains the others"
        ) from error


def _trained(
    jobs: dict[str, Job], n_jobs: int | None, store: Store | None
) -> Iterator[tuple[str, Run]]:
    if jobs:
        calls = (joblib.delayed(_train_one)(name, job, store) for name, job in jobs.items())
        yield from in_parallel(calls, n_jobs)


def _train_one(name: str, job: Job, store: Store | None) -> tuple[str, Run]:
    torch.set_num_threads(1)
    if store is not None:
        key = None if name.startswith("#") else name
        return name, store.train(job.task, job.recipe, job.probes, job.stop, key)
    run = train(job.task, job.recipe, probes=job.probes, stop=job.stop)
    return name, dataclasses.replace(run, key=job.key)


def end_with(parent: int) -> None:
    """Have this process end within about a second of its parent, however that ends.

    A killed process tells nobody, and one of joblib's workers would wait minutes for its next call.

    Args:
        parent: the process id of the parent.

    Example:
        >>> from multiprocessing import get_context
        >>> child = get_context("fork").Process(target=end_with, args=(os.getpid(),))
        >>> child.start()
        >>> child.join()
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
