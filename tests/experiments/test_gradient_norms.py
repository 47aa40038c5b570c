"""The sharpness on a sample, against the whole Hessian of a small network."""

import numpy as np
import pytest
import torch
from full_hessian import full_hessian

from lrlab import Recipe, schedules, tasks, train
from lrlab.experiments.gradient_norms import SampleSharpness
from lrlab.experiments.sharpness import adam_preconditioner
from lrlab.optimizers import SGD, AdamW
from lrlab.training.state import TrainingState

pytestmark = pytest.mark.trains

STEPS = 5


def recipe(optimizer, steps=STEPS):
    return Recipe(
        schedule=schedules.Constant(0.01),
        steps=steps,
        batch_size=10,
        optimizer=optimizer,
        eval_every=0,
    )


@pytest.mark.parametrize("optimizer", [SGD(), AdamW(weight_decay=0.1, betas=(0.9, 0.99))])
def test_both_eigenvalues_equal_those_of_the_whole_matrix_of_the_sample(optimizer):
    task = tasks.get("mnist1d", architecture="logistic", n_train=50)
    probe = SampleSharpness(every=STEPS, examples=40, tolerance=1e-6)
    found = train(task, recipe(optimizer), probes=[probe]).probes["SampleSharpness"]

    longer = recipe(optimizer, STEPS + 1)
    state = TrainingState(task, longer, ())
    state.load_state_dict(train(task, longer, until=STEPS).checkpoint.state)
    batch = tuple(x[:40] for x in task.data().train)
    hessian = full_hessian(state.model, task.loss(state.model, batch, torch.Generator()))
    assert found["largest"][-1] == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)
    if isinstance(optimizer, SGD):
        assert np.isnan(found["preconditioned"]).all()
        return
    root = np.sqrt(adam_preconditioner(state.optimizer))
    seen = np.linalg.eigvalsh(hessian / np.outer(root, root))[-1]
    assert found["preconditioned"][-1] == pytest.approx(seen, rel=1e-3)


def test_the_probe_leaves_the_run_as_it_was_and_differentiates_attention_twice():
    task = tasks.get("names_lm", n_train=64, n_eval=10)
    plain = train(task, recipe(AdamW(weight_decay=0.1)))
    probe = SampleSharpness(every=2, examples=8)
    probed = train(task, recipe(AdamW(weight_decay=0.1)), probes=[probe])
    assert np.array_equal(plain.loss, probed.loss)
    values = probed.probes["SampleSharpness"]["preconditioned"]
    assert len(values) == 2 and np.isfinite(values).all()


@pytest.mark.parametrize(("name", "value"), [("examples", 0), ("tolerance", 0.0)])
def test_arguments_that_make_no_sense_are_refused_with_their_value(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        SampleSharpness(**{name: value})
