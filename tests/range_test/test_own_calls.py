"""How what people wrote is called and copied: losses, factories, hooks, optimizers, modules."""

import functools

import pytest
import torch
from own_models import X, Y, everything
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from lrlab import train
from lrlab.range_test import range_test
from lrlab.tasks import from_factory, from_module

QUICK = {"steps": 20, "seeds": 1, "pilots": 0, "lr_max": 1.0}
PAIRS = [(X[:32], Y[:32]), (X[32:], Y[32:])]


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def sgd(model, **more):
    return torch.optim.SGD(model.parameters(), lr=0.05, **more)


def on(loss=None, model=None, optimizer=None, batches=PAIRS, **more):
    model = model or nn.Linear(4, 1)
    return from_module(model, optimizer or sgd(model), batches, loss=loss, **more)


def losses(task, steps=4):
    return train(task, task.recipe.replace(steps=steps)).loss.tolist()


# -- losses --------------------------------------------------------------------------------------


class Squares(nn.Module):
    def forward(self, y_pred, y_true):
        return F.mse_loss(y_pred, y_true)


OF_OUTPUTS = [F.mse_loss, functools.partial(F.mse_loss, reduction="mean"), nn.MSELoss(), Squares()]


@pytest.mark.parametrize("loss", OF_OUTPUTS)
def test_a_loss_of_output_and_target_is_one_at_the_general_door_too(loss):
    model = nn.Linear(4, 1)

    def build(seed):
        own = nn.Linear(4, 1)
        own.load_state_dict(model.state_dict())
        return own, sgd(own), PAIRS, loss

    expected = losses(from_module(model, sgd(model), PAIRS, F.mse_loss))
    assert losses(on(loss, model)) == expected
    assert losses(from_factory(build)) == expected


def breaks_inside(*_):
    return None + 1


def lacks_inside(*_):
    return torch.ones(1).no_such_thing


class BreaksInside(nn.Linear):
    def forward(self, x):
        return len(3)


@pytest.mark.parametrize(
    ("loss", "kind"), [(breaks_inside, TypeError), (lacks_inside, AttributeError)]
)
def test_an_error_inside_of_ones_own_loss_comes_out_as_it_is_with_a_note(loss, kind):
    model = nn.Linear(4, 1)
    for task in (on(loss), from_module(model, sgd(model), PAIRS, loss)):
        with pytest.raises(kind) as caught:
            losses(task)
        assert "takes" in caught.value.__notes__[0] and "got a tuple" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match=r"type 'int' has no len"):
        losses(from_module(model := BreaksInside(4, 1), sgd(model), PAIRS, F.mse_loss))


@pytest.mark.parametrize("loss", [lambda batch: 0, lambda m, b, extra: 0, nn.TripletMarginLoss()])
def test_a_loss_that_can_not_be_called_so_is_refused_with_the_way_on(loss):
    with pytest.raises(
        ValueError, match=r"loss\(model, batch\) takes the model.*loss=lambda model"
    ):
        losses(on(loss))
    with pytest.raises(ValueError, match=r"loss\(model, batch\) takes the model"):
        losses(from_factory(lambda: (m := nn.Linear(4, 1), sgd(m), PAIRS, loss)))


class Asks(torch.optim.SGD):
    def step(self, closure=None):
        assert closure is not None, "it requires a closure"
        with torch.enable_grad():
            closure()
        super().step()


def pops(model, batch):
    labels = batch.pop("labels")
    batch["x"].mul_(0.5)
    return F.mse_loss(model(batch["x"]), labels)


def leaves(model, batch):
    return F.mse_loss(model(0.5 * batch["x"]), batch["labels"])


def test_a_loss_may_change_the_batch_that_it_is_given():
    batches = [{"x": x.clone(), "labels": y, "name": "a"} for x, y in PAIRS]
    model = nn.Linear(4, 1)
    for optimizer in (Asks(model.parameters(), lr=0.05), sgd(model)):
        tasks = [on(loss, model, optimizer, batches) for loss in (pops, leaves)]
        assert losses(tasks[0]) == losses(tasks[1])
        tests = [range_test(task, same_batch=True, **QUICK) for task in tasks]
        after = [test.traces[0].probes["SameBatch"]["after"].tolist() for test in tests]
        assert after[0] == after[1]
    assert all(
        torch.equal(b["x"], x) and len(b) == 3 for b, (x, _) in zip(batches, PAIRS, strict=True)
    )


# -- factories -----------------------------------------------------------------------------------


def built(width=1):
    model = nn.Linear(4, width)
    data = DataLoader(TensorDataset(X, Y), batch_size=32)
    return model, sgd(model), data, F.mse_loss


def test_a_factory_may_leave_the_seed_out_and_has_other_weights_for_each_all_the_same():
    found = range_test(from_factory(built), **(QUICK | {"seeds": 2}))
    assert found.traces[0].loss[0] != found.traces[1].loss[0]


def test_a_factory_gets_its_seed_by_position_or_by_name():
    seen = []
    for build in (lambda s: seen.append(s), lambda *, seed: seen.append(seed)):
        with pytest.raises(ValueError, match="must return"):
            from_factory(build).parts(7)
    assert seen == [7, 7]


@pytest.mark.parametrize("build", [lambda seed, width: built(), lambda a, b: built()])
def test_a_factory_that_wants_more_is_refused_in_a_sentence(build):
    with pytest.raises(ValueError, match="build must be a function of a seed, or of nothing"):
        range_test(from_factory(build), **QUICK)


# -- copies --------------------------------------------------------------------------------------


class Holds(torch.optim.SGD):
    """Uses its model in its step, beside its parameters, and a function of a setting."""

    def __init__(self, model):
        super().__init__(model.parameters(), lr=0.05)
        self.model, self.scale = model, lambda lr: 0.5 * lr

    def step(self, closure=None):
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.sub_(self.scale(self.param_groups[0]["lr"]) * parameter.grad)


def test_an_optimizer_may_hold_its_module():
    model = nn.Linear(4, 1)
    before = everything(model)
    task = on(F.mse_loss, model, Holds(model))
    assert task.obstacle is None
    held = task.parts(0)
    assert held.optimizer.model is held.model is not model
    run = task.recipe.schedule.lr, losses(task)
    half = on(F.mse_loss, model, torch.optim.SGD(model.parameters(), lr=0.5 * run[0]))
    assert run[1] == pytest.approx(losses(half), rel=1e-6) and everything(model) == before


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_replaced_step_is_kept_beside_a_schedulers(scheduled):
    model = nn.Linear(4, 1)
    optimizer, steps = sgd(model), []
    if scheduled:
        torch.optim.lr_scheduler.StepLR(optimizer, 1)
    else:
        old = optimizer.step
        optimizer.step = lambda: (steps.append(1), old())
    before = everything(model)
    task = on(F.mse_loss, model, optimizer)
    losses(task)
    assert (task.obstacle is None) == scheduled and len(steps) == (0 if scheduled else 4)
    assert everything(model) == before


class Slots(nn.Module):
    __slots__ = ("gain", "inner")

    def __init__(self):
        super().__init__()
        self.layer, self.gain = nn.Linear(4, 1), torch.tensor(0.5)

    def forward(self, x):
        return self.gain * self.layer(x)


def test_a_module_keeps_its_slots_in_a_copy():
    model = Slots()
    task = on(F.mse_loss, model)
    twin = task.parts(0).model
    assert task.obstacle is None and twin.gain == 0.5 and twin.gain is not model.gain
    assert not hasattr(twin, "inner") and len(losses(task)) == 4


# -- steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", [True, False])
@pytest.mark.parametrize("lr", [0.05, 0.0])
def test_an_update_during_backward_is_refused_with_the_true_reason(by_hand, lr):
    model = nn.Linear(4, 1)
    single = {p: torch.optim.SGD([p], lr=lr) for p in model.parameters()}

    def update(parameter):
        if by_hand:
            parameter.data.sub_(0.05 * parameter.grad)
        else:
            single[parameter].step()
        parameter.grad = None

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(update)
    before = everything(model)
    with pytest.raises(ValueError, match=r"a hook updates a parameter during backward\(\)"):
        losses(on(F.mse_loss, model))
    assert everything(model) == before


def test_a_run_with_hooks_that_runs_away_has_diverged():
    model = nn.Linear(4, 1)
    model.weight.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", 1e30 * p.grad))
    run = train(task := on(F.mse_loss, model), task.recipe.replace(steps=20))
    assert run.status == "diverged"


@pytest.mark.parametrize("obstacle", [True, False])
def test_training_inside_of_inference_mode_is_refused_in_a_sentence(obstacle):
    model = nn.Linear(4, 1)
    if obstacle:
        model.weight.register_hook(lambda grad: grad)
    before = everything(model)
    tasks = [on(F.mse_loss, model), from_factory(built)]
    with torch.inference_mode():
        tasks.append(on(F.mse_loss, model))
        for task in tasks:
            with pytest.raises(ValueError, match=r"inference_mode\(\) takes all gradients"):
                range_test(task, **QUICK)
    assert everything(model) == before and len(losses(tasks[-1])) == 4
