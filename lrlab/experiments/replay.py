"""A stopping rule on runs that are known to their end: whom it stops, what that saves and costs.

The complete curves of one set of runs are fed to a rule in many orders of arrival, in waves as
`lrlab.sweep._engine` advances them. What a rule decides is then told from what it happened to see.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
import optuna
from numpy.typing import ArrayLike
from optuna.trial import TrialState

from lrlab.sweep import rules
from lrlab.training import parallel


@dataclasses.dataclass(frozen=True, eq=False)
class Replayed:
    """What a rule did in several orders of arrival.

    Args:
        spent: evaluations of each run until it was stopped or ended, shape (orders, runs).
        length: evaluations of each complete run, shape (runs,).
        final: the loss of each complete run at its end, infinity if it diverged, shape (runs,).
    """

    spent: np.ndarray
    length: np.ndarray
    final: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        """Whether a run went to its end, shape (orders, runs)."""
        return self.spent >= self.length

    @property
    def lost_winner(self) -> np.ndarray:
        """Whether the run with the lowest final loss was stopped, shape (orders,)."""
        return ~self.kept[:, int(np.argmin(self.final))]

    @property
    def regret(self) -> np.ndarray:
        """Log ratio of the lowest loss among those that were kept to the lowest of all, (orders,).

        Infinity where no run that did not diverge was kept.
        """
        kept = np.where(self.kept, self.final, np.inf).min(axis=1)
        return np.log(kept / self.final.min())

    @property
    def saved(self) -> np.ndarray:
        """Share of the evaluations of all runs that was not spent, shape (orders,)."""
        return 1 - self.spent.sum(axis=1) / self.length.sum()


def replay(
    curves: ArrayLike,
    rule: Mapping[str, Any] | None,
    orders: ArrayLike,
    *,
    final: ArrayLike | None = None,
    wave: int = 1,
    judge_every: int = 1,
    n_jobs: int | None = None,
) -> Replayed:
    """Return what a rule does with runs whose complete curves are known.

    Args:
        curves: the metric at each evaluation, smaller is better, shape (runs, evaluations); from
            the evaluation on at which a run diverged, it is not finite.
        rule: as for `lrlab.sweep.rules.make`.
        orders: permutations of the runs, shape (orders, runs).
        final: what counts in the end, where that is not the metric, positive, shape (runs,).
        wave: runs that advance together.
        judge_every: evaluations between two judgements, for rules without bands of their own.
        n_jobs: processes; None: one for each core.

    Raises:
        ValueError: if the shapes don't fit, or an order is no permutation.

    Example:
        >>> curves = np.array([[1.0, 0.1], [0.5, 0.3], [0.9, 0.4]])
        >>> rule = {"rule": "wandb-hyperband", "min_iter": 1, "eta": 3}
        >>> found = replay(curves, rule, [[1, 0, 2], [0, 1, 2]], n_jobs=1)
        >>> found.spent.tolist(), found.lost_winner.tolist()
        ([[1, 2, 2], [2, 2, 2]], [True, False])
    """
    curves, orders = np.asarray(curves, dtype=float), np.asarray(orders)
    if curves.ndim != 2 or orders.ndim != 2 or orders.shape[1] != len(curves):
        raise ValueError(
            f"need (n, k) curves and (m, n) orders, got {curves.shape}, {orders.shape}"
        )
    if not (np.sort(orders, axis=1) == np.arange(len(curves))).all():
        raise ValueError("each order must be a permutation of the runs")
    if wave < 1:
        raise ValueError(f"wave must be at least 1, got wave={wave}")
    finite = np.isfinite(curves)
    whole = finite.all(axis=1)
    length = np.where(whole, curves.shape[1], np.argmin(finite, axis=1))
    final = curves[:, -1] if final is None else np.asarray(final, dtype=float)
    final = np.where(whole & np.isfinite(final), final, np.inf)
    blocks = np.array_split(orders, min(len(orders), 16))
    calls = [
        joblib.delayed(_block)(i, curves, length, rule, block, wave, judge_every)
        for i, block in enumerate(blocks)
    ]
    done = dict(parallel.in_parallel(calls, n_jobs))
    return Replayed(np.concatenate([done[i] for i in range(len(blocks))]), length, final)


def _block(
    index: int,
    curves: np.ndarray,
    length: np.ndarray,
    rule: Any,
    orders: np.ndarray,
    wave: int,
    judge_every: int,
) -> tuple[int, np.ndarray]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spent = [_once(curves, length, rule, order, wave, judge_every) for order in orders]
    return index, np.array(spent)


def _once(
    curves: np.ndarray,
    length: np.ndarray,
    rule: Any,
    order: np.ndarray,
    wave: int,
    judge_every: int,
) -> np.ndarray:
    # The name decides Hyperband's brackets; it is that of a sweep in an entry.
    study = optuna.create_study(
        study_name="sweep", pruner=rules.make(rule), sampler=optuna.samplers.RandomSampler(seed=0)
    )
    complete = curves.shape[1]
    stages = [*rules.rungs(rule, complete, judge_every), complete]
    spent = np.zeros(len(curves), dtype=int)
    for first in range(0, len(order), wave):
        members = order[first : first + wave]
        trials = {int(run): study.ask() for run in members}
        for stage in stages:
            for run, trial in trials.items():
                upto = min(stage, int(length[run]))
                for step in range(spent[run] + 1, upto + 1):
                    study._storage.set_trial_intermediate_value(
                        trial._trial_id, step, float(curves[run, step - 1])
                    )
                spent[run] = upto
            for run, trial in list(trials.items()):
                if length[run] < stage:
                    study.tell(trial, np.inf, state=TrialState.COMPLETE)
                elif stage == complete:
                    study.tell(trial, float(curves[run, -1]), state=TrialState.COMPLETE)
                elif _stops(study, trial.number):
                    study.tell(trial, state=TrialState.PRUNED)
                else:
                    continue
                del trials[run]
    return spent


def _stops(study: optuna.Study, number: int) -> bool:
    frozen = study.get_trials(deepcopy=False)[number]
    return study.pruner.prune(optuna.pruners._filter_study(study, frozen), frozen)
