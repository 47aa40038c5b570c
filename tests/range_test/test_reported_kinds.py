"""More of what people bring, after their reports: it trains as it would, or a sentence says how."""

import numpy as np
import pytest
import torch
from drawn_batches import nested
from hypothesis import given, settings
from hypothesis import strategies as st
from own_models import X, Y, everything
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab import train
from lrlab.range_test import range_test
from lrlab.schedules import Cosine, as_torch
from lrlab.tasks import from_factory, from_module
from lrlab.tasks.batches import tensors_in

QUICK = {"steps": 20, "seeds": 1, "pilots": 4, "lr_max": 1.0}
mse = nn.functional.mse_loss


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def perceptron():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def pairs(x=X, y=Y):
    return DataLoader(TensorDataset(x, y), batch_size=16)


def on(model, loss_fn=mse, loader=None, optimizer=None, **more):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.01)
    return from_module(model, optimizer, pairs() if loader is None else loader, loss_fn, **more)


def trains(task, steps=3):
    run = train(task, task.recipe.replace(steps=steps))
    assert len(run.loss) == steps and np.isfinite(run.loss).all()
    return run


# -- any loss ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (nn.MSELoss(reduction="none"), r"got a tensor \(16, 1\).*take the mean"),
        (lambda out, y: mse(out, y).item(), r"got a float.*no item"),
        (lambda out, y: torch.complex(mse(out, y), mse(out, y)), "must be a scalar.*real part"),
        (
            lambda out, y: {"loss_box": mse(out, y)},
            "got a dict with loss_box.*the sum as 'loss'",
        ),
        (lambda out, y: None, "got a NoneType.*leave batches that have none out"),
        (nn.MSELoss, r"is a class: give an instance, MSELoss\(\)"),
    ],
)
def test_what_is_no_loss_is_refused_with_the_way_to_one(loss, said):
    with pytest.raises(ValueError, match=said):
        trains(on(nn.Linear(4, 1), loss))


@pytest.mark.parametrize("row", [200, 511])
def test_one_row_that_is_not_finite_is_the_reason_and_no_noise(row):
    x = torch.randn(512, 4)
    y = x.sum(1, keepdim=True)
    x[row] = float("nan")
    found = range_test(on(nn.Linear(4, 1), mse, pairs(x, y)), **(QUICK | {"steps": 60}))
    assert "look for values that are not finite in data and loss" in found.suggest().rule
    assert "look at the data and the loss first" in str(found)


def test_a_loss_without_a_lowest_value_has_a_suggestion_all_the_same():
    double = pairs(X.double(), Y.double())
    task = on(nn.Linear(4, 1).double(), lambda out, y: mse(out, y).log(), double)
    found = range_test(task, **(QUICK | {"steps": 80, "pilots": 5})).suggest()
    assert found.lr > 0 and (found.interval is None or np.isfinite(found.interval.high))


def test_an_optimizer_that_makes_its_loss_large_is_refused():
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, maximize=True)
    with pytest.raises(ValueError, match="turn the loss's sign"):
        on(model, lambda out, y: -mse(out, y), optimizer=optimizer)


# -- any batch -----------------------------------------------------------------------------------

leaf = st.sampled_from(["a name", None, 3]) | st.just(torch.ones(4, 2)) | st.just(np.ones((4, 2)))
batches = nested(leaf, max_leaves=5)


class TakesTensors(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, *parts):
        return self.weight * sum(part.sum() for part in tensors_in(parts))


@settings(max_examples=60)
@given(batches, st.booleans())
def test_a_batch_of_any_kind_trains_or_is_refused_with_the_way_on(batch, own):
    loss = None if own else (lambda out, y: out - sum(part.sum() for part in tensors_in(y)))
    try:
        trains(on(TakesTensors(), loss, [batch]), steps=1)
    except ValueError as error:
        assert "from_module(…, loss=lambda model, batch" in str(error) or "a scalar" in str(error)
    else:
        assert next(tensors_in(batch), None) is not None or own


@pytest.mark.parametrize(
    ("batch", "model", "loss", "said"),
    [
        ([X, Y], nn.Linear(4, 1), None, "without loss_fn a model takes its batch"),
        ({"input": X, "idx": 3}, nn.Linear(4, 1), None, "unexpected keyword argument 'idx'"),
        ([X, Y, Y], nn.Linear(4, 1), mse, r"loss_fn\(model\(x₁, …\), y\) takes a batch"),
        ((X.numpy(), Y.numpy()), nn.Linear(4, 1), mse, "got a tuple of a ndarray, a ndarray"),
    ],
)
def test_what_a_model_or_a_loss_does_not_take_is_said_with_the_way_on(batch, model, loss, said):
    with pytest.raises(ValueError, match=rf"(?s){said}.*write the loss of a batch yourself"):
        trains(on(model, loss, [batch]))


class Starts:
    """Begins anew at each iter() and is its own iterator, as loaders that prefetch are."""

    def __iter__(self):
        self.left = 4
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return X, Y


def test_a_loader_may_be_an_iterator_that_starts_again():
    assert len(trains(on(nn.Linear(4, 1), mse, Starts()), 10).loss) == 10


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        (lambda: iter([(X, Y)]), "must give batches, again and again, got <function"),
        (zip([X], [Y], strict=True), "read once only"),
        (iter(pairs()), "read once only"),
        (((x, Y) for x in [X]), "read once only"),
    ],
)
def test_a_loader_that_can_not_start_again_is_refused(loader, said):
    with pytest.raises(ValueError, match=said):
        on(nn.Linear(4, 1), mse, loader)


# -- any module and optimizer --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "optimizer", "said"),
    [
        (lambda x: x, None, "must be a torch.nn.Module, got function"),
        (nn.Linear(4, 1), torch.optim.SGD, "one torch optimizer is needed"),
        (nn.Linear(4, 1), [1, 2], "several go together behind an object"),
        (nn.Linear(4, 1).to("meta"), None, "meta device"),
    ],
)
def test_what_is_no_model_or_optimizer_is_refused(model, optimizer, said):
    given = model if isinstance(model, nn.Module) else nn.Linear(4, 1)
    optimizer = optimizer or torch.optim.SGD(given.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=said):
        from_module(model, optimizer, pairs(), mse)
    with pytest.raises(ValueError, match=said):
        trains(from_factory(lambda seed: (model, optimizer, pairs(), lambda m, b: mse(m(b[0]), 0))))


def clipping(model, optimizer):
    for parameter in model.parameters():
        parameter.register_hook(lambda grad: 0 * grad)


def accumulating(model, optimizer):
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", 0.5 * p.grad))


def before_each_step(model, optimizer):
    def halve(*_):
        for parameter in model.parameters():
            parameter.grad *= 0.5

    optimizer.register_step_pre_hook(halve)


def replaced_method(model, optimizer):
    old = model[0].forward
    model[0].forward = lambda x: 2 * old(x)


def module_hook(model, optimizer):
    model[2].register_forward_hook(lambda module, args, out: out + model[0].weight.sum())


HOOKS = [clipping, accumulating, before_each_step, replaced_method, module_hook]


@pytest.mark.parametrize("hooking", HOOKS)
def test_hooks_do_in_a_range_test_what_they_do_in_training_and_all_is_put_back(hooking):
    model = perceptron()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    hooking(model, optimizer)
    before = everything(model, optimizer)
    task = on(model, optimizer=optimizer)
    lab = trains(task, 4).loss
    assert task.obstacle and everything(model, optimizer) == before
    by_hand = []
    for x, y in pairs():
        optimizer.zero_grad()
        loss = mse(model(x), y)
        by_hand.append(loss.item())
        loss.backward()
        optimizer.step()
    assert by_hand == pytest.approx(lab, rel=1e-6)


def test_a_scheduler_that_listens_is_no_obstacle_and_is_not_moved():
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = as_torch(optimizer, Cosine(0.1, steps=10))
    before = repr({name: v for name, v in vars(scheduler).items() if name != "optimizer"})
    task = on(model, optimizer=optimizer)
    trains(task)
    assert task.obstacle is None
    assert before == repr({n: v for n, v in vars(scheduler).items() if n != "optimizer"})


@pytest.mark.parametrize("compiled", [torch.jit.script, lambda m: torch.jit.trace(m, X[:2])])
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_scripted_module_is_trained_in_place_and_put_back(compiled):
    model = compiled(perceptron())
    before = [p.detach().clone() for p in model.parameters()]
    trains(on(model))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


class Asks(torch.optim.SGD):
    """Asks for a closure by an exception of a class of its own, as several libraries do."""

    def step(self, closure=None):
        if closure is None:
            raise type("NoClosureError", (Exception,), {})("it requires closure.")
        with torch.enable_grad():
            closure()
        super().step()


def test_an_optimizer_may_ask_for_a_closure_in_its_own_words():
    model = nn.Linear(4, 1)
    run = trains(on(model, optimizer=Asks(model.parameters(), lr=0.1)), 8)
    assert run.loss[-1] < run.loss[0]


class SecondOrder(torch.optim.SGD):
    def step(self, closure=None):
        parts = [p for group in self.param_groups for p in group["params"]]
        torch.autograd.grad([p.grad.sum() for p in parts], parts)


def test_an_optimizer_of_second_order_is_refused_with_what_it_needs():
    model = perceptron()
    with pytest.raises(ValueError, match="create_graph=True"):
        trains(on(model, optimizer=SecondOrder(model.parameters(), lr=0.1)))


class Prototype(nn.Module):
    def __init__(self):
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(4))

    def forward(self, out, y):
        return (out - self.centre).square().mean()


def test_all_parameters_may_be_the_losss():
    loss = Prototype()
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.1)
    trains(on(nn.Identity(), loss, optimizer=optimizer))
    assert not loss.centre.any()


def test_a_factory_is_evaluated_without_a_parameter_in_its_model():
    def build(seed):
        loss = Prototype()
        optimizer = torch.optim.SGD(loss.parameters(), lr=0.1)
        return nn.Identity(), optimizer, pairs(), Loss(loss), [(X, Y)]

    class Loss(nn.Module):
        def __init__(self, of_outputs):
            super().__init__()
            self.of_outputs = of_outputs

        def forward(self, model, batch):
            return self.of_outputs(model(batch[0]), batch[1])

    task = from_factory(build)
    run = train(task, task.recipe.replace(steps=2, eval_every=1))
    assert run.evals["validation_loss"][-1] < run.evals["validation_loss"][0]


def test_training_inside_of_no_grad_is_training():
    with torch.no_grad():
        run = trains(on(nn.Linear(4, 1)))
    assert run.grad_norm.min() > 0


@pytest.mark.parametrize(
    "given",
    [
        *({"lr_min": "1e-5"}, {"lr_max": None}, {"seeds": 1.5}, {"pilots": 4.5}, {"pilots": -4}),
        *({"budget": 0}, {"budget": -5}, {"budget": "x"}, {"precision": "3"}, {"pilot_steps": 3}),
    ],
    ids=str,
)
def test_an_argument_that_makes_no_sense_is_named_before_anything_is_trained(given):
    [(name, _)] = given.items()
    seen = []

    def loss(out, y):
        seen.append(1)
        return mse(out, y)

    with pytest.raises(ValueError, match=name):
        range_test(on(nn.Linear(4, 1), loss), **(QUICK | given))
    assert not seen
