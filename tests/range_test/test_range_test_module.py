"""Range tests of a module, an optimizer and a loader of one's own: nothing is disturbed."""

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset

from lrlab import tasks
from lrlab.range_test import ramp, range_test

pytestmark = pytest.mark.trains

QUICK = {"steps": 20, "seeds": 2, "pilots": 4, "lr_max": 100.0}


class Net(nn.Module):
    """With everything that has a state: batch normalisation, dropout, a frozen part."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2))
        self.frozen = nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        return self.head(self.frozen(self.body(x)))


class Augmented(Dataset):
    """Draws from its own generator, from NumPy's and from Python's."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.x = torch.from_numpy(rng.normal(size=(48, 6)).astype("float32"))
        self.y = torch.from_numpy(rng.integers(0, 3, size=48))
        self.own = np.random.default_rng(7)
        self.transforms = [{"flip": random.Random(3)}]

    def __len__(self):
        return 48

    def __getitem__(self, i):
        scale = self.own.uniform(0.9, 1.1) * np.random.uniform(0.9, 1.1)  # noqa: NPY002
        sign = random.choice([1, 1, -1]) * self.transforms[0]["flip"].choice([1, -1])
        return self.x[i] * scale * sign, self.y[i]


def world(optimizer_kind):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    model = Net()
    optimizer = {
        "sgd": lambda: torch.optim.SGD(
            [
                {"params": model.body.parameters(), "lr": 0.01},
                {"params": model.head.parameters(), "lr": 0.05, "weight_decay": 0.1},
            ],
            momentum=0.9,
        ),
        "adamw": lambda: torch.optim.AdamW(model.parameters(), lr=1e-3),
        "head": lambda: torch.optim.Adam(model.head.parameters(), lr=1e-3, amsgrad=True),
    }[optimizer_kind]()
    dataset = Augmented()
    sampler = RandomSampler(dataset, generator=torch.Generator().manual_seed(5))
    loader = DataLoader(dataset, 8, sampler=sampler, generator=torch.Generator().manual_seed(6))
    return model, optimizer, loader


def train_by_hand(model, optimizer, loader, between):
    """Two epochs; `between` is called in the middle of the second."""
    model.train()
    for epoch in range(2):
        for i, (x, y) in enumerate(loader):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            if epoch == 1 and i == 2:
                between()
    tensors = [t.clone() for t in (*model.parameters(), *model.buffers())]
    tensors += [p.grad.clone() for p in model.parameters() if p.grad is not None]
    for state in optimizer.state.values():
        tensors += [torch.as_tensor(value).clone() for value in state.values()]
    own = loader.dataset
    tensors += [torch.rand(3), torch.from_numpy(np.random.rand(3))]  # noqa: NPY002
    tensors += [torch.tensor([random.random(), own.own.uniform()], dtype=torch.float64)]
    tensors += [torch.tensor(own.transforms[0]["flip"].random(), dtype=torch.float64)]
    tensors += [loader.generator.get_state(), loader.sampler.generator.get_state()]
    return tensors


@pytest.mark.parametrize("kind", ["sgd", "adamw", "head"])
def test_training_is_the_same_bit_for_bit_with_a_range_test_in_between(kind):
    alone = train_by_hand(*world(kind), between=lambda: None)
    model, optimizer, loader = world(kind)
    found = []

    def between():
        task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
        found.append(range_test(task, same_batch=True, **QUICK))

    disturbed = train_by_hand(model, optimizer, loader, between)
    assert len(found) == 1 and found[0].steps >= 30
    assert len(alone) == len(disturbed)
    for a, b in zip(alone, disturbed, strict=True):
        assert torch.equal(a, b)


def test_threads_and_modes_stay_as_they_were():
    model, optimizer, loader = world("adamw")
    model.eval()
    threads = torch.get_num_threads()
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    range_test(task, **QUICK)
    assert not model.training and torch.get_num_threads() == threads


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_the_ramp_is_that_of_a_loop_by_hand_with_the_groups_ratios(kind):
    model, optimizer, _ = world(kind)
    model.body[3].p = 0.0
    x, y = Augmented().x, Augmented().y
    loader = DataLoader(TensorDataset(x, y), batch_size=16)  # in order: no randomness left
    train_by_hand_once(model, optimizer, x, y)  # so that the optimizer has a state
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    result = range_test(task, lr_min=1e-3, lr_max=1.0, steps=20, seeds=1, pilots=0)

    twin, state = copy.deepcopy((model, optimizer))
    ratios = [1.0] if kind == "adamw" else [0.2, 1.0]
    rates, losses = ramp(1e-3, 1.0, 20)(np.arange(20)), []
    twin.train()
    for step in range(20):
        for group, ratio in zip(state.param_groups, ratios, strict=True):
            group["lr"] = rates[step] * ratio
        batch = slice(step % 3 * 16, step % 3 * 16 + 16)
        state.zero_grad()
        loss = nn.functional.cross_entropy(twin(x[batch]), y[batch])
        loss.backward()
        state.step()
        losses.append(loss.item())
    assert result.traces[0].loss == pytest.approx(losses, rel=1e-5)


def train_by_hand_once(model, optimizer, x, y):
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def test_seeds_see_the_data_in_other_orders():
    model, optimizer, loader = world("adamw")
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    a, b = range_test(task, steps=20, seeds=2, pilots=0).traces
    again = range_test(task, steps=20, seeds=1, pilots=0).traces[0]
    assert not np.array_equal(a.loss, b.loss) and np.array_equal(a.loss, again.loss)


def test_a_scheduler_that_patched_the_optimizer_is_not_stepped():
    model, optimizer, loader = world("adamw")
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    train_by_hand_once(model, optimizer, *loader.dataset[0:8])
    counted, lr = optimizer._opt_called, optimizer.param_groups[0]["lr"]
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    range_test(task, **QUICK)
    assert scheduler.last_epoch == 0 and optimizer.param_groups[0]["lr"] == lr
    assert optimizer._opt_called == counted


def test_its_runs_are_kept_in_no_store(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path))
    model, optimizer, loader = world("adamw")
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    range_test(task, **QUICK)
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("empty", "the loader is empty"),
        ("iterator", "can be read once only"),
        ("foreign", "a parameter that the model does not have"),
        ("frozen", "no parameter that can be trained"),
        ("vector", r"must be a scalar tensor, got a tensor \(8,\)"),
        ("number", "must be a scalar tensor, got a float"),
        ("bare", "a batch must be a tuple"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(case, message):
    model, optimizer, loader = world("adamw")
    loss = nn.functional.cross_entropy
    if case == "empty":
        loader = DataLoader(TensorDataset(torch.zeros(0, 6), torch.zeros(0)), 8)
    if case == "iterator":
        loader = iter(loader)
    if case == "foreign":
        optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    if case == "frozen":
        model.requires_grad_(False)
    if case == "vector":
        loss = nn.CrossEntropyLoss(reduction="none")
    if case == "number":
        loss = lambda output, target: 1.0  # noqa: E731
    if case == "bare":
        loader = DataLoader(loader.dataset.x, 8)
    with pytest.raises(ValueError, match=message):
        range_test(tasks.from_module(model, optimizer, loader, loss), **QUICK)


def test_a_generator_that_runs_dry_at_once_is_called_empty():
    model, optimizer, _ = world("adamw")

    class Nothing:
        def __iter__(self):
            return iter(())

    with pytest.raises(ValueError, match="the loader is empty"):
        range_test(tasks.from_module(model, optimizer, Nothing(), nn.functional.cross_entropy))
