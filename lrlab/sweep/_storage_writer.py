"""The kept study, told by a thread of its own what happened, in the order in which it happened."""

from __future__ import annotations

import concurrent.futures
import json
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.storages._rdb import models  # Optuna has no public way to write several at once
from optuna.trial import FrozenTrial

_VALUES: Any = models.TrialIntermediateValueModel.__table__
_NOTES: Any = models.TrialUserAttributeModel.__table__
_VALUE = ("step", "intermediate_value", "intermediate_value_type")


class Kept:
    """Writes into the storage of a study while trials are trained.

    Whenever it is interrupted, the storage holds all that happened up to some moment, and nothing
    of what came after. Leaving it as a context manager waits until everything is written.

    Args:
        study: what is told.
        storage: where it is.

    Raises:
        Exception: what a storage raised, at the next call or at the end; nothing is written after.
    """

    def __init__(self, study: optuna.Study, storage: optuna.storages.RDBStorage) -> None:
        self.study, self._storage = study, storage
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._ids: dict[int, int] = {}
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._error: BaseException | None = None

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._thread.shutdown(wait=True)
        if kind is None and self._error is not None:
            raise self._error

    def add(self, number: int, trial: FrozenTrial) -> None:
        """Add a trial, all of it at once or nothing."""

        def write() -> None:
            made = self._storage.create_new_trial(self._study_id, template_trial=trial)
            self._ids[number] = made

        self._later(write)

    def note(
        self, number: int, attributes: Mapping[str, Any], values: Mapping[int, float] | None = None
    ) -> None:
        """Note attributes of a trial, and its metric at some evaluations: all at once or nothing.

        One transaction, where Optuna's own calls are one for each number: each costs as much as
        four updates of a small network.
        """
        values = dict(values or {})

        def write() -> None:
            trial = {"trial_id": self._id(number)}
            stored = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
            measured = [
                trial | dict(zip(_VALUE, (step, *stored(value)), strict=True))
                for step, value in values.items()
            ]
            noted = [trial | {"key": k, "value_json": json.dumps(v)} for k, v in attributes.items()]
            with self._storage.engine.begin() as connection:
                for table, name, rows in ((_VALUES, "step", measured), (_NOTES, "key", noted)):
                    if rows:
                        again = table.c[name].in_([row[name] for row in rows])
                        mine = table.c.trial_id == trial["trial_id"]
                        connection.execute(table.delete().where(mine, again))
                        connection.execute(table.insert(), rows)

        self._later(write)

    def end(self, trial: FrozenTrial) -> None:
        """Give a trial the state and the value of one that has ended."""
        number, state, values = trial.number, trial.state, trial.values
        self._later(lambda: self._storage.set_trial_state_values(self._id(number), state, values))

    def _id(self, number: int) -> int:
        if number not in self._ids:
            find = self._storage.get_trial_id_from_study_id_trial_number
            self._ids[number] = find(self._study_id, number)
        return self._ids[number]

    def _later(self, write: Callable[[], Any]) -> None:
        if self._error is not None:
            raise self._error

        def unless_broken() -> None:
            if self._error is None:
                try:
                    write()
                except BaseException as error:  # raised where the sweep can be ended
                    self._error = error

        self._thread.submit(unless_broken)
