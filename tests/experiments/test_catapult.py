"""The wide linear network, against autograd and against the recursion of its source."""

import numpy as np
import pytest
import torch

from lrlab.experiments.catapult import linear_network

pytestmark = pytest.mark.trains


@pytest.mark.parametrize("relu", [False, True])
def test_it_is_gradient_descent(relu):
    width, seed, rate = 20, 4, 1.7
    found = linear_network([rate], width=width, updates=30, seed=seed, relu=relu)
    rng = np.random.default_rng(seed)
    u, v = (torch.tensor(rng.normal(size=width), requires_grad=True) for _ in range(2))
    for step in range(31):
        output = v @ (torch.relu(u) if relu else u) / width**0.5
        kernel = sum((g**2).sum() for g in torch.autograd.grad(output, (u, v), retain_graph=True))
        loss = 0.5 * output**2
        assert found.loss[0, step] == pytest.approx(loss.item(), rel=1e-6, abs=1e-12)
        assert found.curvature[0, step] == pytest.approx(kernel.item(), rel=1e-6)
        for parameter, g in zip((u, v), torch.autograd.grad(loss, (u, v)), strict=True):
            with torch.no_grad():
                parameter -= found.lr[0] * g


def test_the_linear_network_obeys_the_recursion_of_its_source():
    width = 1000
    found = linear_network([0.5, 3.0], width=width, updates=40, seed=1)
    f = np.sqrt(2 * found.loss)
    lr, curvature = found.lr[:, None], found.curvature
    next_f = np.abs(f * (1 - lr * curvature + lr**2 * f**2 / width))
    next_curvature = curvature + lr * f**2 / width * (lr * curvature - 4)
    np.testing.assert_allclose(f[:, 1:], next_f[:, :-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(curvature[:, 1:], next_curvature[:, :-1], rtol=1e-9)


def test_small_rates_descend_and_large_ones_diverge():
    found = linear_network([1.0, 3.0, 4.5], width=2000, updates=200, seed=0)
    assert found.converged().tolist() == [True, True, False]
    assert found.spike()[0] == 1 and found.spike()[1] > 10 and found.spike()[2] == np.inf


def test_arguments_that_make_no_sense():
    with pytest.raises(ValueError, match="positive"):
        linear_network([0.0], width=10, updates=1, seed=0)
    with pytest.raises(ValueError, match="positive"):
        linear_network([1.0], width=0, updates=1, seed=0)
