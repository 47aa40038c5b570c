"""Optimizers that estimate their rate, held against the recursions of their papers in NumPy."""

import importlib.metadata

import numpy as np
import pytest
import torch

from lrlab import Recipe, tasks, train
from lrlab.experiments.parameter_free import DAdaptAdam, DoG, EstimatedRate, Prodigy
from lrlab.schedules import Constant, Cosine
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._fingerprint import sources

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=64)
STEPS = 12
RATES = [float(Cosine(1.0, steps=80)(t)) for t in range(80)]
ALL = [Prodigy(weight_decay=0.1), DAdaptAdam(), DoG()]


def quadratic(seed=0):
    """Weights of two shapes, and their noisy gradients for a sum of squares, update by update."""
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape) for shape in ((3, 4), (5,))]
    goal = [rng.normal(size=w.shape) for w in start]
    scales = [np.exp(rng.normal(size=w.shape)) for w in start]
    noise = [[0.1 * rng.normal(size=w.shape) for w in start] for _ in RATES]
    return start, lambda t, ws: [
        a * (w - g) + e for a, w, g, e in zip(scales, ws, goal, noise[t], strict=True)
    ]


def descended(optimizer):
    """Where the optimizer is after each update, all weights as one vector, and its d; float64."""
    start, gradient = quadratic()
    ws = [torch.tensor(w, requires_grad=True) for w in start]
    built = optimizer.build([{"params": ws}])
    path, ds = [], []
    for t, rate in enumerate(RATES):
        for w, g in zip(ws, gradient(t, [w.detach().numpy() for w in ws]), strict=True):
            w.grad = torch.tensor(g)
        built.param_groups[0]["lr"] = rate
        built.step()
        path.append(np.concatenate([w.detach().numpy().ravel() for w in ws]))
        ds.append(built.param_groups[0]["d"])
    return np.array(path), np.array(ds), built


def flat(ws):
    return np.concatenate([w.ravel() for w in ws])


def gradient_at(t, w):
    start, gradient = quadratic()
    parts = np.split(w, [start[0].size])
    return flat(gradient(t, [p.reshape(s.shape) for p, s in zip(parts, start, strict=True)]))


def prodigy(decay=0.1, b1=0.9, b2=0.999, eps=1e-8, d0=1e-6):
    """The sums of the paper written out, each time from the first update on."""
    w0 = w = flat(quadratic()[0])
    d, b3, past, path, ds = d0, np.sqrt(b2), [], [], []
    for t, rate in enumerate(RATES):
        past.append((d, rate, gradient_at(t, w), w))
        r = sum(b3 ** (t - i) * di**2 * ri * (g @ (w0 - wi)) for i, (di, ri, g, wi) in en(past))
        s = sum(b3 ** (t - i) * di**2 * ri * g for i, (di, ri, g, _) in en(past))
        m = sum(b1 ** (t - i) * (1 - b1) * di * g for i, (di, _, g, _) in en(past))
        v = sum(b2 ** (t - i) * (1 - b2) * di**2 * g**2 for i, (di, _, g, _) in en(past))
        at, d = d, max(d, r / np.abs(s).sum())
        w = w - rate * at * decay * w
        w = w - rate * at * m / (np.sqrt(v) + d * eps)
        path.append(w)
        ds.append(d)
    return np.array(path), np.array(ds)


def d_adaptation(decay=0.0, b1=0.9, b2=0.999, eps=1e-8, d0=1e-6):
    w = flat(quadratic()[0])
    d, b3, r = d0, np.sqrt(b2), 0.0
    s, m, v, path, ds = *np.zeros((3, w.size)), [], []
    for t, rate in enumerate(RATES):
        g = gradient_at(t, w)
        r = b3 * r + (1 - b3) * d * rate * (g @ (s / (np.sqrt(v) + eps)))
        s = b3 * s + (1 - b3) * d * rate * g
        m = b1 * m + (1 - b1) * d * rate * g
        v = b2 * v + (1 - b2) * g**2
        w = w - d * rate * decay * w - m / (np.sqrt(v) + eps)
        d = max(d, r / ((1 - b3) * np.abs(s).sum()))
        path.append(w)
        ds.append(d)
    return np.array(path), np.array(ds)


def distance_over_gradients(first=1e-6):
    w0 = w = flat(quadratic()[0])
    past, met, path, ds = [w0], [], [], []
    for t, rate in enumerate(RATES):
        met.append(gradient_at(t, w))
        far = max([first * (1 + np.linalg.norm(w0)), *(np.linalg.norm(x - w0) for x in past)])
        ds.append(far / np.sqrt(sum(g @ g for g in met) + 1e-8))
        w = w - rate * ds[-1] * met[-1]
        past.append(w)
        path.append(w)
    return np.array(path), np.array(ds)


def en(past):
    return enumerate(past)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (Prodigy(weight_decay=0.1), prodigy()),
        (DAdaptAdam(), d_adaptation()),
        (DAdaptAdam(weight_decay=0.2), d_adaptation(decay=0.2)),
        (DoG(), distance_over_gradients()),
        (DoG(first=1e-3), distance_over_gradients(first=1e-3)),
    ],
)
def test_weights_and_estimates_follow_the_papers_formula(optimizer, expected):
    path, ds, _ = descended(optimizer)
    np.testing.assert_allclose(ds, expected[1], rtol=2e-5)  # the package sums in float32
    np.testing.assert_allclose(path, expected[0], rtol=2e-5, atol=1e-5)
    assert ds[-1] > 100 * ds[0]  # it has found something


def test_dog_shows_the_average_in_evaluation_and_goes_on_from_its_weights():
    path, _, built = descended(DoG(power=4.0))
    average = path[0]
    for t, w in enumerate(path[1:], start=2):
        share = 5 / (4 + t)
        average = (1 - share) * average + share * w
    shown = {}
    for mode in ("eval", "eval", "train", "train"):
        getattr(built, mode)()
        shown[mode] = flat([p.detach().numpy() for p in built.param_groups[0]["params"]])
    np.testing.assert_allclose(shown["eval"], average, rtol=1e-10)
    assert np.array_equal(shown["train"], path[-1])


def recipe(optimizer, **changes):
    changes.setdefault("schedule", Constant(1.0))
    return Recipe(steps=STEPS, batch_size=16, optimizer=optimizer, **changes)


@pytest.mark.parametrize("optimizer", ALL)
def test_an_evaluation_changes_nothing_of_what_follows(optimizer):
    once, often = (train(TASK, recipe(optimizer, eval_every=every)) for every in (None, 1))
    assert np.array_equal(once.loss, often.loss)
    assert once.evals["test_loss"][-1] == often.evals["test_loss"][-1]


@pytest.mark.parametrize("optimizer", ALL)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(optimizer, tmp_path):
    of = recipe(optimizer, eval_every=3)
    train(TASK, of, until=5).checkpoint.save(tmp_path / "run.ckpt")
    checkpoint = Checkpoint.load(tmp_path / "run.ckpt")
    assert train(TASK, of, resume=checkpoint).same_numbers(train(TASK, of))


@pytest.mark.parametrize("optimizer", ALL)
def test_the_probe_keeps_the_estimate_and_the_rate(optimizer):
    schedule = Cosine(0.5, steps=STEPS)
    run = train(TASK, recipe(optimizer, schedule=schedule), probes=[EstimatedRate(every=3)])
    seen = run.probes["EstimatedRate"]
    assert (seen["d"] > 0).all()
    np.testing.assert_allclose(seen["rate"], seen["d"] * schedule(np.array([2, 5, 8, 11])))


def test_the_version_of_the_package_belongs_to_the_key_of_a_run():
    found = sources([Prodigy.__module__])
    assert found["pytorch_optimizer"] == importlib.metadata.version("pytorch-optimizer")


def test_they_survive_json_and_refuse_what_makes_no_sense():
    for optimizer in ALL:
        of = recipe(optimizer)
        assert Recipe.from_dict(of.to_dict()) == of
    with pytest.raises(ValueError, match="first"):
        DoG(first=0.0)
    with pytest.raises(ValueError, match="betas"):
        Prodigy(betas=(1.0, 0.9))
