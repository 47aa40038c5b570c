"""The noisy quadratic against its closed form, the noise scale against autograd, and targets."""

import math

import numpy as np
import pytest
import torch

from lrlab import Recipe, tasks
from lrlab.experiments.critical_batch.noise_scale import NoiseScale, noise_scale
from lrlab.experiments.critical_batch.target import Target
from lrlab.experiments.quadratic import Quadratic, fewest_updates
from lrlab.schedules import Constant, Linear
from lrlab.training.loop import train

pytestmark = pytest.mark.trains


@pytest.mark.parametrize("rate", [0.05, 1.0, 1.7])
def test_the_closed_form_is_the_recursion(rate):
    task = Quadratic(dimensions=30, condition=50.0, sigma=0.7)
    recursion = task.expected_losses([rate] * 40, batch_size=3)
    np.testing.assert_allclose(task.expected_loss(rate, np.arange(41), 3), recursion, rtol=1e-10)


def test_without_noise_training_is_the_recursion():
    task = Quadratic(dimensions=12, sigma=0.0)
    schedule = Linear(1.5, end_lr=0.1, steps=30)
    run = train(task, Recipe(schedule=schedule, steps=30, batch_size=4, eval_every=1))
    expected = task.expected_losses(schedule(np.arange(30)), batch_size=4)
    np.testing.assert_allclose(run.evals["test_loss"], expected, rtol=1e-4)


def test_with_noise_training_has_the_expected_loss_in_the_mean():
    task = Quadratic(dimensions=500, condition=10.0, sigma=2.0)
    ends = []
    for seed in range(12):
        recipe = Recipe(schedule=Constant(0.5), steps=60, batch_size=8, seed=seed)
        ends.append(train(task, recipe).final("test_loss"))
    error = np.std(ends, ddof=1) / math.sqrt(len(ends))
    assert np.mean(ends) == pytest.approx(task.expected_loss(0.5, 60, 8), abs=4 * error)


def test_the_best_first_rate_is_the_best():
    task = Quadratic(sigma=5.0)
    for batch_size in (1, 100, 1e6):
        best = task.best_first_rate(batch_size)
        here, below, above = (
            task.expected_loss(rate, 1, batch_size) for rate in (best, 0.99 * best, 1.01 * best)
        )
        assert here < min(below, above)


@pytest.mark.parametrize("batch_size", [0.01, 8, 64, 1e6])
def test_no_constant_rate_is_faster_than_the_fewest_updates(batch_size):
    task = Quadratic(sigma=0.5)
    target = 0.01 * task.expected_loss(1.0, 0, 1)
    fewest, best = fewest_updates(task, target, batch_size)
    assert task.expected_loss(best, fewest, batch_size) == pytest.approx(target, rel=1e-6)
    for rate in best * np.geomspace(0.5, 2, 21):
        if rate < 2:
            assert task.expected_loss(rate, 0.999 * fewest, batch_size) > target


@pytest.mark.parametrize("fields", [{"condition": 0.5}, {"sigma": -1.0}, {"dimensions": 0}])
def test_a_quadratic_that_makes_no_sense_is_refused(fields):
    [(name, value)] = fields.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        Quadratic(**fields)


def test_the_noise_scale_is_that_of_autograd():
    task = tasks.get("mnist1d", architecture="tanh")
    torch.manual_seed(0)
    model = task.model()
    batch = tuple(part[:300] for part in task.data().train)
    rows = []
    for i in range(300):
        loss = task.loss(model, tuple(part[i : i + 1] for part in batch), None)
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, model.parameters())]))
    gradients = torch.stack(rows).double()
    variance = gradients.var(0, correction=1).sum().item()
    found = noise_scale(task, model, batch)
    assert found[0] == pytest.approx(variance, rel=1e-4)
    assert found[1] == pytest.approx(gradients.mean(0).square().sum().item() - variance / 300)


def test_the_probe_leaves_the_run_as_it_is():
    task = tasks.get("mnist1d", n_train=64)
    recipe = Recipe(schedule=Constant(0.1), steps=4, batch_size=8)
    probed = train(task, recipe, probes=(NoiseScale(every=2, examples=32),))
    np.testing.assert_array_equal(probed.loss, train(task, recipe).loss)
    assert probed.probes["NoiseScale"]["variance"].shape == (3,)


def test_the_target_ends_the_run_and_is_interpolated():
    task = Quadratic(dimensions=1, condition=1.0, sigma=0.0)
    recipe = Recipe(schedule=Constant(0.5), steps=50, batch_size=1, eval_every=1)
    target = Target("test_loss", 0.3125)  # half way from 0.5 to 0.125
    run = train(task, recipe, stop=target)
    assert run.status == "stopped"
    assert target.updates(run) == pytest.approx(0.5)
    assert Target("test_loss", 0.01).updates(run) == math.inf
    assert Target("test_loss", 2.0).updates(run) == 0
