"""The probe of the sharpness, against the whole Hessian of a small network."""

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import SGD, AdamW
from lrlab.sharpness_probe import Sharpness
from lrlab.state import TrainingState

STEPS = 5


def recipe(optimizer):
    return Recipe(
        schedule=schedules.Constant(0.01), steps=STEPS, batch_size=10, optimizer=optimizer,
        eval_every=0,
    )  # fmt: skip


def whole_hessian(task, model, examples):
    batch = tuple(x[:examples] for x in task.data().train)
    parameters = list(model.parameters())
    loss = task.loss(model, batch, torch.Generator())
    flat = torch.cat(
        [g.flatten() for g in torch.autograd.grad(loss, parameters, create_graph=True)]
    )
    rows = [torch.autograd.grad(g, parameters, retain_graph=True) for g in flat]
    return torch.stack([torch.cat([r.flatten() for r in row]) for row in rows]).double().numpy()


@pytest.mark.parametrize("optimizer", [SGD(), AdamW(weight_decay=0.1, betas=(0.9, 0.99))])
def test_the_probe_measures_the_largest_eigenvalue_of_the_hessian_and_of_adams_view_of_it(
    optimizer,
):
    task = tasks.get("mnist1d", architecture="logistic", n_train=50)
    probe = Sharpness(every=STEPS, examples=40, tolerance=1e-6)
    found = train(task, recipe(optimizer), probes=[probe]).probes["Sharpness"]

    checkpoint = train(task, recipe(optimizer).replace(steps=STEPS + 1), until=STEPS).checkpoint
    state = TrainingState(task, recipe(optimizer).replace(steps=STEPS + 1), ())
    state.load_state_dict(checkpoint.state)
    hessian = whole_hessian(task, state.model, 40)
    assert found["largest"][-1] == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)
    if isinstance(optimizer, SGD):
        assert np.isnan(found["preconditioned"]).all()
        return
    inner = state.optimizer
    v = torch.cat([
        (inner.state[p]["exp_avg_sq"].double() / (1 - 0.99**STEPS)).sqrt().flatten() + 1e-8
        for p in state.model.parameters()
    ]).numpy()  # fmt: skip
    seen = hessian / np.sqrt(np.outer(v, v))
    assert found["preconditioned"][-1] == pytest.approx(np.linalg.eigvalsh(seen)[-1], rel=1e-3)


def test_the_probe_leaves_the_run_as_it_was_and_differentiates_attention_twice():
    task = tasks.get("names_lm", n_train=64)
    plain = train(task, recipe(AdamW(weight_decay=0.1)))
    probed = train(task, recipe(AdamW(weight_decay=0.1)), probes=[Sharpness(every=2, examples=8)])
    assert np.array_equal(plain.loss, probed.loss)
    values = probed.probes["Sharpness"]["largest"]
    assert len(values) == 3 and np.isfinite(values).all()


@pytest.mark.parametrize(("name", "value"), [("examples", 0), ("tolerance", 0.0)])
def test_arguments_that_make_no_sense_are_refused_with_their_value(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        Sharpness(**{name: value})
