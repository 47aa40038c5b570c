"""A checkup names planted mistakes, says nothing of healthy runs, and disturbs nothing."""

import json

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab import tasks
from lrlab.checkup import KINDS, STEPS, Finding, checkup, softmax_floor
from lrlab.checkup._subject import Subject
from lrlab.experiments import mistakes
from lrlab.experiments.faulty_task import BASES, FaultyTask
from lrlab.optimizers import SGD, Adam, AdamW
from lrlab.recipe import Recipe
from lrlab.schedules import Constant, Cosine, Linear, OneCycle
from lrlab.training import _fingerprint as fingerprint

pytestmark = pytest.mark.trains

FOUND = {
    "labels shuffled": "labels",
    "no zero_grad": "zero-grad",
    "softmax before cross-entropy": "softmax",
    "dead initialisation": "dead",
    "zero initialisation": "dead",
    "frozen layer": "frozen",
    "summed loss": "reduction",
    "inputs not normalised": "inputs",
    "data not shuffled": "order",
    "last bias wrong": "last-bias",
    "rate 100 times too high": "rate-high",
    "rate 100 times too low": "rate-low",
}
QUICK = {"pool": 800, "search_updates": 25, "learn_updates": 150, "span": 2}


def recipe(lr=0.05, optimizer=None, batch_size=50, steps=1000):
    return Recipe(
        schedule=Constant(lr) if isinstance(lr, float) else lr,
        steps=steps,
        batch_size=batch_size,
        optimizer=optimizer or SGD(momentum=0.9),
    )


def mnist1d(**fields):
    return tasks.get("mnist1d", **fields)


@pytest.mark.parametrize("mistake", mistakes.MISTAKES)
def test_a_planted_mistake_is_the_only_finding(mistake):
    report = checkup(*mistakes.inject_fault(mistake, mnist1d(), recipe()), **QUICK)
    assert report.kinds == (FOUND[mistake],)
    assert not report.healthy


@pytest.mark.parametrize(
    "mistake", [m for m in mistakes.MISTAKES if mistakes.fits(m, tasks.get("digits_diffusion"))]
)
def test_a_planted_mistake_is_found_where_there_are_no_classes(mistake):
    healthy = recipe(2e-3, Adam(), 64)
    report = checkup(
        *mistakes.inject_fault(mistake, tasks.get("digits_diffusion"), healthy), **QUICK
    )
    assert FOUND[mistake] in report.kinds


SMOOTH = {"architecture": "tanh"}
HEALTHY = [
    *((mnist1d(), recipe(), seed) for seed in range(3)),
    *((mnist1d(), recipe(2e-3, Adam()), seed) for seed in range(2)),
    (mnist1d(), recipe(Cosine(0.1, steps=1000)), 4),
    (mnist1d(), recipe(OneCycle(0.1, steps=1000)), 5),
    (mnist1d(), recipe(0.3, SGD()), 6),
    (mnist1d(), recipe(2e-3, AdamW(weight_decay=0.01), 100), 7),
    (mnist1d(shuffled=True), recipe(Linear(0.1, end_lr=0.0, steps=1000)), 8),
    (mnist1d(n_train=600), recipe(batch_size=20), 9),
    *((mnist1d(**SMOOTH), recipe(0.05), seed) for seed in (10, 11)),
    (mnist1d(**SMOOTH), recipe(5e-3, Adam(), 32), 12),
    (mnist1d(architecture="logistic"), recipe(0.05), 13),
    (mnist1d(architecture="cnn"), recipe(3e-3, Adam()), 14),
    (mnist1d(objective="squared"), recipe(0.05), 15),
    *((tasks.get("digits_diffusion"), recipe(2e-3, Adam(), 64), seed) for seed in (16, 17)),
    (tasks.get("digits_diffusion", width=64), recipe(3e-3, AdamW(), 32), 18),
    (tasks.get("mnist"), recipe(0.03, batch_size=16), 19),
    (tasks.get("names_lm", width=16), recipe(5e-3, AdamW(), 16), 20),
]


@pytest.mark.parametrize(("task", "healthy", "seed"), HEALTHY)
def test_a_healthy_training_has_no_finding(task, healthy, seed):
    assert len(HEALTHY) >= 20
    report = checkup(task, healthy, seed=seed, **QUICK)
    assert report.healthy, str(report)
    assert len(report.says) == len(STEPS) == 7


def world():
    """A module of one's own with dropout and batch normalisation, its optimizer and its loader."""
    torch.manual_seed(3)
    x = torch.randn(600, 8)
    y = (x[:, 0] + x[:, 1] > 0).long() + 2 * (x[:, 2] > 0).long()
    model = nn.Sequential(
        nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    own = torch.Generator().manual_seed(5)
    return model, optimizer, DataLoader(TensorDataset(x, y), 30, shuffle=True, generator=own)


def forgets(model, optimizer, batch):
    loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return loss.item()


def clears_before(model, optimizer, batch):
    optimizer.zero_grad()
    return forgets(model, optimizer, batch)


def clears_after(model, optimizer, batch):
    loss = forgets(model, optimizer, batch)
    optimizer.zero_grad()
    return loss


def never_steps(model, optimizer, batch):
    loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
    loss.backward()
    return loss.item()


@pytest.mark.parametrize(
    ("step", "kinds"),
    [
        (None, ()),
        (clears_before, ()),
        (clears_after, ()),
        (forgets, ("zero-grad",)),
        (never_steps, ("no-update",)),
    ],
)
def test_the_update_of_a_loop_of_ones_own(step, kinds):
    model, optimizer, loader = world()
    report = checkup(
        model,
        optimizer=optimizer,
        loader=loader,
        loss_fn=nn.functional.cross_entropy,
        step=step,
        **QUICK,
    )
    assert report.kinds == kinds, str(report)


def probabilities(model):
    model.append(nn.Softmax(1))


def frozen(model):
    model[0].requires_grad_(False)


@pytest.mark.parametrize(("change", "kind"), [(probabilities, "softmax"), (frozen, "frozen")])
def test_mistakes_in_a_module_of_ones_own(change, kind):
    model, _, loader = world()
    change(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    assert checkup(task, **QUICK).kinds == (kind,)


def test_the_loss_of_given_outputs_does_not_run_the_model():
    subject = Subject(mnist1d(n_train=100), recipe(), None, seed=0, pool=1)
    model, batch = subject.state().model, subject.batches[0]
    runs = []
    model[0].register_forward_hook(lambda *_: runs.append(1))
    outputs = subject.outputs(model, batch)
    given = subject.loss_of(model, batch, outputs)
    assert len(runs) == 1
    assert given == subject.loss(model, batch).item() and len(runs) == 2


def test_layers_may_be_frozen_on_purpose():
    model, optimizer, loader = world()
    frozen(model)
    task = tasks.from_module(model, optimizer, loader, nn.functional.cross_entropy)
    assert checkup(task, frozen=("0.",), **QUICK).healthy


def test_module_optimizer_loader_and_generators_stay_as_they_were():
    model, optimizer, loader = world()
    clears_before(model, optimizer, next(iter(loader)))
    model.eval()

    def state():
        tensors = [t.clone() for t in (*model.parameters(), *model.buffers())]
        tensors += [p.grad.clone() for p in model.parameters()]
        tensors += [s["momentum_buffer"].clone() for s in optimizer.state.values()]
        return [*tensors, torch.get_rng_state(), loader.generator.get_state()]

    before, threads = state(), torch.get_num_threads()
    groups = [dict(group, params=None) for group in optimizer.param_groups]
    checkup(
        model,
        optimizer=optimizer,
        loader=loader,
        loss_fn=nn.functional.cross_entropy,
        step=clears_before,
        **QUICK,
    )
    assert all(torch.equal(a, b) for a, b in zip(before, state(), strict=True))
    assert groups == [dict(group, params=None) for group in optimizer.param_groups]
    assert not model.training and torch.get_num_threads() == threads


def test_the_same_checkup_says_the_same():
    first, second = (str(checkup(mnist1d(), recipe(), **QUICK)) for _ in range(2))
    assert first == second


def test_a_report_prints_and_draws():
    report = checkup(*mistakes.inject_fault("frozen layer", mnist1d(), recipe()), **QUICK)
    text = str(report)
    assert "[frozen]" in text and "0.weight" in text and "probably:" in text
    assert report._repr_html_().startswith("<figure><img alt=")
    assert len(report.figure().axes) == 3


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="needs a recipe"):
        checkup(mnist1d())
    with pytest.raises(ValueError, match="sample must be at least 1, got sample=0"):
        checkup(mnist1d(), recipe(), sample=0)
    with pytest.raises(ValueError, match="optimizer, loader and loss_fn"):
        checkup(nn.Linear(1, 1))
    with pytest.raises(ValueError, match="kind must be one of"):
        Finding("flu", 1, "")
    with pytest.raises(ValueError, match="mistake must be one of"):
        FaultyTask("typo")
    with pytest.raises(ValueError, match="base must be one of"):
        FaultyTask("frozen layer", "mnist2d")
    with pytest.raises(ValueError, match="can't be planted"):
        mistakes.inject_fault("labels shuffled", tasks.get("names_lm"), recipe())


def test_every_kind_says_its_cause_and_what_to_do():
    for kind in KINDS:
        finding = Finding(kind, 1, "Seen.")
        assert finding.cause and finding.remedy and "Seen." in str(finding)


@pytest.mark.parametrize("classes", [2, 10, 27])
def test_the_floor_of_a_softmax_is_what_a_perfect_answer_costs_behind_one(classes):
    perfect = 1e3 * torch.eye(classes)[:1].double()
    cost = nn.functional.cross_entropy(perfect.softmax(1), torch.tensor([0])).item()
    assert cost == pytest.approx(softmax_floor(classes), abs=1e-12)


@pytest.mark.parametrize("base", BASES)
def test_the_key_of_a_planted_task_holds_the_source_of_its_base(base):
    module = type(tasks.get(base)).__module__
    assert module in fingerprint.reached([FaultyTask.__module__])


def test_a_planted_task_says_in_json_what_it_is():
    planted = FaultyTask("last bias wrong", "mnist1d", (("n_train", 100),))
    assert json.loads(json.dumps(planted.to_dict())) == {
        "task": "mistaken",
        "mistake": "last bias wrong",
        "base": "mnist1d",
        "fields": [["n_train", 100]],
    }
