"""While references are compared, a start that runs share is evaluated once, and no bit moves."""

import sys

import pytest

from lrlab import Recipe, schedules, tasks, train
from lrlab.experiments.schedule_free import ScheduleFreeSGD
from lrlab.labbook.entries import _starts
from lrlab.tasks.mnist1d import Mnist1D
from lrlab.training import loop

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=64, architecture="logistic")
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16, eval_every=2)
FASTER = RECIPE.replace(schedule=schedules.Constant(0.2))
OTHERS = {
    "seed": (TASK, RECIPE.replace(seed=1)),
    "weights": (TASK, RECIPE.replace(init_seed=1)),
    "data": (tasks.get("mnist1d", n_train=65, architecture="logistic"), RECIPE),
    "model": (tasks.get("mnist1d", n_train=64), RECIPE),
    "average": (TASK, RECIPE.replace(average_decay=0.9)),
}


@pytest.fixture
def evaluated(monkeypatch):
    """The evaluations of a part of the data that were carried out."""
    monkeypatch.setattr(loop, "_measured", loop._measured)  # as it is again after the test
    found, evaluate = [], Mnist1D.evaluate
    monkeypatch.setattr(Mnist1D, "evaluate", lambda *a: found.append(a) or evaluate(*a))
    return found


@pytest.mark.parametrize(
    "made",
    [
        RECIPE,
        RECIPE.replace(average_decay=0.9),
        RECIPE.replace(optimizer=ScheduleFreeSGD()),
    ],
    ids=["plain", "average", "schedule-free"],
)
def test_runs_that_begin_alike_have_their_numbers_from_one_evaluation(made, evaluated):
    recipes = [made, made.replace(schedule=schedules.Constant(0.2))]
    without = [train(TASK, recipe) for recipe in recipes]
    per_evaluation = len(evaluated) // (2 * 3)
    _starts.evaluate_once()
    evaluated.clear()
    once = [train(TASK, recipe) for recipe in recipes]
    assert all(a.same_numbers(b) for a, b in zip(once, without, strict=True))
    assert not once[0].same_numbers(once[1])
    assert len(evaluated) == (2 * 3 - 1) * per_evaluation


@pytest.mark.parametrize("what", OTHERS)
def test_another_start_is_evaluated_too(what, evaluated):
    without = train(*OTHERS[what])
    count = len(evaluated)
    _starts.evaluate_once()
    train(TASK, RECIPE)
    evaluated.clear()
    assert train(*OTHERS[what]).same_numbers(without)
    assert len(evaluated) == count


def test_weights_that_differ_in_one_bit_are_another_start(evaluated, monkeypatch):
    _starts.evaluate_once()
    train(TASK, RECIPE)
    model = Mnist1D.model

    def shifted(task):
        made = model(task)
        last = list(made.parameters())[-1]
        last.data[0] = last.data[0].nextafter(last.data[0] + 1)
        return made

    monkeypatch.setattr(Mnist1D, "model", shifted)
    evaluated.clear()
    train(TASK, FASTER)
    assert len(evaluated) == 3 * 3


def test_where_nothing_that_trains_was_loaded_nothing_is(monkeypatch):
    monkeypatch.delitem(sys.modules, "lrlab.training.loop")
    _starts.evaluate_once()
    assert "lrlab.training.loop" not in sys.modules
