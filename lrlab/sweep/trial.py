"""The trials of a study as a table: what every analysis of a sweep reads."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lrlab.sweep._seal import recorded

if TYPE_CHECKING:
    import optuna

__all__ = ["best_of", "counts"]

OUTCOMES = ("completed", "stopped", "diverged", "failed", "interrupted")


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One trial of a sweep.

    Args:
        number: from 0, in the order in which it was asked for.
        params: what was tried, by the name in the space.
        outcome: ``"completed"``; ``"stopped"`` by the rule; ``"diverged"``; ``"failed"``, for a
            reason; ``"interrupted"``: it was begun and not ended.
        value: the metric at the last evaluation; infinity (the bad one) if it diverged, NaN if
            there is none.
        steps: updates done at each evaluation, shape (k,); the start is not counted.
        values: the metric there, shape (k,).
        began: updates that the study had spent before this trial; those that advance together share
            it. In an asynchronous study NaN.
        seconds: training time at one thread.
        run_key: key of the run in the store.
        reason: why it failed.
        same_as: number of the trial with the same hyperparameters whose result it took over.
        start: seconds until its script first said something; NaN in process.
    """

    number: int
    params: dict[str, Any]
    outcome: Literal["completed", "stopped", "diverged", "failed", "interrupted"]
    value: float
    steps: np.ndarray
    values: np.ndarray
    began: float
    seconds: float
    run_key: str | None
    reason: str | None = None
    same_as: int | None = None
    start: float = math.nan

    @property
    def updates(self) -> int:
        """Updates that were spent on it."""
        return int(self.steps[-1]) if self.steps.size else 0


def trials(study: optuna.Study) -> list[Trial]:
    """Return the trials of a study in the order of their numbers.

    Those that an interruption left behind and that were begun anew under another number are left
    out.

    Args:
        study: one that `lrlab.sweep.sweep` made.

    Returns:
        One record a trial.

    Raises:
        ValueError: if the storage is damaged.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> study = sweep(plan, n_jobs=1, progress=False)
        >>> [(trial.number, trial.outcome) for trial in trials(study)]
        [(0, 'completed'), (1, 'completed'), (2, 'completed')]
    """
    from optuna.trial import TrialState

    worst = -math.inf if study.direction.name == "MAXIMIZE" else math.inf
    found = []
    for frozen in recorded(study):
        said = frozen.user_attrs
        given_up = frozen.state == TrialState.FAIL and said.get("outcome") != "failed"
        if given_up or frozen.state == TrialState.WAITING:
            continue
        reported = frozen.intermediate_values
        values = np.array([reported[step] for step in sorted(reported)])
        ended = frozen.state != TrialState.RUNNING
        outcome: Any = said.get("outcome", "interrupted") if ended else "interrupted"
        last = float(values[-1]) if values.size else math.nan
        found.append(
            Trial(
                number=frozen.number,
                params=dict(said.get("params", frozen.params)),
                outcome=outcome,
                value=worst if outcome == "diverged" else last,
                steps=np.array(said.get("steps", [])[: values.size], dtype=int),
                values=values,
                began=float(said.get("began", math.nan)),
                seconds=float(said.get("seconds", math.nan)),
                run_key=said.get("run_key"),
                reason=said.get("reason"),
                same_as=said.get("same_as"),
                start=float(said.get("start", math.nan)),
            )
        )
    return found


def best_of(found: Iterable[Trial], *, maximizes: bool = False) -> Trial | None:
    """Return the completed trial with the lowest, or highest, value; None without one.

    Args:
        found: trials.
        maximizes: whether larger values are better.

    Example:
        >>> first = Trial(0, {"peak_lr": 0.1}, "completed", 2.0, [], [], 0.0, 1.0, None)
        >>> best_of([first, dataclasses.replace(first, number=1, value=1.0)]).number
        1
    """
    sign = -1.0 if maximizes else 1.0
    completed = [trial for trial in found if trial.outcome == "completed"]
    return min(completed, key=lambda trial: sign * trial.value, default=None)


def counts(found: Iterable[Trial]) -> str:
    """Return how many trials there are of each outcome, in words.

    Args:
        found: trials.

    Example:
        >>> first = Trial(0, {"peak_lr": 0.1}, "completed", 2.0, [], [], 0.0, 1.0, None)
        >>> counts([first, dataclasses.replace(first, number=1, outcome="stopped")])
        '2 trials: 1 completed, 1 stopped'
    """
    found = list(found)
    number = {word: sum(trial.outcome == word for trial in found) for word in OUTCOMES}
    said = f"{len(found)} trials: " + ", ".join(f"{n} {word}" for word, n in number.items() if n)
    if again := sum(trial.same_as is not None for trial in found):
        said += f"; {again} of them had the hyperparameters of an earlier one, and took its result"
    return said
