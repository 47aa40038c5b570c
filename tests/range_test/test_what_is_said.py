"""What a range test says where a number alone would mislead: equal seeds, groups, gradients."""

import numpy as np
import pytest
import torch
from own_models import everything
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab import train
from lrlab.range_test import range_test
from lrlab.tasks import from_factory, from_module

LONG = {"steps": 60, "seeds": 3, "lr_max": 10.0, "pilots": 4}
X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)
mse = nn.functional.mse_loss


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def on(model, optimizer=None, shuffle=False, loss=None):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=shuffle)
    if loss is not None:
        return from_module(model, optimizer, loader, loss=loss)
    return from_module(model, optimizer, loader, mse)


def perceptron():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def of_batch(model, batch):
    return mse(model(batch[0]), batch[1])


@pytest.mark.parametrize("rule", [None, "ramp", lambda trace: float(trace.lr[-5])])
def test_seeds_that_are_one_run_count_as_one_and_give_no_interval(rule):
    found = range_test(on(nn.Linear(4, 1)), **LONG)
    losses = [trace.loss.tolist() for trace in found.traces]
    assert losses[0] == losses[1] == losses[2]
    assert found.band.low.lr and found.band.low.interval is found.band.high.interval is None
    assert rule is None or found.suggest(rule).interval is None
    assert "count as one: let the loader shuffle" in str(found) and "(n = 3)" not in str(found)


def test_seeds_that_differ_have_intervals_and_no_such_sentence():
    found = range_test(on(nn.Linear(4, 1), shuffle=True), **LONG)
    assert found.band.low.interval.n == 3 and found.suggest("ramp").interval.n == 3
    assert "count as one" not in str(found)


def test_a_precision_that_equal_seeds_can_not_give_is_not_claimed_and_not_paid_for():
    found = range_test(on(nn.Linear(4, 1)), precision=1.3, budget=100, **LONG)
    answer = found.suggest()
    assert answer.lr > 0 and answer.interval is None
    assert "1 seeds" in answer.rule and "no precision, as seeds are alike" in answer.rule
    assert len({trace.seed for trace in found.refined}) == 3


def test_without_a_rate_the_reason_is_said_once():
    said = str(range_test(on(nn.Linear(4, 1)), steps=20, seeds=1, lr_max=1e-5))
    assert said.count("the loss never falls by more than its noise") == 2  # band and suggestion


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (lambda m, b: of_batch(m, b) + (0 * m.bias).square().sum().sqrt(), "nan"),
        (lambda m, b: 1e30 * of_batch(m, b), "inf"),
    ],
    ids=["root of 0", "overflow"],
)
def test_a_gradient_that_is_not_finite_before_any_update_is_the_reason(loss, value):
    found = range_test(on(nn.Linear(4, 1), loss=loss), steps=20, seeds=1)
    reason = found.suggest().rule
    assert f"the gradient of the first batch is {value} where its loss is" in reason
    assert "lr_min" not in reason


def test_groups_with_rates_of_their_own_are_told_theirs():
    model = perceptron()
    groups = [
        {"params": model[0].parameters(), "lr": 0.01},
        {"params": model[2].parameters(), "lr": 0.1},
    ]
    found = range_test(on(model, torch.optim.SGD(groups, lr=0.1), shuffle=True), **LONG)
    lr = found.suggest().lr
    assert f"the parameter groups then have {lr / 10:.2g}, {lr:.2g}" in str(found)
    assert "parameter groups" not in str(range_test(on(perceptron(), shuffle=True), **LONG))


@pytest.mark.parametrize("kind", ["empty", "frozen"])
def test_a_group_that_does_not_train_is_no_measure_of_the_others(kind):
    model = perceptron()
    if kind == "frozen":
        model[0].requires_grad_(False)
    idle = [] if kind == "empty" else model[0].parameters()
    groups = [{"params": idle, "lr": 5.0}, {"params": model[2].parameters(), "lr": 0.1}]
    task = on(model, torch.optim.SGD(groups, lr=0.1))
    assert task.recipe.schedule.lr == 0.1
    plain = on(model, torch.optim.SGD(model[2].parameters(), lr=0.1))
    runs = [train(one, one.recipe.replace(steps=5)).loss for one in (task, plain)]
    assert np.array_equal(*runs)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), -0.1])
def test_a_rate_that_is_none_is_refused_whichever_group_has_it(rate):
    model = perceptron()
    optimizer = torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=0.1)
    optimizer.param_groups[1]["lr"] = rate
    with pytest.raises(ValueError, match="a parameter group has lr="):
        on(model, optimizer)


class Penalty:
    """Somebody's object that holds the model, and is used by the loss."""

    def __init__(self, model):
        self.model = model

    def value(self):
        return 0.1 * self.model.weight.square().sum()


def test_a_loss_may_use_the_model_through_an_object():
    model = nn.Linear(4, 1)
    penalty = Penalty(model)

    def loss(m, batch):
        return of_batch(m, batch) + penalty.value()

    before, task = everything(model), on(model, loss=loss)
    lab = train(task, task.recipe.replace(steps=4)).loss
    assert everything(model) == before
    optimizer, by_hand = torch.optim.SGD(model.parameters(), lr=0.1), []
    for batch in [*task.loader, *task.loader]:
        optimizer.zero_grad()
        value = loss(model, batch)
        by_hand.append(value.item())
        value.backward()
        optimizer.step()
    assert lab == pytest.approx(by_hand, rel=1e-6)


class Shares(nn.Module):
    """Is its own copy, as one is that saves memory."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        return self.layer(x)


def test_a_copy_that_shares_its_parameters_is_none():
    model = Shares()
    before = everything(model)
    found = range_test(on(model, shuffle=True), **LONG)
    assert found.suggest().lr and everything(model) == before


class Average:
    """A moving average of somebody's own, moved after each step of the optimizer."""

    def __init__(self, model):
        self.model, self.average = model, torch.optim.swa_utils.AveragedModel(model)

    def update(self, *_):
        self.average.update_parameters(self.model)


@pytest.mark.parametrize("wrap", [lambda m: m.update, lambda m: lambda *_: m.update()])
def test_an_average_that_an_optimizers_hook_moves_is_put_back(wrap):
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    moved = Average(model)
    optimizer.register_step_post_hook(wrap(moved))
    before = everything(moved.average)
    range_test(on(model, optimizer), steps=20, seeds=1)
    assert everything(moved.average) == before


def test_a_factory_that_builds_nothing_anew_is_refused():
    model = nn.Linear(4, 1)

    def build(seed):
        return model, torch.optim.SGD(model.parameters(), lr=0.1), [(X, Y)], of_batch

    with pytest.raises(ValueError, match="one model twice: make it anew"):
        range_test(from_factory(build), steps=20, seeds=2)


@pytest.mark.parametrize("task", [nn.Linear(4, 1), None, "mnist1d"])
def test_what_is_no_task_is_refused_with_the_way_to_one(task):
    with pytest.raises(ValueError, match=r"needs a recipe; of a module make lrlab\.tasks"):
        range_test(task)


def test_what_is_no_recipe_is_refused():
    with pytest.raises(ValueError, match="needs a recipe"):
        range_test(on(nn.Linear(4, 1)), {"steps": 3})
