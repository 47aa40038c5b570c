"""What a sweep asks a worker to do: bring one trial up to an evaluation."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from lrlab.sweep.plan import Plan

Objective = Callable[[Mapping[str, np.ndarray]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a trial has come.

    Args:
        values: the metric at each evaluation so far; the start is not counted.
        steps: updates done there.
        diverged: whether it ended because the loss or the metric was not finite.
        seconds: training time so far.
        run_key: key of the run in the store.
    """

    values: tuple[float, ...]
    steps: tuple[int, ...]
    diverged: bool = False
    seconds: float = math.nan
    run_key: str | None = None


class Trainer(Protocol):
    """Brings a trial up to an evaluation; may be called again for one trial, in any process."""

    def __call__(self, plan: Plan, params: Mapping[str, Any], evaluation: int) -> Progress:
        """Return the progress up to at least this evaluation, unless it diverged before."""


@dataclasses.dataclass(frozen=True)
class TaskTrainer:
    """Trains the plan's task; runs and checkpoints are kept in the store.

    Args:
        folder: the folder of the store, which all workers must see.
        objective: makes the metric out of all that was evaluated, one number an evaluation; None:
            the plan's metric as it is.
    """

    folder: str
    objective: Objective | None = None

    def __call__(self, plan: Plan, params: Mapping[str, Any], evaluation: int) -> Progress:
        """Return the progress up to at least this evaluation."""
        from pathlib import Path

        import torch

        from lrlab.training.store import Store

        torch.set_num_threads(1)
        task, recipe = plan.the_task(), plan.recipe_of(params)
        run = Store(Path(self.folder)).advance(task, recipe, plan.step_of(evaluation))
        started = run.evals["step"] > 0
        evals = {name: values[started] for name, values in run.evals.items()}
        if self.objective is not None:
            values = np.asarray(self.objective(evals), dtype=float)
        elif plan.metric in evals:
            values = evals[plan.metric]
        else:
            known = ", ".join(name for name in evals if name != "step")
            raise ValueError(f"no metric {plan.metric!r}; there are {known}")
        finite = np.isfinite(values)
        upto = len(values) if finite.all() else int(np.argmin(finite))
        within = values[:evaluation] if upto >= evaluation else values[:upto]
        return Progress(
            values=tuple(float(v) for v in within),
            steps=tuple(int(s) for s in evals["step"][: len(within)]),
            diverged=upto < evaluation and (run.diverged or upto < len(values)),
            seconds=run.seconds,
            run_key=run.key,
        )


def default_folder() -> str:
    """Return the folder of the store, as text that another process can use.

    Without a store (``LRLAB_CACHE=off``) a sweep still has to keep its checkpoints: they go to a
    temporary folder then.
    """
    import tempfile

    from lrlab.training.store import default_store

    store = default_store()
    return os.fspath(store.folder if store else tempfile.mkdtemp(prefix="lrlab-sweep-"))
