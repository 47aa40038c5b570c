"""The record of a run while it grows, and the rate of each update."""

import json

import numpy as np
import pytest
import torch

from lrlab.schedules import Cosine
from lrlab.schedules.controllers import ReduceOnPlateau
from lrlab.training._history import History
from lrlab.training._rate import Rate
from lrlab.training.probes import GradientNorm


def filled(history, first, last):
    """Updates first to last − 1, with an evaluation and a measurement after each."""
    for step in range(first, last):
        history.lr[step], history.loss[step] = 0.1, 2.0 - step
        history.grad_norm[step] = 1.0 + step
        history.steps = step + 1
        history.evaluated(step + 1, {"test_loss": 3.0 - step})
        history.measured(GradientNorm(), step + 1, {"norm": float(step)})
    return history


def test_a_record_holds_what_has_been_done_and_no_more():
    arrays = filled(History(5, [GradientNorm()]), 0, 3).arrays()
    assert arrays["loss"].tolist() == [2.0, 1.0, 0.0]
    assert arrays["grad_norm"].tolist() == [1.0, 2.0, 3.0]
    assert arrays["lr"].shape == (3,)
    assert {name: values.tolist() for name, values in arrays["evals"].items()} == {
        "step": [1, 2, 3],
        "test_loss": [3.0, 2.0, 1.0],
    }
    assert arrays["probes"]["GradientNorm"]["norm"].tolist() == [0.0, 1.0, 2.0]


def test_a_restored_record_goes_on_as_if_nothing_had_happened():
    whole = filled(History(4, [GradientNorm()]), 0, 4).arrays()
    half = filled(History(4, [GradientNorm()]), 0, 2)
    state = half.state_dict(seconds=7.0)
    again = History(4, [GradientNorm()])
    again.load_state_dict(state)
    assert again.seconds_before == 7.0
    found = filled(again, 2, 4).arrays()
    for name in ("lr", "loss", "grad_norm"):
        np.testing.assert_array_equal(found[name], whole[name])
    np.testing.assert_equal(found["evals"], whole["evals"])
    np.testing.assert_equal(found["probes"], whole["probes"])
    assert half.arrays()["loss"].tolist() == [2.0, 1.0]  # nothing is shared
    assert state["steps"] == 2 and len(state["evals"]["step"]) == 2


def test_two_probes_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"two probes have one name: \['GradientNorm'"):
        History(2, [GradientNorm(), GradientNorm(every=2)])


def test_the_rates_of_a_schedule_are_its_values():
    schedule = Cosine(0.2, steps=7)
    rate = Rate(schedule, 7)
    assert [rate.before_update(t, []) for t in range(7)] == [schedule(t) for t in range(7)]
    assert rate.state_dict() == {} and not rate.diverged


def test_a_controller_sets_the_rate_like_torchs_own():
    controller = ReduceOnPlateau(0.1, patience=1, factor=0.5)
    losses = [1.0, 0.9, 0.95, 0.93, 0.94, 0.8, 0.85, 0.85, 0.85]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    rate = Rate(controller, len(losses))
    for step, loss in enumerate(losses):
        assert rate.before_update(step, []) == pytest.approx(optimizer.param_groups[0]["lr"])
        rate.after_evaluation({controller.metric: loss})
        peer.step(loss)
        if step == 3:  # killed here, and restored
            state = json.loads(json.dumps(rate.state_dict()))
            rate = Rate(controller, len(losses))
            rate.load_state_dict(state)


def test_a_metric_that_is_not_there_is_named_with_those_that_are():
    rate = Rate(ReduceOnPlateau(0.1, patience=1), 3)
    with pytest.raises(KeyError, match="there are accuracy"):
        rate.after_evaluation({"accuracy": 0.5})
