"""Training the ramps and pilots of a range test, where it is quickest, with a progress bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from joblib.parallel import get_active_backend
from tqdm import tqdm

from lrlab import events
from lrlab.randomness import fork_rng
from lrlab.range_test._ramp import Trace
from lrlab.tasks.base import Task
from lrlab.training.parallel import Job, train_many
from lrlab.training.probes import Probe, StepContext, Value
from lrlab.training.record import Run
from lrlab.training.store import Store

WORKERS_START = 6.0
"""What starting a process for each core takes, with its imports, about [s]."""


class Trainer:
    """Trains jobs and returns their traces; shows how far all of it is.

    Args:
        task: what is trained.
        total: updates that are planned.
        n_jobs: processes; None: what is quickest.
        store: as in `lrlab.train_many`.
        progress: show a progress bar; None: for a module of one's own.
    """

    def __init__(
        self,
        task: Task,
        total: int,
        n_jobs: int | None,
        store: Store | str | None,
        progress: bool | None,
    ) -> None:
        if task.serial and n_jobs not in (None, 1):
            why = getattr(task, "obstacle", None)
            raise ValueError(
                f"n_jobs={n_jobs} needs copies, and this can't be copied ({why}): leave "
                "n_jobs out, or build it anew for each run with lrlab.tasks.from_factory"
            )
        self._live, self._store = task.live, store
        chosen = type(get_active_backend()[0]).__name__ != "LokyBackend"
        self._n_jobs = 1 if n_jobs is None and task.live and not chosen else n_jobs
        self._undecided = self._n_jobs is None and not chosen
        shown = (task.live if progress is None else progress) and not events.heard()
        self._bar = tqdm(
            total=total, unit="update", desc="range test", delay=2, leave=False, disable=not shown
        )

    def close(self) -> None:
        """Take the progress bar away."""
        self._bar.close()

    def more(self, updates: int) -> None:
        """Plan some more updates."""
        self._bar.total += updates
        self._bar.refresh()

    def __call__(self, jobs: Sequence[Job]) -> list[Trace]:
        """Train jobs and return their traces."""
        jobs, runs = list(jobs), []
        if self._undecided and jobs:
            runs = self._trained(jobs[:1], 1)
            self._undecided = False
            if runs[0].seconds * 2 * len(jobs) < WORKERS_START:
                self._n_jobs = 1
        runs += self._trained(jobs[len(runs) :], self._n_jobs)
        return [_without_ticks(Trace.of(run)) for run in runs]

    def _trained(self, jobs: Sequence[Job], n_jobs: int | None) -> list[Run]:
        if n_jobs == 1 and self._live and not self._bar.disable:
            tick = (Tick(bar=self._bar),)
            jobs = [dataclasses.replace(job, probes=job.probes + tick) for job in jobs]
        before = self._bar.n
        with fork_rng():
            runs = train_many(jobs, n_jobs=n_jobs, store=self._store, progress=False)
        self._bar.update(before + sum(job.recipe.steps for job in jobs) - self._bar.n)
        return runs


@dataclasses.dataclass(frozen=True)
class Tick(Probe):
    """Moves a progress bar on at each update, and measures nothing."""

    bar: Any = None

    def before(self, context: StepContext) -> None:
        """Move on."""
        self.bar.update()

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return nothing."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return its name."""
        return {"probe": self.name}


def _without_ticks(trace: Trace) -> Trace:
    trace.probes.pop("Tick", None)
    return trace
