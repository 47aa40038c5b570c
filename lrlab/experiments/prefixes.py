"""Runs that begin alike, each beginning trained once.

A constant rate for 100 updates is the beginning of the one for 1,000, and a cooldown branches off
a constant rate. What is returned equals what `lrlab.train_many` returns, bit for bit; it only takes
fewer updates.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import joblib
import numpy as np
import torch
from tqdm import tqdm

from lrlab import Checkpoint, Job, Run, events, train
from lrlab.schedules import Constant, Schedule
from lrlab.training.parallel import in_parallel
from lrlab.training.results import Results
from lrlab.training.store import Store, default_store

Named = tuple[str, Job]


def train_branches(
    jobs: Mapping[Hashable, Job],
    *,
    n_jobs: int | None = None,
    store: Store | str | None = "default",
    progress: bool = True,
) -> Results:
    """Train many runs as `train_many` does; where they begin alike, their beginning only once.

    Runs are alike up to the first update at which their rates differ, if nothing but schedule and
    number of updates differs between their recipes.

    Args:
        jobs: what is to be trained, by key; with schedules (no controllers), and no early stop.
        n_jobs: number of processes; None means one for each core.
        store: where runs are kept; ``"default"`` is the default one, None keeps none.
        progress: show a progress bar.

    Returns:
        One run for each job, with the keys of the jobs.

    Raises:
        ValueError: if a job has a controller or a rule that stops it.

    Example:
        >>> from lrlab import Recipe, tasks
        >>> task = tasks.get("mnist", n_train=32)
        >>> short = Recipe(schedule=Constant(0.1), steps=2, batch_size=8)
        >>> jobs = {n: Job(task, short.replace(steps=n)) for n in (2, 4)}
        >>> runs = train_branches(jobs, n_jobs=1, store=None, progress=False)
        >>> runs[4].loss[:2].tolist() == runs[2].loss.tolist()
        True
    """
    for job in jobs.values():
        if job.stop is not None or not isinstance(job.recipe.schedule, Schedule):
            raise ValueError("branches need schedules, and no rule that stops a run")
    place = default_store() if store == "default" else store
    assert not isinstance(place, str)
    names = {key: job.key or f"#{i}" for i, (key, job) in enumerate(jobs.items())}
    todo = {names[key]: job for key, job in jobs.items()}
    done: dict[str, Run] = {}
    if place is not None:
        found = ((name, place.get(name, job.recipe)) for name, job in todo.items())
        done = {name: run for name, run in found if run is not None}
    events.emit("plan", total=len(todo), stored=len(done), seconds=None)
    spared = {name: done[name].seconds * own for name, own in _own_shares(todo, done).items()}
    for name, run in done.items():
        events.emit("run", key=name, stored=True, status=run.status, seconds=spared[name])
    alike = _families({name: job for name, job in todo.items() if name not in done})
    shown = progress and alike and not events.heard()
    calls = [joblib.delayed(_grown)(group, place) for group in alike.values()]
    with tqdm(total=len(todo) - len(done), unit="run", disable=not shown) as bar:
        for group in in_parallel(calls, n_jobs) if calls else ():
            for name, run in group:
                done[name] = run
                bar.update()
                events.emit("run", key=run.key, stored=False, status=run.status)
    return Results({key: done[name] for key, name in names.items()})


def _families(jobs: Mapping[str, Job]) -> dict[Any, list[Named]]:
    found: dict[Any, list[Named]] = {}
    for name, job in jobs.items():
        found.setdefault(_beginning(job), []).append((name, job))
    return found


def _own_shares(jobs: Mapping[str, Job], names: Iterable[str]) -> dict[str, float]:
    """For each of these runs, the share of its updates that none before it has in common with it.

    So that the time which stored runs spare counts a common beginning once.
    """
    shares = {}
    for family in _families({name: jobs[name] for name in names}).values():
        counted: list[np.ndarray] = []
        for name, job in family:
            rates, common = _rates(job), 0
            for other in counted:
                n = min(len(rates), len(other))
                different = np.flatnonzero(rates[:n] != other[:n])
                common = max(common, int(different[0]) if different.size else n)
            shares[name] = 1 - common / len(rates)
            counted.append(rates)
    return shares


def _beginning(job: Job) -> Any:
    """What runs have in common that are trained in one go: all but the schedule after its start."""
    rest = job.recipe.replace(schedule=Constant(1.0), steps=1)
    return repr(job.task), repr(rest), repr(job.probes), tuple(_rates(job)[:2])


def _rates(job: Job) -> np.ndarray:
    return np.asarray(job.recipe.schedule(np.arange(job.recipe.steps)))


def _grown(jobs: list[Named], store: Store | None) -> list[tuple[str, Run]]:
    torch.set_num_threads(1)
    found = []
    for name, run in _grow(jobs, None):
        if not name.startswith("#"):
            run = dataclasses.replace(run, key=name)
            if store is not None:
                store.put(run)
        found.append((name, run))
    return found


def _grow(jobs: list[Named], trunk: Checkpoint | None) -> Iterator[tuple[str, Run]]:
    """Train runs that are alike up to a checkpoint, and beyond it as far as they stay alike."""
    began = trunk.step if trunk else 0
    rates = {name: _rates(job) for name, job in jobs}
    last = min(map(len, rates.values())) - 1  # a run's last update is its own: it is evaluated then
    table = np.array([lr[:last] for lr in rates.values()])
    different = np.flatnonzero((table != table[0]).any(axis=0))
    alike = int(different[0]) if different.size else last
    if len(jobs) == 1 or alike <= began:
        ahead = trunk
    else:
        ahead = _train(jobs[0][1], trunk, until=alike).checkpoint
        if ahead is None:  # it diverged on the way
            for name, job in jobs:
                yield name, _train(job, trunk)
            return
    at = ahead.step if ahead else 0
    branches: dict[float, list[Named]] = {}
    for name, job in jobs:
        if job.recipe.steps == at + 1 or len(jobs) == 1:
            yield name, _train(job, ahead)
        else:
            branches.setdefault(float(rates[name][at]), []).append((name, job))
    for branch in branches.values():
        yield from _grow(branch, ahead)


def _train(job: Job, trunk: Checkpoint | None, until: int | None = None) -> Run:
    """Train a job from a checkpoint of another one that is alike so far."""
    resume = _handed_on(trunk, job) if trunk else None
    return train(job.task, job.recipe, probes=job.probes, until=until, resume=resume)


def _handed_on(trunk: Checkpoint, job: Job) -> Checkpoint:
    """A checkpoint as the other job would have made it: its identity, room for its updates."""
    identity = {
        "task": job.task.to_dict(),
        "recipe": job.recipe.to_dict(),
        "probes": [probe.to_dict() for probe in job.probes],
    }
    series = []
    for values in trunk.state["history"]["series"]:
        room = torch.full((job.recipe.steps,), float("nan"), dtype=values.dtype)
        room[: trunk.step] = values[: trunk.step]
        series.append(room)
    state = trunk.state | {"history": trunk.state["history"] | {"series": series}}
    return Checkpoint(trunk.step, json.loads(json.dumps(identity)), state)
