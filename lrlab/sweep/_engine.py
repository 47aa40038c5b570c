"""Carrying out a plan in lockstep: waves of trials that advance, and are judged, together.

All trials of a wave are asked for, then trained in parallel up to the first rung, judged in the
order of their numbers, the survivors trained up to the next rung, and so on. So every decision
depends on (rung, number) alone: one plan gives one study, whatever the timing and however often it
was interrupted.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import joblib
import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrlab.sweep import rules, sampling
from lrlab.sweep._progress import Board
from lrlab.sweep._storage_writer import Kept
from lrlab.sweep.plan import Plan
from lrlab.sweep.storage import held, open_study
from lrlab.sweep.trainer import Objective, Progress, TaskTrainer, Trainer, default_folder
from lrlab.training import parallel

_RUNG = "completed_rung"  # as Optuna's successive halving begins the names of its notes


def sweep(
    plan: Plan,
    *,
    storage: str | None = None,
    name: str = "sweep",
    objective: Objective | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
    trainer: Trainer | None = None,
) -> optuna.Study:
    """Carry out a plan, or go on with it, and return its study.

    A study in a storage may be interrupted at any moment: the same call again takes up what was
    begun from its checkpoints, loses nothing that was finished, and ends with the study that an
    uninterrupted call would have made.

    Args:
        plan: what is searched.
        storage: URL of the storage, such as ``sqlite:///sweep.db``; None keeps it in memory.
        name: of the study in the storage.
        objective: makes the metric out of the evaluations, one number each; None: `plan.metric`.
        n_jobs: processes; None: one for each core, or what `joblib.parallel_config` says, such as
            those of a Dask cluster.
        progress: show a line of progress.
        trainer: what trains, in place of the plan's task.

    Returns:
        The study; `lrlab.sweep.trials` reads it.

    Raises:
        ValueError: if the plan or the storage makes no sense.
        WorkerKilled: if a worker process was killed from outside; what was finished is kept.

    Example:
        >>> from lrlab.sweep import LogUniform, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=2, sampler="random",
        ... )
        >>> [trial.outcome for trial in trials(sweep(plan, n_jobs=1, progress=False))]
        ['completed', 'completed']
    """
    if trainer is None:
        plan.check(metric=objective is None)
        trainer = TaskTrainer(default_folder(), objective)
    if plan.grid is not None:
        sampling.fixed(plan, plan.trials - 1)
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(storage))
        kept = None
        if storage is not None:
            kept = stack.enter_context(Kept(open_study(plan, storage, name)))
        book = _Book(plan, name, kept)
        stages = [*rules.rungs(plan.rule, plan.evaluations, plan.judge_every), plan.evaluations]
        with Board(plan.trials, book.study, shown=progress) as board:
            for first in range(0, plan.trials, plan.wave):
                wave = range(first, min(first + plan.wave, plan.trials))
                book.ask(wave)
                for stage in stages:
                    waiting = [n for n in wave if book.waits(n, stage)]
                    calls = [
                        joblib.delayed(_train)(trainer, plan, book.params(n), stage, n)
                        for n in waiting
                    ]
                    results = {}
                    for number, found in parallel.in_parallel(calls, n_jobs) if calls else ():
                        results[number] = found
                        book.report(number, found)
                    book.judge(results, stage)
                    board.update()
    return kept.study if kept else book.study


def _train(
    trainer: Trainer, plan: Plan, params: Mapping[str, Any], stage: int, number: int
) -> tuple[int, Progress]:
    return number, trainer(plan, params, stage)


def _rungs(trial: FrozenTrial) -> dict[str, Any]:
    """What was noted when a kept trial was judged, unless it is going to be judged there again."""
    said = trial.user_attrs
    noted = {int(key.rpartition(" ")[2]): said[key] for key in said if key.startswith(_RUNG)}
    if trial.state == TrialState.RUNNING:
        return noted.get(said.get("judged", 0), {})
    return noted[max(noted)] if noted else {}


class _Book:
    """The study in memory, which decides, and the kept one, which is told whatever happened."""

    def __init__(self, plan: Plan, name: str, kept: Kept | None) -> None:
        self.plan, self._kept = plan, kept
        self.study = optuna.create_study(
            study_name=name, direction="minimize", pruner=rules.make(plan.rule)
        )
        self.study.set_user_attr("plan", plan.to_dict())
        if kept is not None:
            for trial in kept.study.get_trials():
                trial.system_attrs = trial.system_attrs | _rungs(trial)
                self.study.add_trial(trial)

    def __getitem__(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]

    def params(self, number: int) -> dict[str, Any]:
        """What a trial tries."""
        return dict(self[number].params)

    def waits(self, number: int, stage: int) -> bool:
        """Whether a trial is to be trained up to this stage."""
        trial = self[number]
        judged = trial.user_attrs.get("judged", 0)
        return trial.state == TrialState.RUNNING and judged < stage

    def ask(self, wave: Iterable[int]) -> None:
        """Ask for those trials of a wave that there are not yet."""
        known = self.study.get_trials(deepcopy=False)
        began = sum((t.user_attrs.get("steps") or [0])[-1] for t in known[: min(wave)])
        for number in wave:
            if number < len(known):
                continue
            values = sampling.fixed(self.plan, number)
            if values is not None:
                self.study.enqueue_trial(values)
            self.study.sampler = sampling.sampler(self.plan, number)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.study.ask(sampling.distributions(self.plan.space))
            asked = self[number]
            if self._kept is not None:
                self._kept.add(
                    number,
                    create_trial(
                        state=TrialState.RUNNING,
                        params=asked.params,
                        distributions=asked.distributions,
                        system_attrs=asked.system_attrs,
                        user_attrs={"began": began},
                    ),
                )
            self._note(number, {"began": began}, kept=False)

    def report(self, number: int, found: Progress) -> None:
        """Write down what was measured; in any order, since nothing is decided by it yet."""
        known = self[number].intermediate_values
        new = {k: v for k, v in enumerate(found.values, start=1) if k not in known}
        study, trial_id = self._live(number)
        for index, value in new.items():
            study._storage.set_trial_intermediate_value(trial_id, index, value)
        if self._kept is not None:
            self._kept.report(number, new)
        self._note(
            number,
            {"steps": list(found.steps), "seconds": found.seconds, "run_key": found.run_key},
        )

    def judge(self, results: Mapping[int, Progress], stage: int) -> None:
        """End those that diverged, are complete or are stopped by the rule."""
        for number in sorted(results):
            found = results[number]
            if found.diverged:
                self._tell(number, "diverged", TrialState.COMPLETE, math.inf)
            elif stage == self.plan.evaluations:
                self._tell(number, "completed", TrialState.COMPLETE, found.values[-1])
            elif self._is_stopped(number, stage):
                self._tell(number, "stopped", TrialState.PRUNED)
            else:
                self._note(number, {"judged": stage})

    def _is_stopped(self, number: int, stage: int) -> bool:
        study = optuna.pruners._filter_study(self.study, self[number])
        stopped = self.study.pruner.prune(study, self[number])
        # What Optuna's rules note of a trial counts for the others, after an interruption too.
        if noted := {k: v for k, v in self[number].system_attrs.items() if k.startswith(_RUNG)}:
            self._note(number, {f"{_RUNG}s at {stage}": noted})
        return stopped

    def _tell(
        self, number: int, outcome: str, state: TrialState, value: float | None = None
    ) -> None:
        self._note(number, {"outcome": outcome})
        self.study.tell(number, value, state=state)
        if self._kept is not None:
            self._kept.end(self[number])

    def _note(self, number: int, attributes: Mapping[str, Any], *, kept: bool = True) -> None:
        study, trial_id = self._live(number)
        for key, value in attributes.items():
            study._storage.set_trial_user_attr(trial_id, key, value)
        if kept and self._kept is not None:
            self._kept.note(number, attributes)

    def _live(self, number: int) -> tuple[optuna.Study, int]:
        return self.study, self[number]._trial_id
