"""What a sweep asks a worker to do: bring one trial up to an evaluation."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import joblib
import numpy as np

from lrlab.sweep.plan import Plan
from lrlab.sweep.workers import Params, Progress
from lrlab.training import parallel

__all__ = ["TaskTrainer", "Trainer", "default_folder"]

Objective = Callable[[Mapping[str, np.ndarray]], np.ndarray]


class Trainer(Protocol):
    """Brings a trial up to an evaluation; may be called again for one trial, in any process."""

    def __call__(self, plan: Plan, params: Params, evaluation: int) -> Progress:
        """Return the progress up to at least this evaluation, unless it diverged before."""


@dataclasses.dataclass(frozen=True)
class TaskTrainer:
    """Trains the plan's task; runs and checkpoints are kept in the store.

    Args:
        folder: the folder of the store, which all workers must see.
        objective: makes the metric out of all that was evaluated, one number an evaluation; None:
            the plan's metric as it is.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     TaskTrainer(folder)(plan, {"peak_lr": 0.1}, 1).steps
        (2,)
    """

    folder: str
    objective: Objective | None = None

    def __call__(self, plan: Plan, params: Params, evaluation: int) -> Progress:
        """Return the progress up to at least this evaluation."""
        from pathlib import Path

        import torch

        from lrlab.training.store import Store

        torch.set_num_threads(1)
        recipe = plan.recipe_of(params)
        run = Store(Path(self.folder)).advance(plan.task, recipe, plan.step_of(evaluation))
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


@dataclasses.dataclass(frozen=True)
class Processes:
    """Workers that call a trainer in processes of joblib.

    Args:
        plan: what is searched.
        trainer: what is called.
        n_jobs: processes; None: one for each core, or what `joblib.parallel_config` says.
    """

    plan: Any
    trainer: Trainer
    n_jobs: int | None = None

    def advance(self, waiting: Mapping[int, Params], stage: int) -> Iterator[tuple[int, Progress]]:
        """Yield trial by trial how far it came, in any order."""
        calls = [
            joblib.delayed(_train)(self.trainer, self.plan, params, stage, number)
            for number, params in waiting.items()
        ]
        if calls:
            yield from parallel.in_parallel(calls, self.n_jobs)

    def end(self, number: int) -> None:
        """Let go of a trial; nothing waits for it."""

    def close(self, *, clean: bool = True) -> None:
        """Let go of everything; nothing waits."""


def attempt(trainer: Trainer, plan: Any, params: Params, stage: int) -> Progress:
    """Return a trial's progress; what makes no sense in it is its outcome, not an error.

    Raises:
        OSError, MemoryError: what has nothing to do with the trial's hyperparameters.
    """
    try:
        return trainer(plan, params, stage)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        return Progress((), (), failed=sentence(error))
    except RuntimeError as error:  # torch's, of shapes that do not fit
        if isinstance(error, parallel.WorkerKilled):
            raise
        return Progress((), (), failed=sentence(error))


def sentence(error: BaseException) -> str:
    """Return what an error says, in one line of at most 300 letters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


def _train(
    trainer: Trainer, plan: Any, params: Params, stage: int, number: int
) -> tuple[int, Progress]:
    return number, attempt(trainer, plan, params, stage)


def default_folder() -> str:
    """Return the folder of the store, as text that another process can use.

    Without a store (``LRLAB_CACHE=off``) a sweep still has to keep its checkpoints: they go to a
    temporary folder then.

    Example:
        >>> import os
        >>> from unittest.mock import patch
        >>> with patch.dict(os.environ, LRLAB_CACHE="/tmp/of-mine"):
        ...     default_folder()
        '/tmp/of-mine'
    """
    import tempfile

    from lrlab.training.store import default_store

    store = default_store()
    return os.fspath(store.folder if store else tempfile.mkdtemp(prefix="lrlab-sweep-"))
