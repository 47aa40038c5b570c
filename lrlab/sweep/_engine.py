"""Carrying out a plan in lockstep: waves of trials that advance, and are judged, together.

All trials of a wave are asked for, then trained in parallel up to the first rung, judged in the
order of their numbers, the survivors trained up to the next rung, and so on. So every decision
depends on (rung, number) alone: one plan gives one study, whatever the timing and however often it
was interrupted.
"""

from __future__ import annotations

import contextlib

import optuna

from lrlab.sweep._book import Book
from lrlab.sweep._place import alone, preflight
from lrlab.sweep._progress import Board
from lrlab.sweep._storage_writer import Kept
from lrlab.sweep.plan import Plan
from lrlab.sweep.search import Search
from lrlab.sweep.storage import begin, quiet
from lrlab.sweep.trainer import Objective, Processes, TaskTrainer, Trainer, default_folder
from lrlab.sweep.workers import Progress, Workers


def sweep(
    plan: Search,
    *,
    storage: str | None = None,
    name: str = "sweep",
    objective: Objective | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
    trainer: Trainer | None = None,
    workers: Workers | None = None,
) -> optuna.Study:
    """Carry out a plan, or go on with it, and return its study.

    A study in a storage may be interrupted at any moment: the same call again takes up what was
    begun from its checkpoints, loses nothing that was finished, and ends with the study that an
    uninterrupted call would have made. A trial whose hyperparameters make no sense together has
    failed, with the reason; one with the hyperparameters of an earlier one takes over its result.

    Args:
        plan: what is searched: a `Plan`, or another `Search` that comes with its workers.
        storage: URL of the storage, such as ``sqlite:///sweep.db``; None keeps it in memory.
        name: of the study in the storage.
        objective: makes the metric out of the evaluations, one number each; None: `plan.metric`.
        n_jobs: processes; None: one for each core, or what `joblib.parallel_config` says, such as
            those of a Dask cluster.
        progress: show a line of progress.
        trainer: what trains, in place of the plan's task.
        workers: what brings the trials on, in place of processes that call the trainer; they are
            closed at the end, however it comes.

    Returns:
        The study; `lrlab.sweep.trials` reads it.

    Raises:
        ValueError: if the plan or the storage makes no sense.
        WorkerKilled: if a worker process was killed from outside; what was finished is kept.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=2, sampler="random",
        ... )
        >>> [trial.outcome for trial in trials(sweep(plan, n_jobs=1, progress=False))]
        ['completed', 'completed']
    """
    if workers is None and trainer is None and not isinstance(plan, Plan):
        raise ValueError("a search over anything but a task needs its workers")
    preflight(plan, storage, name, "in lockstep")
    if trainer is None:
        plan.check(metric=objective is None)
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(alone(storage))
        kept = None
        if storage is not None:
            kept = stack.enter_context(Kept(*begin(plan, storage, name, "in lockstep")))
        team = workers or Processes(
            plan, trainer or TaskTrainer(default_folder(), objective), n_jobs
        )
        stack.push(lambda kind, *_: team.close(clean=kind is None))
        book = Book(plan, name, kept)
        with Board(plan.trials, book.study, shown=progress) as board:
            for first in range(0, plan.trials, plan.wave):
                wave = range(first, min(first + plan.wave, plan.trials))
                book.ask(wave)
                for stage in [*plan.rungs(), plan.evaluations]:
                    waiting = [n for n in wave if book.waits(n, stage)]
                    if waiting:
                        _advance(book, team, waiting, stage)
                        board.update()
    return kept.study if kept else book.study


def _advance(book: Book, workers: Workers, waiting: list[int], stage: int) -> None:
    """Bring trials up to a stage, those with equal hyperparameters once, and judge them."""
    results: dict[int, Progress] = {}
    alike: dict[int, list[int]] = {}
    for number in waiting:
        original = book.original(number)
        known = book.progress(original) if original != number else None
        if known is not None and (known.ended or len(known.values) >= stage):
            results[number] = _upto(known, stage)
            book.report(number, results[number], same_as=original)
        else:
            alike.setdefault(original, []).append(number)
    todo = {numbers[0]: book.params(numbers[0]) for numbers in alike.values()}
    others = {numbers[0]: numbers[1:] for numbers in alike.values()}
    for number, found in workers.advance(todo, stage):
        results[number] = found
        book.report(number, found)
        for other in others[number]:
            results[other] = found
            book.report(other, found, same_as=book.original(other))
    for number in book.judge(results, stage):
        workers.end(number)


def _upto(known: Progress, stage: int) -> Progress:
    if len(known.values) <= stage:
        return known
    return Progress(known.values[:stage], known.steps[:stage], seconds=0.0, run_key=known.run_key)
