"""The largest eigenvalue of the Hessian, against full spectra."""

import numpy as np
import pytest
import torch
from full_hessian import full_hessian
from torch import nn

from lrlab import Recipe, schedules, tasks
from lrlab.curvature.hessian import hessian_product, lanczos, sharpness, stability_edge
from lrlab.optimizers import SGD

pytestmark = pytest.mark.trains


class Tiny(nn.Sequential):
    """A perceptron with 67 weights."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2), nn.Tanh(), nn.Linear(2, 1))


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    model = Tiny().double()
    x, y = torch.randn(40, 5).double(), torch.randn(40, 1).double()
    return model, lambda: nn.functional.mse_loss(model(x), y)


def test_it_equals_the_largest_eigenvalue_of_the_full_hessian(tiny):
    model, loss = tiny
    eigenvalues = np.linalg.eigvalsh(full_hessian(model, loss()))
    product = hessian_product(loss, list(model.parameters()))
    found = lanczos(product, len(eigenvalues), tolerance=1e-8)
    assert found.largest == pytest.approx(eigenvalues[-1], rel=1e-6)
    assert found.products < len(eigenvalues)


def test_to_the_end_both_ends_of_the_spectrum_are_exact(tiny):
    model, loss = tiny
    eigenvalues = np.linalg.eigvalsh(full_hessian(model, loss()))
    product = hessian_product(loss, list(model.parameters()))
    found = lanczos(product, len(eigenvalues), tolerance=0)
    assert found.largest == pytest.approx(eigenvalues[-1], rel=1e-9)
    assert found.smallest == pytest.approx(eigenvalues[0], rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_the_error_is_never_larger_than_it_says(seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(80, 80))
    a = a + a.T
    found = lanczos(lambda v: a @ v, 80, tolerance=1e-3, seed=seed)
    nearest = np.abs(np.linalg.eigvalsh(a) - found.largest).min()
    assert nearest <= found.error * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("spectrum", [[3.0] * 5, [1.0, 1.0, 2.0, 2.0], [-4.0, -1.0], [7.0]])
def test_repeated_and_negative_eigenvalues(spectrum):
    found = lanczos(lambda v: np.array(spectrum) * v, len(spectrum))
    assert found.largest == pytest.approx(max(spectrum), rel=1e-9)


def test_a_product_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        lanczos(lambda v: v * np.nan, 3)
    with pytest.raises(ValueError, match="n=0"):
        lanczos(lambda v: v, 0)


def test_a_task_is_measured_and_left_as_it_was():
    task = tasks.get("mnist1d", n_train=64, architecture="logistic")
    torch.manual_seed(0)
    model = task.model()
    before = [p.detach().clone() for p in model.parameters()]
    found = sharpness(task, model, task.data().train, tolerance=1e-4)
    loss = task.loss(model, task.data().train, torch.Generator())
    expected = np.linalg.eigvalsh(full_hessian(model, loss))[-1]
    assert found.largest == pytest.approx(expected, rel=1e-4)
    assert found.error <= 1e-4 * found.largest
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(("momentum", "factor"), [(0.0, 1.0), (0.9, 1.9)])
def test_the_limit_of_stability_grows_with_momentum(momentum, factor):
    task = tasks.get("mnist1d", n_train=128)
    recipe = Recipe(
        schedule=schedules.Constant(0.1), steps=1, batch_size=64, optimizer=SGD(momentum=momentum)
    )
    plain = stability_edge(task, recipe.replace(optimizer=SGD()), examples=128)
    assert stability_edge(task, recipe, examples=128) == pytest.approx(factor * plain, rel=1e-9)
