"""The schedules of a comparison are what their description says, by hand."""

import math

import numpy as np
import pytest

from lrlab.schedules import presets

STEPS = 240


def by_hand(name, t):
    """The rate at a peak of 1, from the words of the docstring."""
    match name:
        case "cosine":
            return (1 + math.cos(math.pi * t / STEPS)) / 2
        case "linear":
            return 1 - t / STEPS
        case "step":
            return 1.0 if t < 120 else 0.1 if t < 180 else 0.01
        case "exponential":
            return 0.01 ** (t / STEPS)
        case "inverse square root":
            return 1 / math.sqrt(1 + t / 12)
        case "constant":
            return 1.0
    return None


@pytest.mark.parametrize("name", sorted(set(presets.lineup(STEPS)) - {"one-cycle"}))
def test_each_schedule_is_what_the_description_says(name):
    found = presets.lineup(STEPS)[name](np.arange(STEPS))
    np.testing.assert_allclose(found, [by_hand(name, t) for t in range(STEPS)], rtol=1e-12)


def test_the_inverse_square_root_has_halved_after_three_twentieths():
    assert presets.lineup(STEPS)["inverse square root"](3 * STEPS // 20) == pytest.approx(0.5)


def test_the_one_cycle_rises_for_thirty_percent_of_the_updates():
    rates = presets.lineup(1000)["one-cycle"](np.arange(1000))
    assert rates.argmax() in (299, 300) and rates.max() == pytest.approx(1)
    assert (np.diff(rates[:300]) > 0).all() and (np.diff(rates[300:]) < 0).all()


def test_scaled_by_a_rate_each_has_it_as_its_peak():
    for schedule in presets.lineup(STEPS).values():
        assert schedule.scale(0.3)(np.arange(STEPS)).max() == pytest.approx(0.3, rel=0.01)


def test_restarts_begin_a_cosine_of_their_length_at_each_cycle():
    lengths = {"fixed cycles": [60] * 4, "growing cycles": [16, 32, 64, 128]}
    for name, schedule in presets.restarts(STEPS).items():
        expected = [(1 + math.cos(math.pi * i / n)) / 2 for n in lengths[name] for i in range(n)]
        np.testing.assert_allclose(schedule(np.arange(STEPS)), expected, atol=1e-12)


@pytest.mark.parametrize("steps", [19, True, 20.0])
def test_too_few_updates_are_refused_with_their_number(steps):
    with pytest.raises(ValueError, match=f"steps={steps}"):
        presets.lineup(steps)


def test_cycles_that_do_not_fill_the_updates_are_refused():
    with pytest.raises(ValueError, match="multiple of 60, got steps=100"):
        presets.restarts(100)
