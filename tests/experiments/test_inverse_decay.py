"""Caffe's ``inv`` policy."""

import numpy as np
import pytest

from lrlab import schedules
from lrlab.experiments.inverse_decay import InverseDecay


def test_it_is_the_published_formula_for_numbers_and_arrays():
    schedule = InverseDecay(0.01, gamma=1e-4, power=0.75)
    steps = np.array([0, 1, 500, 10_000])
    expected = [0.01 * (1 + 1e-4 * t) ** -0.75 for t in steps.tolist()]
    np.testing.assert_allclose(schedule(steps), expected, rtol=1e-14)
    assert [schedule(t) for t in steps.tolist()] == schedule(steps).tolist()


def test_time_can_be_rescaled():
    slow, fast = InverseDecay(1.0, gamma=1e-4), InverseDecay(1.0, gamma=8e-4)
    np.testing.assert_allclose(slow(8 * np.arange(100)), fast(np.arange(100)), rtol=1e-14)


def test_it_holds_its_last_rate_scales_and_round_trips():
    schedule = InverseDecay(1.0, gamma=0.1, steps=10)
    assert schedule.horizon == 10 and schedule(10) == schedule(1000)
    assert schedule.scale(0.5) == InverseDecay(0.5, gamma=0.1, steps=10)
    assert schedules.from_dict(schedule.to_dict()) == schedule


@pytest.mark.parametrize(
    ("name", "value"), [("peak_lr", 0.0), ("gamma", 0.0), ("power", -1.0), ("steps", 0)]
)
def test_arguments_that_make_no_sense_are_refused_with_their_value(name, value):
    arguments = {"peak_lr": 1.0, "gamma": 0.1} | {name: value}
    with pytest.raises(ValueError, match=f"{name}={value}"):
        InverseDecay(**arguments)
