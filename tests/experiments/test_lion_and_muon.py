"""Lion and Muon, held against the formulas of their papers in NumPy."""

import importlib.metadata

import numpy as np
import pytest
import torch

from lrlab import Recipe, tasks, train
from lrlab.experiments.lion_and_muon import Lion, Muon
from lrlab.optimizers import AdamW
from lrlab.schedules import Constant, Warmup
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._fingerprint import sources

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=64)
STEPS = 12
RATES = [0.01, 0.03, 0.02, 0.01, 0.0]
SHAPES = [(6, 4), (6,), (8, 6), (8,), (5, 8), (3, 5), (3,)]  # four matrices, three biases
ALL = [Lion(weight_decay=0.5), Muon()]


def drawn(seed):
    """Weights, and for each update gradients."""
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape) for shape in SHAPES]
    return start, [[rng.normal(size=shape) for shape in SHAPES] for _ in RATES]


def stepped(optimizer, seed=0, dtype=torch.float64):
    """The weights after each update, one array for each parameter."""
    start, gradients = drawn(seed)
    ws = [torch.tensor(w, dtype=dtype, requires_grad=True) for w in start]
    built = optimizer.build([{"params": ws}])
    path = []
    for rate, each in zip(RATES, gradients, strict=True):
        for w, g in zip(ws, each, strict=True):
            w.grad = torch.tensor(g, dtype=dtype)
        built.param_groups[0]["lr"] = rate
        built.step()
        path.append([w.detach().numpy().copy() for w in ws])
    return path


def lion(w, gradients, decay, b1, b2):
    m, path = np.zeros_like(w), []
    for rate, g in zip(RATES, gradients, strict=True):
        w = w - rate * (np.sign(b1 * m + (1 - b1) * g) + decay * w)
        m = b2 * m + (1 - b2) * g
        path.append(w)
    return path


def muon(w, gradients, decay, momentum):
    b, path = np.zeros_like(w), []
    for rate, g in zip(RATES, gradients, strict=True):
        b = momentum * b + (1 - momentum) * g
        x = momentum * b + (1 - momentum) * g
        x = x / np.linalg.norm(x)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        w = w - rate * decay * w - rate * 0.2 * np.sqrt(max(w.shape)) * x
        path.append(w)
    return path


def adamw(w, gradients, decay, b1=0.9, b2=0.999):
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for t, (rate, g) in enumerate(zip(RATES, gradients, strict=True), start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = w - rate * decay * w
        w = w - rate * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
        path.append(w)
    return path


@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.95, 0.98)])
def test_lion_follows_the_papers_formula(betas):
    path = stepped(Lion(weight_decay=0.5, betas=betas))
    start, gradients = drawn(0)
    for k, w in enumerate(start):
        expected = lion(w, [each[k] for each in gradients], 0.5, *betas)
        for got, wanted in zip(path, expected, strict=True):
            np.testing.assert_allclose(got[k], wanted, rtol=1e-10)


@pytest.mark.parametrize("outer", [(1, 1), (2, 1), (1, 2)])
def test_muon_moves_the_hidden_matrices_and_adamw_the_rest(outer):
    path = stepped(Muon(weight_decay=0.3, outer=outer))
    start, gradients = drawn(0)
    matrices = [k for k, shape in enumerate(SHAPES) if len(shape) == 2]
    hidden = matrices[outer[0] : len(matrices) - outer[1]]
    for k, w in enumerate(start):
        own = [each[k] for each in gradients]
        by_muon = k in hidden
        expected = muon(w, own, 0.3, 0.95) if by_muon else adamw(w, own, 0.3)
        for t, (got, wanted) in enumerate(zip(path, expected, strict=True)):
            moved, goal = got[k] - w * by_muon, wanted - w * by_muon
            away = np.linalg.norm(moved - goal) / np.linalg.norm(goal)
            assert away < (0.02 if by_muon else 1e-10), (k, t, away)  # bfloat16 has three digits


def test_muon_forgets_the_size_of_a_gradient_and_its_directions_sizes():
    left, _, right = np.linalg.svd(np.random.default_rng(1).normal(size=(4, 4)))
    gradient = left * [1.0, 0.8, 0.5, 0.3] @ right
    updates = []
    for scale in (1.0, 1000.0):
        w = torch.zeros(4, 4, requires_grad=True)
        built = Muon(outer=(0, 0)).build([{"params": [w]}])
        w.grad = scale * torch.tensor(gradient, dtype=torch.float32)
        built.param_groups[0]["lr"] = 1.0
        built.step()
        updates.append(w.detach().numpy())
    np.testing.assert_allclose(*updates, atol=0.02)
    sizes = np.linalg.svd(updates[0], compute_uv=False) / (0.2 * 2)
    assert 0.6 < sizes.min() <= sizes.max() < 1.3  # where the five steps end, not 1 exactly


def recipe(optimizer, **changes):
    schedule = Warmup(Constant(0.01), warmup_steps=3)
    return Recipe(schedule=schedule, steps=STEPS, batch_size=16, optimizer=optimizer, **changes)


@pytest.mark.parametrize("optimizer", ALL)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(optimizer, tmp_path):
    of = recipe(optimizer, eval_every=3)
    train(TASK, of, until=5).checkpoint.save(tmp_path / "run.ckpt")
    checkpoint = Checkpoint.load(tmp_path / "run.ckpt")
    assert train(TASK, of, resume=checkpoint).same_numbers(train(TASK, of))


def test_muon_without_a_hidden_matrix_is_refused_and_so_are_parts_of_a_model():
    with pytest.raises(ValueError, match="no matrix is left for Muon: 3 in all"):
        train(TASK, recipe(Muon(outer=(2, 1))))
    with pytest.raises(ValueError, match="one group"):
        train(TASK, recipe(Muon(), lr_ratios={"0": 2.0}))


def test_it_is_muon_that_trains_the_hidden_matrix():
    runs = [train(TASK, recipe(optimizer)) for optimizer in (Muon(), AdamW())]
    assert runs[0].loss[0] == runs[1].loss[0]
    assert (runs[0].loss[2:] != runs[1].loss[2:]).all()


def test_the_version_of_the_package_belongs_to_the_key_of_a_run():
    found = sources([Lion.__module__])
    assert found["pytorch_optimizer"] == importlib.metadata.version("pytorch-optimizer")
    assert found["torch"] == importlib.metadata.version("torch")


def test_they_survive_json_and_refuse_what_makes_no_sense():
    for optimizer in ALL:
        of = recipe(optimizer)
        assert Recipe.from_dict(of.to_dict()) == of
    for make, name in (
        (lambda: Lion(betas=(0.9,)), "betas"),
        (lambda: Muon(momentum=1.0), "momentum"),
        (lambda: Muon(outer=(-1, 0)), "outer"),
    ):
        with pytest.raises(ValueError, match=name):
            make()
