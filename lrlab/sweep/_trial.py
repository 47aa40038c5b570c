"""The trials of a study as a table: what every analysis of a sweep reads."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import optuna

Outcome = Literal["completed", "stopped", "diverged", "interrupted"]


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One trial of a sweep.

    Args:
        number: from 0, in the order in which it was asked for.
        params: what was tried, by the name in the space.
        outcome: ``"completed"``; ``"stopped"`` by the rule; ``"diverged"``; ``"interrupted"``: it
            was begun and not ended.
        value: the metric at the last evaluation; infinity if it diverged, NaN if there is none yet.
        steps: updates done at each evaluation, shape (k,); the start is not counted.
        values: the metric there, shape (k,).
        began: updates that the study had spent before this trial; those that advance together share
            it. In an asynchronous study NaN.
        seconds: training time at one thread.
        run_key: key of the run in the store.
    """

    number: int
    params: dict[str, Any]
    outcome: Outcome
    value: float
    steps: np.ndarray
    values: np.ndarray
    began: float
    seconds: float
    run_key: str | None

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
    """
    from optuna.trial import TrialState

    found = []
    for frozen in study.get_trials(deepcopy=False):
        if frozen.state == TrialState.FAIL or frozen.state == TrialState.WAITING:
            continue
        said = frozen.user_attrs
        reported = frozen.intermediate_values
        values = np.array([reported[step] for step in sorted(reported)])
        ended = frozen.state != TrialState.RUNNING
        outcome = said.get("outcome", "interrupted") if ended else "interrupted"
        last = float(values[-1]) if values.size else math.nan
        found.append(
            Trial(
                number=frozen.number,
                params=dict(frozen.params),
                outcome=outcome,
                value=math.inf if outcome == "diverged" else last,
                steps=np.array(said.get("steps", [])[: values.size], dtype=int),
                values=values,
                began=float(said.get("began", math.nan)),
                seconds=float(said.get("seconds", math.nan)),
                run_key=said.get("run_key"),
            )
        )
    return found


def best(study: optuna.Study) -> Trial | None:
    """Return the completed trial with the lowest value, the first of equals; None without one."""
    completed = [trial for trial in trials(study) if trial.outcome == "completed"]
    return min(completed, key=lambda trial: trial.value, default=None)
