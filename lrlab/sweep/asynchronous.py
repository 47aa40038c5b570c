"""Workers that share a study and wait for nobody: for clusters and long searches.

Each worker asks for a trial, trains it rung by rung, and tells what came of it; several programs
may join one study at once. What a decision sees depends on timing, so two studies are never the
same; for one that can be repeated there is `lrlab.sweep.sweep`.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from typing import Any

import joblib
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from lrlab.sweep import rules, sampling
from lrlab.sweep._place import alone, preflight
from lrlab.sweep._seal import SEAL, seal
from lrlab.sweep.plan import Plan
from lrlab.sweep.storage import (
    HEARTBEAT_SECONDS,
    PATIENCE,
    begin,
    connect,
    open_study,
    quiet,
)
from lrlab.sweep.trainer import Objective, TaskTrainer, Trainer, attempt, default_folder
from lrlab.training import parallel


class _Enough(Exception):
    """The study has all the trials that it was to have."""


class _Failed(Exception):
    """A trial can't be trained; why is noted."""


def join(
    plan: Plan,
    storage: str,
    *,
    name: str = "sweep",
    objective: Objective | None = None,
    n_jobs: int | None = None,
    trainer: Trainer | None = None,
    heartbeat: int = HEARTBEAT_SECONDS,
) -> optuna.Study:
    """Work on a study until it has all its trials, together with whoever else does.

    Trials whose worker gave no sign of life for three heartbeats are begun anew with the same
    hyperparameters; what their store holds of them is not trained again.

    Args:
        plan: what is searched; the sampler must be one that can share a study: ``"random"``,
            ``"tpe"`` or ``"gp"``.
        storage: URL of the storage.
        name: of the study.
        objective: as for `lrlab.sweep.sweep`.
        n_jobs: workers of this program; None: one for each core, or what
            `joblib.parallel_config` says.
        trainer: what trains, in place of the plan's task.
        heartbeat: seconds between two signs of life.

    Returns:
        The study.

    Raises:
        ValueError: if the plan or the storage makes no sense.

    Example:
        >>> import tempfile
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3, sampler="random",
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = join(plan, f"sqlite:///{folder}/study.db", n_jobs=1)
        ...     len(trials(study))
        3
    """
    if plan.sampler in ("grid", "quasi-random"):
        raise ValueError(f"asynchronous workers can't share the sampler {plan.sampler!r}")
    if not isinstance(plan, Plan):
        raise ValueError("scripts are searched in lockstep; asynchronous workers train tasks")
    preflight(plan, storage, name, "asynchronously")
    if trainer is None:
        plan.check(metric=objective is None)
        trainer = TaskTrainer(default_folder(), objective)
    with alone(storage, wait=PATIENCE):
        study, _ = begin(plan, storage, name, "asynchronously")
    workers = n_jobs or joblib.effective_n_jobs(-1)  # of a cluster, where one was chosen
    calls = [joblib.delayed(_work)(plan, storage, name, trainer, heartbeat) for _ in range(workers)]
    for _ in parallel.in_parallel(calls, n_jobs):
        pass
    return study


def _work(plan: Plan, storage: str, name: str, trainer: Trainer, heartbeat: int) -> None:
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = open_study(plan, storage, name, heartbeat=heartbeat)
        study.pruner = rules.make(plan.rule)
        # Workers must not draw alike, so the process and the time are a part of the seed.
        seed = (plan.seed + os.getpid() + time.time_ns()) % 2**31
        study.sampler = sampling.sampler(plan, seed)
        stages = [*plan.rungs(), plan.evaluations]
        worst = -math.inf if plan.maximizes else math.inf

        def objective(trial: Trial) -> float:
            if _before(study, trial) >= plan.trials:
                study.stop()
                raise _Enough
            params = {name: searched.suggest(trial, name) for name, searched in plan.space.items()}
            if params != trial.params:
                trial.set_user_attr("params", params)
            done = 0
            for stage in stages:
                found = attempt(trainer, plan, params, stage)
                if found.failed is not None:
                    _end(study, trial, "failed", reason=found.failed)
                    raise _Failed
                for index, value in enumerate(found.values[done:], start=done + 1):
                    trial.report(value, index)
                done = len(found.values)
                _note(trial, steps=[*found.steps], seconds=found.seconds, run_key=found.run_key)
                if found.diverged:
                    _end(study, trial, "diverged")
                    return worst
                if stage < plan.evaluations and trial.should_prune():
                    _end(study, trial, "stopped")
                    raise optuna.TrialPruned
            _end(study, trial, "completed")
            return found.values[-1]

        waited = 0.0
        while _counted(study) < plan.trials:
            optuna.storages.fail_stale_trials(study)
            if _counted(study, TrialState.RUNNING) < plan.trials:
                study.optimize(objective, n_trials=1, catch=(_Enough, _Failed))
                waited = 0.0
            else:  # the others may yet be killed, so that their trials are to be done here
                if waited > PATIENCE + 3 * heartbeat:
                    _fail_silent(study, storage)
                    waited = 0.0
                pause = min(1.0, heartbeat / 10)
                time.sleep(pause)
                waited += pause


def _fail_silent(study: optuna.Study, storage: str) -> None:
    """End trials whose worker was killed before its first sign of life, which Optuna waits for."""
    import sqlalchemy
    from optuna.storages._rdb.models import TrialHeartbeatModel  # no public call lists them

    backend = connect(storage)
    study_id = backend.get_study_id_from_name(study.study_name)
    with backend.engine.connect() as connection:
        heard = set(connection.scalars(sqlalchemy.select(TrialHeartbeatModel.trial_id)))
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if backend.get_trial_id_from_study_id_trial_number(study_id, trial.number) not in heard:
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def _note(trial: Trial, **attributes: Any) -> None:
    for name, value in attributes.items():
        trial.set_user_attr(name, value)


def _end(study: optuna.Study, trial: Trial, outcome: str, **attributes: Any) -> None:
    _note(trial, **attributes, outcome=outcome)
    trial.set_user_attr(SEAL, seal(study.get_trials(deepcopy=False)[trial.number]))


def _before(study: optuna.Study, trial: Trial) -> int:
    others = study.get_trials(deepcopy=False)
    return sum(_counts(t, TrialState.RUNNING) for t in others if t.number < trial.number)


def _counted(study: optuna.Study, *others: TrialState) -> int:
    return sum(_counts(trial, *others) for trial in study.get_trials(deepcopy=False))


def _counts(trial: FrozenTrial, *others: TrialState) -> bool:
    failed = trial.state == TrialState.FAIL and trial.user_attrs.get("outcome") == "failed"
    return failed or trial.state in (TrialState.COMPLETE, TrialState.PRUNED, *others)
