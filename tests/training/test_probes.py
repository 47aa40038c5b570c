"""Probes report what a direct computation on the model gives, and never touch the run."""

import math

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import SGD
from lrlab.training.probes import (
    GradientNorm,
    StepContext,
    UpdateRatio,
    WeightNorms,
    WeightQuantiles,
)

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=100)
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=20, seed=3)
ALL = (GradientNorm(), WeightQuantiles(2), WeightNorms(2), UpdateRatio())


def weights_after(steps):
    run = train(TASK, RECIPE, until=steps)
    state = run.checkpoint.state["model"] if run.checkpoint else None
    return {name: value.numpy().astype(float) for name, value in state.items()}


def flat(weights):
    return np.concatenate([value.ravel() for value in weights.values()])


def test_a_run_with_probes_is_the_run_without_them():
    with_probes, without = train(TASK, RECIPE, probes=ALL), train(TASK, RECIPE)
    assert with_probes.loss.tobytes() == without.loss.tobytes()
    assert with_probes.evals["test_loss"].tobytes() == without.evals["test_loss"].tobytes()


def test_quantiles_and_norms_are_those_of_the_weights_at_step_zero_and_every_second_step():
    run = train(TASK, RECIPE, probes=ALL)
    quantiles, norms = run.probes["WeightQuantiles"], run.probes["WeightNorms"]
    levels = WeightQuantiles().levels
    assert quantiles["step"].tolist() == norms["step"].tolist() == [0, 2, 4]
    assert quantiles["signed"].shape == quantiles["magnitude"].shape == (3, len(levels))
    for row, step in enumerate((0, 2)):
        weights = weights_after(step)
        everything = np.sort(flat(weights))
        at = np.asarray(levels) * (everything.size - 1)  # interpolated by hand, not by np.quantile
        low = np.floor(at).astype(int)
        direct = everything[low] + (at - low) * (everything[low + 1] - everything[low])
        assert quantiles["signed"][row] == pytest.approx(direct, rel=1e-5, abs=1e-7)
        magnitude = np.quantile(abs(everything), levels)
        assert quantiles["magnitude"][row] == pytest.approx(magnitude, rel=1e-5)
        assert norms["all"][row] == pytest.approx(math.sqrt((everything**2).sum()), rel=1e-5)
        assert norms["0.weight"][row] == pytest.approx(np.linalg.norm(weights["0.weight"]), 1e-5)


def test_the_update_ratio_of_plain_sgd_is_rate_times_gradient_norm_over_weight_norm():
    run = train(TASK, RECIPE, probes=ALL)
    ratio, gradient = run.probes["UpdateRatio"], run.probes["GradientNorm"]
    start = weights_after(0)
    for name, weight in start.items():
        expected = 0.1 * gradient[name][0] / np.linalg.norm(weight)
        assert ratio[name][0] == pytest.approx(expected, rel=1e-3)
    expected = 0.1 * run.grad_norm[0] / np.linalg.norm(flat(start))
    assert ratio["all"][0] == pytest.approx(expected, rel=1e-3)


def test_the_update_ratio_sees_momentum_and_decay_too():
    recipe = RECIPE.replace(optimizer=SGD(momentum=0.9, weight_decay=0.1))
    seen = train(TASK, recipe, probes=[UpdateRatio()]).probes["UpdateRatio"]["all"][2]
    before = flat({k: v.numpy() for k, v in _model_after(recipe, 2).items()})
    after = flat({k: v.numpy() for k, v in _model_after(recipe, 3).items()})
    assert seen == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-4)


def _model_after(recipe, steps):
    return train(TASK, recipe, until=steps).checkpoint.state["model"]


def test_a_weight_of_zero_gives_an_infinite_update_ratio_without_a_warning():
    model = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(model.bias)
    context = StepContext(TASK, model, torch.optim.SGD(model.parameters(), lr=0.0), None, 0.0, 1)
    before = UpdateRatio().before(context)
    with torch.no_grad():
        model.bias += 1
    assert UpdateRatio().after(context, before)["bias"] == math.inf


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.5, 0.5), (-0.1, 0.5), (0.5, 1.5)])
def test_levels_that_make_no_sense_are_refused(levels):
    with pytest.raises(ValueError, match="levels must rise"):
        WeightQuantiles(levels=levels)
