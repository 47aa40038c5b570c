"""Checkups of modules of one's own: any batch, loss and module, and everything stays as it was."""

import collections
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from own_models import everything
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, TensorDataset

from lrlab.checkup import checkup
from lrlab.tasks import from_factory

QUICK = {"pool": 300, "heart_updates": 600, "search_updates": 20, "learn_updates": 400, "span": 1}
G = torch.Generator().manual_seed(0)
X = torch.randn(240, 4, generator=G)
Y = (X[:, 0] > 0).long()
cross_entropy = nn.functional.cross_entropy


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def checked(model, loader, loss_fn=None, optimizer=None, **more):
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-2)
    return checkup(model, optimizer=optimizer, loader=loader, loss_fn=loss_fn, **QUICK | more)


class Words(nn.Module):
    def __init__(self, sparse=False):
        super().__init__()
        self.table, self.out = nn.Embedding(30, 8, sparse=sparse), nn.Linear(8, 3)

    def forward(self, words):
        return self.out(self.table(words).mean(1))


def padded(shuffled=False):
    batches = []
    for length in (5, 7, 6, 9, 8, 5, 6, 7, 9, 10):
        words = torch.randint(30, (24, length), generator=torch.Generator().manual_seed(length))
        words[:, 1:] = words[:, :1]
        target = words[:, 0] % 3
        batches.append((words, target[torch.randperm(24)] if shuffled else target))
    return batches


def test_batches_with_lengths_of_their_own():
    report = checked(Words(), padded(), cross_entropy)
    assert report.curves.p is not None and report.curves.p <= 0.01
    assert report.kinds == ()


def test_shuffled_labels_are_found_in_them_too():
    report = checked(Words(), padded(shuffled=True), cross_entropy)
    assert "labels" in report.kinds


def test_batches_of_any_kind_by_the_general_door():
    batches = [
        {"x": x, "meta": {"y": y, "name": ["a"]}}
        for x, y in zip(X.split(24), Y.split(24), strict=True)
    ]
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

    def loss(m, batch):
        return cross_entropy(m(batch["x"]), batch["meta"]["y"])

    report = checked(model, batches, loss=loss)
    assert report.healthy, str(report)
    assert None not in (report.search, report.heart, report.curves)


def test_sparse_embeddings():
    model = Words(sparse=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    report = checked(model, padded(), cross_entropy, optimizer)
    assert len(report.says) == 7 and "overfit" not in report.kinds


class Keeps(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        self.last = self.layers(x)
        return self.last


def test_what_can_not_be_copied_is_put_back_bit_for_bit():
    model = Keeps()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    cross_entropy(model(X), Y).backward()
    optimizer.step()
    before, rng = everything(model, optimizer), torch.get_rng_state()
    loader = DataLoader(TensorDataset(X, Y), 24, shuffle=True)
    report = checked(model, loader, cross_entropy, optimizer)
    assert report.healthy, str(report)
    assert everything(model, optimizer) == before and torch.equal(rng, torch.get_rng_state())


def test_a_factory():
    def build(seed):
        model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        loader = DataLoader(TensorDataset(X, Y), 24, shuffle=True)
        return model, torch.optim.Adam(model.parameters(), lr=1e-2), loader, nn.CrossEntropyLoss()

    assert checkup(from_factory(build), **QUICK).healthy


@settings(max_examples=3)
@given(st.floats(1e-2, 1e8))
def test_a_mistake_is_found_and_a_healthy_training_passed_in_any_unit_of_the_loss(unit):
    y = X.sum(1, keepdim=True)

    def loss(out, target):
        return unit * nn.functional.mse_loss(out, target)

    def report(model):
        torch.manual_seed(0)
        adam = torch.optim.Adam(model.parameters(), lr=1e-2, eps=1e-30)
        return checked(model, DataLoader(TensorDataset(X, y), 24), loss, adam)

    assert report(nn.Linear(4, 1)).kinds == ()
    stuck = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))
    stuck[0].requires_grad_(False)
    assert report(stuck).kinds[0] == "frozen"


@pytest.mark.parametrize("offset", [-5.0, 0.0])
def test_losses_below_zero_are_no_mistake(offset):
    target = nn.functional.normalize(X @ torch.randn(4, 4), dim=1)

    def loss(out, y):
        return offset - nn.functional.cosine_similarity(out, y).mean()

    report = checked(nn.Linear(4, 4), DataLoader(TensorDataset(X, target), 24), loss)
    assert report.healthy, str(report)
    assert report._repr_html_().startswith("<figure>")


def test_an_optimizer_that_needs_a_closure():
    model = nn.Linear(4, 2)
    lbfgs = torch.optim.LBFGS(model.parameters(), lr=0.1)
    report = checked(model, DataLoader(TensorDataset(X, Y), 80), cross_entropy, lbfgs)
    assert len(report.says) == 7


Named = collections.namedtuple("Named", "x y")
SUMS = X.sum(1, keepdim=True)
LITTLE = {"heart_updates": 3, "search_updates": 3, "learn_updates": 3}


def texts(batch):
    return torch.tensor([[float(len(text)), 1.0, 0.0, 0.0] for text in batch[0]])


@pytest.mark.parametrize(
    ("batch", "loss"),
    [
        (Named(X[:16], SUMS[:16]), lambda m, b: (m(b.x) - b.y).square().mean()),
        ((["ab", "cde", "f"], SUMS[:3]), lambda m, b: (m(texts(b)) - b[1]).square().mean()),
        (
            (pack_sequence([X[:5], X[:4], X[:2]]), SUMS[:3]),
            lambda m, b: (m(pad_packed_sequence(b[0])[0].sum(0)) - b[1]).square().mean(),
        ),
        ((X[:16].to_sparse(), SUMS[:16]), lambda m, b: (m(b[0].to_dense()) - b[1]).square().mean()),
        (
            {"x": torch.nested.nested_tensor([X[:2], X[:5]], layout=torch.jagged)},
            lambda m, b: sum(m(part).square().mean() for part in b["x"].unbind()),
        ),
    ],
    ids=["named tuple", "texts", "packed", "sparse", "nested"],
)
def test_a_batch_that_belongs_together_is_looked_at_as_a_whole(batch, loss):
    report = checked(nn.Linear(4, 1), [batch] * 4, loss=loss, **LITTLE)
    assert "reduction" not in report.kinds and report.heart is not None


@pytest.mark.parametrize("batches", [1, 4])
def test_batches_that_belong_together_are_held_out_whole_and_a_single_one_is_not(batches):
    def loss(model, batch):
        return (model(batch[0]) - batch[1]).reshape(8, 2).square().mean()

    loader = [(X[i : i + 16], SUMS[i : i + 16]) for i in range(0, 16 * batches, 16)]
    report = checked(nn.Linear(4, 1), loader, loss=loss)
    assert report.healthy, str(report)
    assert (report.curves is None) == ("nothing can be held out" in str(report)) == (batches == 1)


def test_a_step_of_ones_own_hands_its_closure_to_the_optimizer_as_it_was():
    def step(model, optimizer, batch):
        def closure():
            optimizer.zero_grad()
            loss = (model(batch[0]) - batch[1]).square().mean()
            loss.backward()
            return loss

        return optimizer.step(closure=closure).item()

    report = checked(nn.Linear(4, 1), [(X, SUMS)] * 4, nn.MSELoss(), step=step, **LITTLE)
    assert report.search is not None


def test_a_loss_may_take_gradients_itself():
    def smooth(model, batch):
        x = batch[0].clone().requires_grad_()
        [slope] = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        return (model(x) - batch[1]).square().mean() + slope.square().mean()

    report = checked(nn.Linear(4, 1), [(X, SUMS)] * 4, loss=smooth, **LITTLE)
    assert report.search is not None and report.heart is not None


def test_labels_that_are_left_out_are_no_mistake():
    labels = (X[:, 0] > 0).long()
    labels[::3] = -100
    found = checked(nn.Linear(4, 3), [(X, labels)] * 4, nn.CrossEntropyLoss(), **LITTLE)
    assert found.expected_loss == pytest.approx(math.log(3))


def test_complex_weights_are_examined():
    class Modulus(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 1, dtype=torch.cfloat))

        def forward(self, x):
            return (x.to(torch.cfloat) @ self.weight).abs()

    assert checked(Modulus(), [(X, SUMS)] * 4, nn.MSELoss(), **LITTLE).search is not None
