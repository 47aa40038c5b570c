"""Moving averages beside a training: torch's own are the oracle."""

import math

import pytest
import torch

from lrlab import Recipe, tasks, train
from lrlab.experiments.averages import Averages, final
from lrlab.optimizers import SGD
from lrlab.schedules import Constant

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=200)
METRICS = ("validation_loss", "test_loss", "validation_accuracy", "test_accuracy")


def recipe(steps=12, rate=0.1, **more):
    return Recipe(
        schedule=Constant(rate), steps=steps, batch_size=16, optimizer=SGD(momentum=0.9), **more
    )


def test_an_average_after_every_update_is_that_of_torch():
    run = train(TASK, recipe(), probes=[Averages(every=1, decays=(0.0, 0.8), last=12)])
    oracle = train(TASK, recipe(average_decay=0.8))
    for metric in METRICS:
        assert final(run, 0.0, metric) == pytest.approx(oracle.final(metric), rel=1e-6)
        averaged = oracle.final(f"averaged_{metric}")
        assert final(run, 0.8, metric) == pytest.approx(averaged, rel=1e-5)


def test_an_average_after_every_fourth_update_is_that_of_the_weights_there():
    run = train(TASK, recipe(), probes=[Averages(every=4, decays=(0.9,), last=12)])
    average = None
    for until in (4, 8, 12):
        longer = recipe(steps=13)  # a training that is not over keeps its weights
        state = train(TASK, longer, until=until).checkpoint.state["model"]
        kept = 0.9**4
        average = (
            dict(state)
            if average is None
            else {name: kept * average[name] + (1 - kept) * state[name] for name in state}
        )
    model = TASK.model()
    model.load_state_dict(average)
    with torch.no_grad():
        expected = TASK.evaluate(model.eval(), TASK.data().test, torch.Generator())
    assert final(run, 0.9, "test_loss") == pytest.approx(expected["loss"], rel=1e-5)


def test_looking_changes_nothing_of_the_training():
    seen = train(TASK, recipe(), probes=[Averages(every=3, last=12)])
    assert seen.loss.tolist() == train(TASK, recipe()).loss.tolist()


def test_two_trainings_in_turn_share_no_average():
    probe = Averages(every=2, decays=(0.9,), last=12)
    first, other, again = (train(TASK, recipe(seed=seed), probes=[probe]) for seed in (0, 1, 0))
    assert first.same_numbers(again) and not first.same_numbers(other)


def test_a_run_that_diverges_counts_as_guessing():
    run = train(TASK, recipe(rate=1e6), probes=[Averages(every=3, last=12)])
    assert run.diverged
    assert final(run, 0.9, "test_loss") == pytest.approx(math.log(10))
    assert final(run, 0.0, "test_accuracy") == 0.1


def test_a_training_that_was_begun_elsewhere_is_refused():
    probe = Averages(every=2, last=12)
    part = train(TASK, recipe(), probes=[probe], until=6)
    with pytest.raises(ValueError, match="checkpoint"):
        train(TASK, recipe(), probes=[probe], resume=part.checkpoint)


@pytest.mark.parametrize(
    "arguments", [{"decays": (1.0,)}, {"decays": ()}, {"last": 7, "every": 5}, {"last": 0}]
)
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Averages(**arguments)
