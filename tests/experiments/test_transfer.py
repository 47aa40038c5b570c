"""Digits learned from weights that know others: the parts that are kept, drawn and told apart."""

import dataclasses
import json
import math

import pytest
import torch

from lrlab import Recipe, tasks, train
from lrlab.experiments.transfer import Transfer
from lrlab.schedules import Constant
from lrlab.training import _fingerprint as fingerprint
from lrlab.training.state import parameter_groups

pytestmark = pytest.mark.trains

KNOWN = (0, 1, 2, 3, 4)


def few(**fields):
    return Transfer(**{"n_train": 50, "pretraining_steps": 3, "known": KNOWN} | fields)


def weights(task, seed):
    torch.manual_seed(seed)
    return task.model().state_dict()


@pytest.mark.parametrize("base", ["mnist1d", "mnist"])
def test_pretraining_gives_the_body_and_the_seed_gives_the_last_layer(base):
    a, b = (weights(few(base=base), seed) for seed in (1, 2))
    fresh = weights(few(base=base, known=()), 1)
    last = list(a)[-1].partition(".")[0]
    for name in a:
        assert torch.equal(a[name], b[name]) == (not name.startswith(last))
        assert torch.equal(a[name], fresh[name]) == name.startswith(last)


def test_pretraining_depends_on_its_own_fields_alone():
    one = weights(few(), 0)["1.weight"]
    assert torch.equal(one, weights(few(sample=3, n_train=100, digits=(5, 7)), 0)["1.weight"])
    for other in (few(pretraining_seed=1), few(pretraining_rate=0.1), few(known=(0, 1))):
        assert not torch.equal(one, weights(other, 0)["1.weight"])


def test_what_is_pretrained_is_learned_again_sooner():
    known = few(digits=KNOWN, n_train=None, pretraining_steps=300)
    recipe = Recipe(schedule=Constant(0.1), steps=30, batch_size=50)
    fresh = train(dataclasses.replace(known, known=()), recipe).final("validation_loss")
    assert train(known, recipe).final("validation_loss") < 0.9 * fresh


def test_labels_count_the_digits_and_samples_are_balanced():
    whole, task = tasks.get("mnist1d").data(), few(digits=(7, 2), n_train=20, sample=4)
    x, y = task.data().train
    assert y.bincount().tolist() == [10, 10]
    for signal, label in zip(x, y, strict=True):
        row = (whole.train[0] == signal).all(1).nonzero()[0]
        assert whole.train[1][row] == (7, 2)[label]
    other = few(digits=(7, 2), n_train=20, sample=5).data()
    assert not torch.equal(x, other.train[0]) and torch.equal(task.data().test[0], other.test[0])


def test_each_layer_has_its_own_rate():
    task = few()
    groups, ratios = parameter_groups(task.model(), task.discriminative(2.6))
    assert ratios == pytest.approx([2.6**-3, 2.6**-2, 2.6**-1, 1.0])
    assert [len(group["params"]) for group in groups] == [2, 2, 2, 2]
    assert list(task.discriminative(math.inf).values()) == [0, 0, 0, 1]
    assert set(task.discriminative(1.0).values()) == {1.0}


def test_an_infinite_ratio_trains_the_last_layer_alone():
    task = few()
    recipe = Recipe(
        schedule=Constant(0.1), steps=4, batch_size=10, lr_ratios=task.discriminative(math.inf)
    )
    assert json.loads(json.dumps(recipe.to_dict()))["lr_ratios"]["1."] == 0
    after = train(task, recipe.replace(steps=5), until=4).checkpoint.state["model"]
    before = weights(task, 0)
    assert all(torch.equal(before[n], after[n]) for n in before if not n.startswith("8."))


def test_it_trains_like_any_task_and_its_key_holds_what_it_needs():
    task = few()
    described = json.loads(json.dumps(task.to_dict()))
    assert described.pop("task") == "transfer"
    assert Transfer(**described) == task
    recipe = Recipe(schedule=Constant(0.01), steps=3, batch_size=10)
    assert train(task, recipe).same_numbers(train(task, recipe))
    reached = fingerprint.reached([Transfer.__module__])
    assert {"lrlab.tasks.mnist", "lrlab.tasks.mnist1d", "lrlab.training.loop"} <= set(reached)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base": "cifar"}, "base must be one of"),
        ({"digits": (1, 1)}, "digits must be different"),
        ({"known": (3, 12)}, "known must be different digits"),
        ({"digits": (5,)}, "two digits at least"),
        ({"n_train": 52}, "multiple of 5, got n_train=52"),
        ({"pretraining_steps": 0}, "pretraining_steps must be positive"),
        ({"pretraining_rate": -0.1}, "pretraining_rate must be positive"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        few(**fields)


def test_more_examples_than_there_are_and_a_ratio_below_one_are_refused():
    with pytest.raises(ValueError, match="fewer than 1000 examples"):
        few(n_train=5000).data()
    with pytest.raises(ValueError, match="ratio must be at least 1, got ratio"):
        few().discriminative(0.5)
