"""The thread that writes a study down: everything in order, and nothing after an error."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from lrlab.sweep._storage_writer import Kept


@pytest.fixture
def study():
    return optuna.create_study(storage=optuna.storages.InMemoryStorage())


def writer(study, storage=None):
    return Kept(study, storage or study._storage)


def running():
    return create_trial(state=TrialState.RUNNING, params={}, distributions={})


def test_everything_is_written_when_it_is_left(study):
    with writer(study) as kept:
        for number in range(5):
            kept.add(number, running())
            kept.report(number, {1: 3.0, 2: 2.0 + number})
            kept.note(number, {"outcome": "completed"})
            kept.end(create_trial_like(number, value=2.0 + number))
    found = study.get_trials()
    assert [trial.value for trial in found] == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert [trial.intermediate_values[1] for trial in found] == [3.0] * 5
    assert {trial.user_attrs["outcome"] for trial in found} == {"completed"}


def create_trial_like(number, value):
    trial = create_trial(state=TrialState.COMPLETE, value=value, params={}, distributions={})
    trial.number = number
    return trial


def test_trials_that_are_there_already_are_known(study):
    study.add_trial(running())
    with writer(study) as kept:
        kept.note(0, {"seen": True})
    assert study.get_trials()[0].user_attrs == {"seen": True}


def test_an_error_of_the_storage_is_raised_and_nothing_is_written_after_it(study, monkeypatch):

    def full(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), writer(study) as kept:
        kept.add(0, running())
        monkeypatch.setattr(study._storage, "set_trial_user_attr", full)
        kept.note(0, {"seen": True})
        kept._thread.submit(lambda: None).result()
        with pytest.raises(OSError, match="disk full"):
            kept.add(1, running())
    assert len(study.get_trials()) == 1
