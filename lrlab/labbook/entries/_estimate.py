"""What jobs would cost; a kernel asks it for the plan of a notebook."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import joblib

if TYPE_CHECKING:
    from lrlab.training import Job, Store

_CALIBRATION_STEPS = 8


def estimate(
    jobs: Mapping[Hashable, Job] | Sequence[Job], store: Store | None = None
) -> dict[str, Any]:
    """Say what `train_many` would do, without doing it.

    Args:
        jobs: what would be trained, by key or in a row.
        store: where runs are kept; None: the default one.

    Returns:
        ``{"runs": n, "stored": k, "seconds": estimate, "by_task": {name: n}}``. The estimate is
        for this machine, from a few updates of each task, timed now.

    Example:
        >>> from lrlab import Job, Recipe, schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> estimate([Job(tasks.get("mnist", n_train=32), recipe)])["by_task"]
        {'mnist': 1}
    """
    from lrlab.training import default_store

    place = store or default_store()
    each = jobs.values() if isinstance(jobs, Mapping) else jobs
    todo = {job.key or f"#{i}": job for i, job in enumerate(each)}
    known = {n for n, job in todo.items() if place is not None and place.get(n, job.recipe)}
    seconds_per_step: dict[str, float] = {}
    total = 0.0
    for name, job in todo.items():
        if name in known:
            continue
        kind = f"{job.task!r} {job.recipe.batch_size}"
        if kind not in seconds_per_step:
            seconds_per_step[kind] = _time_of_a_step(job)
        total += seconds_per_step[kind] * job.recipe.steps
    return {
        "runs": len(todo),
        "stored": len(known),
        "seconds": total / joblib.cpu_count(),
        "by_task": dict(Counter(job.task.name for job in todo.values())),
    }


def _time_of_a_step(job: Job) -> float:
    from lrlab.training import train

    steps = min(_CALIBRATION_STEPS, job.recipe.steps)
    first = train(job.task, job.recipe, until=min(1, steps))  # loads the data, evaluates once
    began = time.perf_counter()
    train(job.task, job.recipe, until=steps, resume=first.checkpoint)
    return (time.perf_counter() - began) / max(1, steps - 1)
