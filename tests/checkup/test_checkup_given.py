"""Checkups find each batch as the loader gave it, and call no chance an order; bad arguments."""

import collections

import pytest
import torch
from torch import nn

from lrlab.checkup import checkup

LITTLE = {"pool": 300, "heart_updates": 3, "search_updates": 3, "learn_updates": 3, "span": 1}
X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
SUMS = X.sum(1, keepdim=True)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def checked(model, loader, loss_fn=None, optimizer=None, **more):
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-2)
    return checkup(model, optimizer=optimizer, loader=loader, loss_fn=loss_fn, **LITTLE | more)


class Changes(nn.Module):
    """Changes its inputs in place, as some preprocessing does."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x.mul_(2.0))


class Refills:
    """A loader that gives the same memory again and again, filled anew."""

    def __len__(self):
        return 4

    def __iter__(self):
        x, y = torch.empty(16, 4), torch.empty(16, 1)
        for i in range(0, 64, 16):
            x.copy_(X[i : i + 16]), y.copy_(SUMS[i : i + 16])
            yield x, y


def parts(change=lambda x: x):
    return [(change(X[i : i + 16].clone()), SUMS[i : i + 16]) for i in range(0, 64, 16)]


def test_a_model_that_changes_its_batch_finds_it_as_it_was_and_so_does_the_user():
    changing, plain = Changes(), nn.Linear(4, 1)
    plain.load_state_dict(changing.layer.state_dict())
    loader = parts()
    reports = [
        checked(changing, loader, nn.MSELoss()),
        checked(plain, parts(lambda x: 2 * x), nn.MSELoss()),
    ]
    assert reports[0].heart.loss.tolist() == reports[1].heart.loss.tolist()
    assert reports[0].search.ends.tolist() == reports[1].search.ends.tolist()
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(loader, parts(), strict=True))


def test_a_loader_may_fill_its_batches_again():
    model = nn.Linear(4, 1)
    reports = [checked(model, one, nn.MSELoss()) for one in (Refills(), parts())]
    assert reports[0].first_loss == reports[1].first_loss
    assert reports[0].search.ends.tolist() == reports[1].search.ends.tolist()


class Handle:
    """Something in a batch that can't be copied."""

    def __reduce_ex__(self, protocol):
        raise TypeError("no copies")


@pytest.mark.parametrize("kind", [dict, collections.UserDict])
def test_a_loss_may_take_its_labels_out_of_the_batch(kind):
    def loss(model, batch):
        labels = batch.pop("labels")
        return (model(batch["x"]) - labels).square().mean()

    batches = [kind(x=x, labels=y, file=Handle()) for x, y in parts()]
    report = checked(nn.Linear(4, 1), batches, loss=loss)
    assert report.search is not None


@pytest.mark.parametrize("step", [None, "own"])
def test_each_update_finds_its_batch_as_the_loader_gave_it(step):
    seen = []

    def own(model, optimizer, batch):
        optimizer.zero_grad()
        loss = (model(batch["x"]) - batch.pop("y")).square().mean()
        loss.backward()
        optimizer.step()
        seen.append(1)
        return loss.item()

    def loss(model, batch):
        return (model(batch["x"]) - batch.pop("y")).square().mean()

    batches = [{"x": x, "y": y} for x, y in parts()]
    report = checked(nn.Linear(4, 1), batches, loss=loss, step=own if step else None)
    assert report.search is not None and bool(seen) == bool(step)


@pytest.mark.parametrize("labels", ["float", "one class"])
def test_targets_that_are_all_equal_are_in_no_order(labels):
    y = torch.full((64, 1), 0.1) if labels == "float" else torch.zeros(64, dtype=torch.long)
    model = nn.Linear(4, 1 if labels == "float" else 3)
    batches = list(zip(X[:64].split(8), y.split(8), strict=True))
    loss = nn.MSELoss() if labels == "float" else nn.CrossEntropyLoss()
    assert "order" not in checked(model, batches, loss).kinds


def test_few_batches_in_random_order_are_seldom_called_sorted_and_sorted_ones_are():
    from lrlab.checkup._static import order

    class Subject:
        paired = True

        def __init__(self, labels):
            self.batches = [(part, part) for part in labels.split(8)]

    draw = torch.Generator().manual_seed(1)
    found = [
        len(order(Subject(torch.randint(2, (32,), generator=draw).float()))) for _ in range(500)
    ]
    assert sum(found) <= 3
    assert order(Subject(torch.arange(32) // 16))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"expected": "a"}, "expected must be a loss"),
        ({"expected": float("nan")}, "expected must be a loss"),
        ({"frozen": ["encoder"]}, "no parameter's name starts with 'encoder'"),
        ({"frozen": "encoder"}, "no parameter's name starts with 'encoder'"),
        ({"step": lambda model, optimizer, batch: None}, "step must return its loss"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(given, said):
    with pytest.raises(ValueError, match=said):
        checked(nn.Linear(4, 1), parts(), nn.MSELoss(), **given)


def test_one_frozen_prefix_may_be_given_as_it_is():
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "b": nn.Linear(4, 1)})
    model["b"].requires_grad_(False)
    optimizer = torch.optim.SGD(model["body"].parameters(), lr=0.1)

    def loss(m, batch):
        return (m["b"](m["body"](batch[0])) - batch[1]).square().mean()

    def kinds(frozen):
        return checked(
            model, parts(), optimizer=optimizer, loss=loss, frozen=frozen, **LITTLE
        ).kinds

    assert "frozen" in kinds("body") and "frozen" not in kinds("b.")


def test_what_is_no_task_is_refused_with_the_way_on():
    with pytest.raises(ValueError, match=r"needs a recipe; a module goes in checkup\(model"):
        checkup(None)
