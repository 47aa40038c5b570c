"""The derivative of a training by its rate."""

import numpy as np
import pytest
import torch

from lrlab import tasks
from lrlab.experiments.metalearned_rate import UnrolledTraining

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", architecture="tanh")


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_the_slope_is_that_of_finite_differences(rate):
    training = UnrolledTraining(TASK, steps=12)
    _, slope = training.slope(rate)
    step = 1e-2 * rate
    ends = [training.mean_loss(rate + d).item() for d in (-step, step)]
    assert slope == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=0.05)


def test_the_mean_loss_is_the_same_with_and_without_a_graph():
    training = UnrolledTraining(TASK, steps=8)
    assert training.slope(0.4)[0] == training.mean_loss(0.4).item()


def test_the_rate_moves_against_its_slope_and_the_loss_falls():
    training = UnrolledTraining(TASK, steps=30)
    path = training.learn(0.02, outer_rate=0.3, outer_steps=4)
    assert path.rates.shape == (5,)
    assert (np.diff(path.rates) > 0).all()
    assert (np.diff(path.losses) < 0).all()


def test_global_generators_are_left_as_they_were():
    before = torch.get_rng_state()
    UnrolledTraining(TASK, steps=2).slope(0.1)
    assert torch.equal(before, torch.get_rng_state())
