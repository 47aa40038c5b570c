"""Trials that have ended are sealed: what a damaged storage gives back is noticed, and never used.

A database protects its structure, not the numbers in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator

import optuna
from optuna.trial import FrozenTrial, TrialState

SEAL = "sealed"
_NOTES = (
    *("began", "params", "steps", "seconds", "run_key", "same_as", "start", "reason"),
    *("outcome", "judged"),
)
RUNG = "completed_rung"  # as Optuna's successive halving begins the names of its notes
_LONGEST = 120  # letters of what the database says


def seal(trial: FrozenTrial) -> str:
    """Return a hash of all that a trial holds, to be noted before it ends.

    Args:
        trial: one that holds everything but its end.
    """
    said = trial.user_attrs
    notes = {name: said[name] for name in said if name in _NOTES or name.startswith(RUNG)}
    values = sorted(trial.intermediate_values.items())
    held = [trial.number, trial.params, values, notes]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def recorded(study: optuna.Study) -> list[FrozenTrial]:
    """Return all trials of a study as they were written.

    Raises:
        ValueError: if the storage is damaged.
    """
    with damage():
        found = study.get_trials(deepcopy=False)
    for number, trial in enumerate(found):
        noted = trial.user_attrs.get(SEAL)
        judged = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)  # these have a seal
        sealed = judged or (trial.state == TrialState.FAIL and noted is not None)
        if trial.number != number or (sealed and noted != seal(trial)):
            raise ValueError(
                f"trial {number} of the study {study.study_name!r} is not as it was written: its "
                "storage is damaged, or from before 0.2.0"
            )
    return found


@contextlib.contextmanager
def damage(*meant: type[Exception]) -> Iterator[None]:
    """Turn what a damaged storage raises into a ValueError of one sentence.

    Args:
        meant: errors that say something else here, and are raised as they are.
    """
    import sqlalchemy

    broken = (
        optuna.exceptions.StorageInternalError,
        sqlalchemy.exc.SQLAlchemyError,
        json.JSONDecodeError,
        UnicodeError,
        LookupError,
        TypeError,
    )
    try:
        yield
    except meant:
        raise
    except broken as error:
        said = (str(error.__cause__ or error).splitlines() or [""])[0][:_LONGEST]
        raise ValueError(f"the study's storage is damaged, or can't be used: {said}") from None
