"""Range tests of what people bring: any loss, batch, step, module, optimizer and loader."""

import functools
import threading
import warnings

import numpy as np
import pytest
import torch
from drawn_batches import nested
from hypothesis import given, settings
from hypothesis import strategies as st
from own_models import everything, world
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from lrlab import train
from lrlab.range_test import range_test
from lrlab.tasks import from_factory, from_module
from lrlab.tasks.batches import described, mapped, tensors_in

QUICK = {"steps": 40, "seeds": 1, "pilots": 4, "lr_max": 10.0}
X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)
mse = nn.functional.mse_loss


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def learns(task, **more):
    """Run a range test that finds a rate, and return it."""
    found = range_test(task, **(QUICK | more))
    assert found.suggest().lr is not None, str(found)
    return found


def on(model, loader=None, loss_fn=mse, optimizer=None, **more):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    loader = loader if loader is not None else DataLoader(TensorDataset(X, Y), batch_size=32)
    return from_module(model, optimizer, loader, loss_fn, **more)


# -- any loss ------------------------------------------------------------------------------------


@functools.cache
def of_the_loss(scale, shift):
    torch.manual_seed(0)
    model = nn.Linear(4, 1).double()
    data = DataLoader(TensorDataset(X.double(), Y.double()), batch_size=32)
    # The scale of a loss is the inverse of a rate's; so that both train alike, Adam, whose
    # update has no scale, with an eps too small to matter.
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, eps=1e-30)
    loss = lambda out, y: scale * mse(out, y) + scale * shift  # noqa: E731
    return range_test(from_module(model, optimizer, data, loss), **(QUICK | {"seeds": 2}))


@settings(max_examples=12)
@given(st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_the_same_rates_for_a_loss_and_for_a_times_it_plus_b(a, b):
    plain, other = of_the_loss(1.0, 0.0), of_the_loss(a, b)
    assert other.stop_reason == plain.stop_reason
    assert other.suggest().lr == pytest.approx(plain.suggest().lr, rel=1e-3)
    assert other.band.low.lr == pytest.approx(plain.band.low.lr, rel=1e-3)
    assert other.band.high.lr == pytest.approx(plain.band.high.lr, rel=1e-3)


def test_the_lowest_of_losses_that_cross_zero_is_the_best_and_not_the_worst():
    torch.manual_seed(0)

    def likelihood(out, y):
        mean, log_sd = out.chunk(2, 1)
        return (log_sd + 0.5 * ((y - mean) / log_sd.exp()).square()).mean()

    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    data = DataLoader(TensorDataset(X, 0.02 * Y + 0.01), batch_size=32)
    found = learns(on(model, data, likelihood, adam, steps=60), steps=60, seeds=2)
    tails = {trace.lr[0]: trace.loss[30:].mean() for trace in found.pilots if trace.loss[-1] < 1e3}
    best = min(tails, key=tails.get)
    assert tails[best] < 0 and best / 6 < found.suggest().lr < 6 * best


@pytest.mark.parametrize("offset", [2e5, 0.0])
def test_a_target_that_was_not_scaled_has_a_rate_too(offset):
    y = offset + 50_000 * Y
    found = learns(on(nn.Linear(4, 1), DataLoader(TensorDataset(X, y), 32)), lr_max=1.0, steps=60)
    assert found.traces[0].loss[0] > 1e9


def test_a_ramp_whose_loss_runs_away_without_overflow_has_diverged():
    found = range_test(on(nn.Linear(4, 1)), **(QUICK | {"lr_max": 100.0, "steps": 60}))
    [trace] = found.traces
    assert trace.stop_reason == "diverged" and np.isfinite(trace.loss).all()
    assert trace.loss[-1] > trace.loss.min() + 10 * (trace.loss[0] - trace.loss.min())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_from_the_start_says_so_in_words_and_shows_itself(value):
    x = torch.full((64, 4), value)
    found = range_test(on(nn.Linear(4, 1), DataLoader(TensorDataset(x, Y), 8)), **QUICK)
    assert "the loss of the first batch is" in found.suggest().rule
    assert "before any update" in str(found) and found._repr_html_().startswith("<figure>")


# -- any batch -----------------------------------------------------------------------------------


class Rows(Dataset):
    def __init__(self, row):
        self.row = row

    def __len__(self):
        return 64

    def __getitem__(self, i):
        return self.row(i)


class Any(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, parts, *rest):
        if isinstance(parts, dict):
            parts = torch.cat([parts["left"], parts["right"]], 1)
        return self.layer(parts)


@pytest.mark.parametrize(
    "row",
    [
        lambda i: (X[i], Y[i], f"image-{i}.png"),
        lambda i: ({"left": X[i, :2], "right": X[i, 2:]}, Y[i]),
        lambda i: (X[i], f"text {i}", Y[i]),
        lambda i: [X[i], [Y[i], Y[i]], Y[i]],
    ],
    ids=["names behind", "dict", "names between", "nested"],
)
def test_pairs_may_hold_more_than_tensors(row):
    learns(on(Any(), DataLoader(Rows(row), batch_size=32)))


@pytest.mark.parametrize(
    ("row", "loss"),
    [
        (lambda i: {"x": X[i], "y": Y[i]}, lambda m, b: mse(m(b["x"]), b["y"])),
        (lambda i: X[i], lambda m, b: mse(m(b), b.sum(1, keepdim=True))),
        (lambda i: (X[i],), lambda m, b: mse(m(b[0]), b[0].sum(1, keepdim=True))),
        (lambda i: {"a": {"b": [X[i], Y[i]]}, "n": "x"}, lambda m, b: mse(m(b["a"]["b"][0]), 0.1)),
    ],
    ids=["dict", "bare", "one tensor", "nested"],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_the_general_door_takes_any_batch(row, loss):
    if "n" in (row(0) if isinstance(row(0), dict) else ()):
        loss = lambda m, b: mse(m(b["a"]["b"][0]), b["a"]["b"][1])  # noqa: E731
    loader = DataLoader(Rows(row), batch_size=32)
    learns(on(nn.Linear(4, 1), loader, None, loss=loss))


@pytest.mark.parametrize("row", [lambda i: {"x": X[i], "y": Y[i]}, lambda i: (X[i],)])
def test_without_the_general_door_such_a_batch_is_refused_with_the_way_on(row):
    with pytest.raises(
        ValueError, match=r"write the loss of a batch yourself.*lambda model, batch"
    ):
        range_test(on(nn.Linear(4, 1), DataLoader(Rows(row), 32)), **QUICK)


tensor = st.lists(st.integers(1, 3), max_size=2).map(lambda shape: torch.ones(4, *shape))
batches = nested(tensor | st.sampled_from(["a name", None, 3]), max_leaves=6)


def shape(value):
    """Return all of a batch that can be compared by ==."""
    if isinstance(value, dict):
        return type(value), {name: shape(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value), [shape(part) for part in value]
    return value.tolist() if torch.is_tensor(value) else value


@settings(max_examples=25)
@given(st.tuples(batches, tensor))
def test_batches_of_any_shape_reach_the_loss_as_the_loader_gave_them(batch):
    seen = []

    def loss(model, given):
        seen.append(given)
        return sum(model(part.sum().reshape(1, 1)).sum() for part in tensors_in(given))

    model = nn.Linear(1, 1)
    task = on(model, [batch], None, loss=loss)
    run = train(task, task.recipe.replace(steps=2))
    assert shape(seen[0]) == shape(batch) and seen[0] is not batch and len(run.loss) == 2
    copied = mapped(batch, lambda part: part)
    assert [t.shape for t in tensors_in(copied)] == [t.shape for t in tensors_in(batch)]
    assert type(copied[0]) is type(batch[0]) and described(batch).startswith("a tuple")


class Returns(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.layer, self.wrap = nn.Linear(4, 1), wrap

    def forward(self, x, labels):
        return self.wrap(mse(self.layer(x), labels))


class Output:
    def __init__(self, loss):
        self.loss = loss


@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: {"loss": x, "logits": None}, Output, lambda x: (x, None)]
)
@pytest.mark.parametrize("row", [lambda i: {"x": X[i], "labels": Y[i]}, lambda i: (X[i], Y[i])])
def test_a_model_may_return_its_loss(wrap, row):
    learns(on(Returns(wrap), DataLoader(Rows(row), 32), None))


def test_batches_may_have_lengths_of_their_own():
    table = nn.Sequential(nn.Embedding(30, 8), nn.Flatten(0, 1))
    model = nn.ModuleDict({"table": table, "out": nn.Linear(8, 1)})
    rng = torch.Generator().manual_seed(0)
    batches = [torch.randint(30, (8, n), generator=rng) for n in (5, 7, 6, 9)]

    def loss(m, words):
        seen = m["out"](m["table"](words).unflatten(0, words.shape).mean(1))
        return mse(seen, (words[:, :1] > 15).float() + 3)

    learns(on(model, batches, None, loss=loss))


def test_a_loss_may_hold_parameters_of_its_own():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(3.0))

        def forward(self, out, y):
            return mse(self.scale * out, y)

    model, loss = nn.Linear(4, 1), Scaled()
    optimizer = torch.optim.SGD([*model.parameters(), loss.scale], lr=0.1)
    before = everything(model, loss)
    learns(on(model, loss_fn=loss, optimizer=optimizer))
    assert before == everything(model, loss)


# -- any module, optimizer, loader ---------------------------------------------------------------


def hooked():
    model = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 8)), nn.BatchNorm1d(8), nn.Linear(8, 1))
    return model


class Keeps(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.seen = nn.Linear(4, 1), []

    def forward(self, x):
        self.last = self.layer(x)
        self.seen.append(self.last)
        return self.last


class Locked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.lock = nn.Linear(4, 1), threading.Lock()

    def forward(self, x):
        with self.lock:
            return self.layer(x)


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize("make", [hooked, Keeps, Locked])
def test_what_can_not_be_copied_is_put_back_bit_for_bit(make):
    torch.manual_seed(0)
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    mse(model(X), Y).backward()
    optimizer.step()
    model.train()
    model.get_submodule([n for n, _ in model.named_modules()][-1]).eval()
    before = everything(model, optimizer)
    task = on(model, optimizer=optimizer)
    assert task.serial and task.obstacle
    learns(task)
    assert everything(model, optimizer) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("make", [Keeps, Locked, lambda: nn.Linear(4, 1)])
def test_it_is_put_back_after_an_interruption_too(make, error):
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    mse(model(X), Y).backward()
    optimizer.step()
    calls = []

    def breaks(out, y):
        calls.append(1)
        if len(calls) == 10:
            raise error("now")
        return mse(out, y)

    before, rng = everything(model, optimizer), torch.get_rng_state()
    with pytest.raises(error, match="now"):
        range_test(on(model, loss_fn=breaks, optimizer=optimizer), **QUICK)
    assert everything(model, optimizer) == before and torch.equal(rng, torch.get_rng_state())


def test_several_processes_for_what_can_not_be_copied_are_refused_and_the_factory_named():
    with pytest.raises(ValueError, match=r"can't be copied \(.*lock.*from_factory"):
        range_test(on(Locked()), n_jobs=2, **QUICK)


def test_a_loss_that_uses_the_module_itself_trains_it_in_place_and_puts_it_back():
    model = nn.Linear(4, 1)
    task = on(model, loss_fn=None, loss=lambda _, batch: mse(model(batch[0]), batch[1]))
    before = everything(model)
    assert task.serial
    learns(task)
    assert everything(model) == before
    run = train(task, task.recipe.replace(steps=5))
    assert run.loss[-1] < run.loss[0] and everything(model) == before


class Project:
    """Somebody's class around a model, with the update's loss as a method."""

    def __init__(self):
        self.net = nn.Linear(4, 1)
        self.parts = {"net": self.net}

    def own(self, model, batch):
        return mse(self.net(batch[0]), batch[1])

    def hidden(self, model, batch):
        return mse(self.parts["net"](batch[0]), batch[1])


def test_a_method_may_use_the_module_of_its_object():
    project = Project()
    before = everything(project.net)
    learns(on(project.net, None, None, loss=project.own))
    assert everything(project.net) == before


def test_a_loss_that_trains_another_module_is_refused_in_a_sentence():
    other = [nn.Linear(4, 1)]
    task = on(nn.Linear(4, 1), None, None, loss=lambda m, b: mse(other[0](b[0]), b[1]))
    with pytest.raises(ValueError, match="must use the model that it is given"):
        range_test(task, **QUICK)


def test_a_loss_without_a_gradient_is_refused_in_a_sentence():
    task = on(nn.Linear(4, 1), loss_fn=lambda out, y: mse(out.detach(), y))
    with pytest.raises(ValueError, match="has no gradient"):
        range_test(task, **QUICK)


def test_layers_in_evaluation_mode_stay_there():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    model[1].eval()
    modes = []
    for layer in (model[1], model[2]):
        layer.register_forward_hook(lambda m, *_: modes.append((type(m).__name__, m.training)))
    range_test(on(model), eval_every=10, **QUICK)
    assert set(modes) == {("BatchNorm1d", False), ("Dropout", True)}


class Sam(torch.optim.SGD):
    def step(self, closure=None):
        assert closure is not None, "SAM requires a closure"
        held = [p.detach().clone() for g in self.param_groups for p in g["params"]]
        with torch.no_grad():
            for p in (p for g in self.param_groups for p in g["params"]):
                p.add_(0.01 * p.grad)
        with torch.enable_grad():
            closure()
        with torch.no_grad():
            for p, old in zip(
                (p for g in self.param_groups for p in g["params"]), held, strict=True
            ):
                p.copy_(old)
        super().step()


class Wrapper(torch.optim.Optimizer):
    """Never calls Optimizer.__init__, as Accelerate's does not."""

    def __init__(self, base):
        self.base = base

    param_groups = property(lambda self: self.base.param_groups)
    state = property(lambda self: self.base.state)
    defaults = property(lambda self: self.base.defaults)

    def zero_grad(self, set_to_none=True):
        self.base.zero_grad(set_to_none)

    def step(self, closure=None):
        return self.base.step(closure)


def tensors(params):
    betas = torch.tensor(0.9), torch.tensor(0.999)
    return torch.optim.Adam(params, lr=torch.tensor(1e-3), betas=betas, foreach=False)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.LBFGS(p, lr=0.1),
        lambda p: Sam(p, lr=0.1),
        lambda p: Wrapper(torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        tensors,
        lambda p: torch.optim.SGD([{"params": [q], "lr": 0.0} for q in p], lr=0.1),
        lambda p: torch.optim.Adam(p, lr=np.float64(0.1), betas=(np.float64(0.9), 0.999)),
    ],
    ids=["LBFGS", "SAM", "wrapper", "tensors", "rates 0", "NumPy"],
)
def test_optimizers_of_all_kinds(make):
    model = nn.Linear(4, 1)
    optimizer = make(list(model.parameters()))
    before = everything(model, optimizer)
    learns(on(model, optimizer=optimizer), steps=np.int64(30), seeds=np.int64(1))
    assert everything(model, optimizer) == before


def test_sparse_gradients():
    words = torch.randint(50, (64, 5), generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.EmbeddingBag(50, 8, sparse=True), nn.Linear(8, 1))
    data = DataLoader(TensorDataset(words, words[:, :1].float() / 10), batch_size=32)
    learns(on(model, data), steps=60)


def test_an_optimizer_without_a_rate_is_refused_in_a_sentence():
    class Relative(torch.optim.SGD):
        def __init__(self, params):
            super().__init__(params, lr=0.1)
            self.param_groups[0]["lr"] = None

    model = nn.Linear(4, 1)
    with pytest.raises(ValueError, match=r"has lr=None, so that it sets its own rate"):
        on(model, optimizer=Relative(model.parameters()))


class Stream(IterableDataset):
    """Has no length and is where it was, whoever reads it."""

    def __init__(self):
        self.at = 0

    def __iter__(self):
        while True:
            self.at += 1
            yield X[self.at % 64], Y[self.at % 64]


def test_a_stream_without_a_length_that_stays_where_it_is():
    stream = Stream()
    next(iter(stream))
    learns(on(nn.Linear(4, 1), DataLoader(stream, batch_size=32)))
    assert stream.at == 1


def test_persistent_workers_in_the_middle_of_an_epoch():
    data = TensorDataset(X, Y)
    own = torch.Generator().manual_seed(3)
    loader = DataLoader(
        data, 8, shuffle=True, num_workers=1, persistent_workers=True, generator=own
    )
    epoch = iter(loader)
    seen = [next(epoch)[0]]
    range_test(on(nn.Linear(4, 1), loader), **QUICK)
    seen += [batch[0] for batch in epoch]
    assert torch.equal(torch.cat(seen).sort(0).values, X.sort(0).values)


def test_a_lazy_parameter_is_refused_in_a_sentence():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.LazyLinear(1)
    with pytest.raises(ValueError, match="lazy parameter: run one batch"):
        on(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1))


# -- the factory ---------------------------------------------------------------------------------


def test_a_factory_has_new_weights_for_each_seed_and_is_called_once_for_each_run():
    seeds, firsts = [], []

    def build(seed):
        seeds.append(seed)
        model = Locked()
        firsts.append(model.layer.weight.detach().clone())
        data = DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=True)
        return model, torch.optim.SGD(model.parameters(), lr=0.1), data, mse_of_batch

    task = from_factory(build)
    assert task.recipe.schedule.lr == 0.1
    seeds.clear(), firsts.clear()
    found = learns(task, seeds=3)
    assert seeds == [0, 1, 2] + [0] * len(found.pilots)
    assert not torch.equal(firsts[0], firsts[1]) and torch.equal(firsts[0], firsts[3])
    again = learns(task, seeds=3)
    assert np.array_equal(again.traces[1].loss, found.traces[1].loss)


def mse_of_batch(model, batch):
    return mse(model(batch[0]), batch[1])


def test_workers_import_a_factory_by_its_name():
    task = from_factory("own_models:build")
    apart = range_test(task, n_jobs=2, **(QUICK | {"seeds": 2, "pilots": 0}))
    here = range_test(from_factory("own_models:build"), **(QUICK | {"seeds": 2, "pilots": 0}))
    assert [t.loss.tolist() for t in apart.traces] == [t.loss.tolist() for t in here.traces]


def test_a_sweep_searches_over_a_factory_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "runs"))
    from lrlab.sweep import LogUniform, Plan, sweep, trials

    plan = Plan(
        task={"task": "factory", "build": "own_models:build"},
        recipe={"schedule": {"schedule": "Constant", "lr": 0.1}, "steps": 8, "batch_size": 1,
                "eval_every": 4},
        space={"schedule.lr": LogUniform(1e-4, 0.1)}, trials=3, metric="validation_loss",
        sampler="random",
    )  # fmt: skip
    study = sweep(plan, storage=f"sqlite:///{tmp_path}/s.db", n_jobs=1, progress=False)
    done = trials(study)
    assert [t.outcome for t in done] == ["completed"] * 3
    by_rate = sorted(done, key=lambda t: t.params["schedule.lr"])
    assert by_rate[0].value > by_rate[-1].value


@pytest.mark.parametrize("build", ["no_module:build", "own_models:nothing", "own_models", 3])
def test_a_factory_that_is_none_is_refused_in_a_sentence(build):
    with pytest.raises(ValueError, match="build must be"):
        from_factory(build)


def test_a_factory_that_builds_something_else_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"must return \(model, optimizer, loader, loss\)"):
        range_test(from_factory(lambda seed: nn.Linear(1, 1)), **QUICK)


# -- what it costs -------------------------------------------------------------------------------


def test_a_ramp_has_one_recipe_and_one_training_state(monkeypatch):
    from lrlab.recipe import Recipe
    from lrlab.training import loop, state

    made = {"recipes": 0, "states": 0}
    checked, init = Recipe.__post_init__, state.TrainingState.__init__

    def counted(self):
        made["recipes"] += 1
        checked(self)

    def built(self, *arguments):
        made["states"] += 1
        init(self, *arguments)

    task = world()
    monkeypatch.setattr(Recipe, "__post_init__", counted)
    monkeypatch.setattr(loop.TrainingState, "__init__", built)
    range_test(task, steps=10, seeds=3, pilots=0)
    assert made == {"recipes": 3, "states": 3}


def test_the_limit_of_stability_on_ones_own_module():
    model = nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    data = [(X, Y)]
    found = range_test(on(model, data, optimizer=optimizer), sharpness=True, **QUICK)
    largest = torch.linalg.eigvalsh(2 * X.T @ X / len(X)).max().item()
    assert found.edge == pytest.approx(2 * 1.9 / largest, rel=1e-2)


def test_what_has_no_limit_of_stability_is_refused_before_anything_is_trained():
    model = nn.Linear(4, 1)
    passes = []
    model.register_forward_hook(lambda *_: passes.append(1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="for SGD without Nesterov, got Adam"):
        range_test(on(model, optimizer=optimizer), sharpness=True, **QUICK)
    assert not passes
