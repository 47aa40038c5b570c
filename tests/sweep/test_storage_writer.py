"""The thread that writes a study down: everything in order, and nothing after an error."""

import math

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from lrlab.sweep._storage_writer import Kept


@pytest.fixture
def storage(tmp_path):
    return optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/study.db")


@pytest.fixture
def study(storage):
    return optuna.create_study(storage=storage)


@pytest.fixture
def writer(study, storage):
    return Kept(study, storage)


def running():
    return create_trial(state=TrialState.RUNNING, params={}, distributions={})


def test_everything_is_written_when_it_is_left(study, writer):
    with writer as kept:
        for number in range(5):
            kept.add(number, running())
            kept.note(number, {"outcome": "begun", "steps": [1]}, {1: 3.0, 2: math.inf})
            kept.note(number, {"outcome": "completed"}, {2: 2.0 + number})
            kept.end(create_trial_like(number, value=2.0 + number))
    found = study.get_trials()
    assert [trial.value for trial in found] == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert [trial.intermediate_values[1] for trial in found] == [3.0] * 5
    assert [trial.intermediate_values[2] for trial in found] == [trial.value for trial in found]
    assert [trial.user_attrs for trial in found] == [{"outcome": "completed", "steps": [1]}] * 5


@pytest.mark.parametrize("value", [-1e300, 0.0, math.inf, -math.inf, math.nan])
def test_values_and_notes_are_read_as_from_optunas_own_calls(study, storage, value):
    notes = {"a": None, "b": [1, 2.5], "c": {"d": "é"}}
    for _ in range(2):
        study.add_trial(running())
    with Kept(study, storage) as kept:
        kept.note(0, notes, {3: value})
    storage.set_trial_intermediate_value(2, 3, value)
    for key, note in notes.items():
        storage.set_trial_user_attr(2, key, note)
    mine, theirs = study.get_trials()
    assert mine.user_attrs == theirs.user_attrs == notes
    assert repr(mine.intermediate_values) == repr(theirs.intermediate_values)


def create_trial_like(number, value):
    trial = create_trial(state=TrialState.COMPLETE, value=value, params={}, distributions={})
    trial.number = number
    return trial


def test_trials_that_are_there_already_are_known(study, writer):
    study.add_trial(running())
    with writer as kept:
        kept.note(0, {"seen": True})
    assert study.get_trials()[0].user_attrs == {"seen": True}


def test_an_error_of_the_storage_is_raised_and_nothing_is_written_after_it(
    study, storage, writer, monkeypatch
):

    def full(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), writer as kept:
        kept.add(0, running())
        monkeypatch.setattr(storage, "set_trial_state_values", full)
        kept.end(create_trial_like(0, value=1.0))
        kept._thread.submit(lambda: None).result()
        with pytest.raises(OSError, match="disk full"):
            kept.add(1, running())
    assert len(study.get_trials()) == 1
