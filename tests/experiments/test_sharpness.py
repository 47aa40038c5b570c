"""Sharpness along a training, against full spectra and against the edge on a quadratic."""

import numpy as np
import pytest
import torch
from full_hessian import full_hessian
from torch import nn

from lrlab import Recipe, schedules, tasks, train
from lrlab.experiments.sharpness import (
    Sharpness,
    adam_preconditioner,
    edge,
    preconditioned_sharpness,
)
from lrlab.optimizers import SGD, Adam, AdamW

pytestmark = pytest.mark.trains


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x, y = torch.randn(40, 5).double(), torch.randn(40, 1).double()
    return model, lambda: nn.functional.mse_loss(model(x), y)


def test_the_preconditioned_sharpness_equals_that_of_the_full_matrix(tiny):
    model, loss = tiny
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(7):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    diagonal = adam_preconditioner(optimizer)
    matrix = full_hessian(model, loss()) / diagonal[:, None]  # P⁻¹ H, which is not symmetric
    found = preconditioned_sharpness(loss, list(model.parameters()), diagonal, tolerance=1e-9)
    assert found.largest == pytest.approx(np.linalg.eigvals(matrix).real.max(), rel=1e-6)


def test_the_preconditioner_is_what_adam_divides_by(tiny):
    model, loss = tiny
    lr, beta = 1e-3, 0.9
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(beta, 0.99))
    for _ in range(5):
        before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    moved = torch.cat([p.detach().flatten() for p in model.parameters()]) - before
    average = torch.cat([optimizer.state[p]["exp_avg"].flatten() for p in model.parameters()])
    expected = -lr * average.numpy() / adam_preconditioner(optimizer)
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-8)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), Adam()])
def test_on_a_quadratic_the_edge_parts_shrinking_from_growing(optimizer):
    """Adam's second moment is frozen at 1, as the analysis of its edge has it."""
    for factor, grows in ((0.97, False), (1.03, True)):
        lr = factor * edge(optimizer)  # curvature 1
        w, m = 1.0, 0.0
        for _ in range(2000):
            if isinstance(optimizer, Adam):
                m = optimizer.betas[0] * m + (1 - optimizer.betas[0]) * w
            else:
                m = optimizer.momentum * m + w
            w -= lr * m
        assert (abs(w) > 1) == grows


def test_the_edge_of_other_optimizers_is_not_made_up():
    with pytest.raises(ValueError, match="AdamW"):
        edge(AdamW())


def test_a_run_keeps_the_sharpness_of_its_weights_at_each_measurement():
    task = tasks.get("mnist1d", n_train=64, architecture="logistic", objective="squared")
    recipe = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=64, eval_every=0, seed=3)
    run = train(task, recipe, probes=[Sharpness(every=2, tolerance=1e-5)])
    measured = run.probes["Sharpness"]
    assert measured["step"].tolist() == [0, 2, 4]
    assert (measured["error"] <= 1e-5 * measured["largest"]).all()
    model, expected = task.model(), []
    for step in (0, 2):
        model.load_state_dict(train(task, recipe, until=step).checkpoint.state["model"])
        loss = task.loss(model, task.data().train, torch.Generator())
        expected.append(np.linalg.eigvalsh(full_hessian(model, loss))[-1])
    np.testing.assert_allclose(measured["largest"][:2], expected, rtol=1e-4)
    np.testing.assert_array_equal(run.loss, train(task, recipe).loss)


def test_through_adam_it_is_measured_from_the_first_update_on():
    task = tasks.get("mnist1d", n_train=64, architecture="tanh", objective="squared")
    recipe = Recipe(
        schedule=schedules.Constant(1e-3), steps=2, batch_size=64, optimizer=Adam(), eval_every=0
    )
    run = train(task, recipe, probes=[Sharpness(preconditioned=True)])
    assert run.probes["Sharpness"]["step"].tolist() == [1, 2]


def test_arguments_that_make_no_sense(tiny):
    model, loss = tiny
    with pytest.raises(ValueError, match="tolerance=2"):
        Sharpness(tolerance=2)
    with pytest.raises(ValueError, match="most=0"):
        Sharpness(most=0)
    with pytest.raises(ValueError, match="positive"):
        preconditioned_sharpness(loss, list(model.parameters()), np.zeros(57))
    with pytest.raises(ValueError, match="first update"):
        adam_preconditioner(torch.optim.Adam(model.parameters()))
