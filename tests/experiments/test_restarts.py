"""Rises after restarts, and jitter: series whose rises and noise are known."""

import numpy as np
import pytest

from lrlab.experiments.jitter import jitter, spikes
from lrlab.experiments.restarts import rises, shift, values_at

STEPS, BOUNDS = np.arange(0, 41, 2), [20, 40]


def after_the_restart(values):
    """Ones up to step 20, then these values, one every two steps."""
    return np.r_[np.ones(11), values]


def test_a_rise_is_that_of_the_first_half_of_the_new_cycle_alone():
    y = after_the_restart([1.1, 1.3, 1.2, 1.0, 0.9, 0.9, 0.9, 5.0, 0.8, 0.7])
    [[rise, _, change]] = rises(STEPS, y, BOUNDS)
    assert (rise, change) == pytest.approx((np.log(1.3), np.log(0.7)))


def test_a_rise_is_made_good_when_the_loss_is_back_for_good():
    y = after_the_restart([1.2, 0.9, 1.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert rises(STEPS, y, BOUNDS)[0, 1] == pytest.approx(8 / 20)


def test_a_rise_that_is_never_made_good_takes_the_whole_cycle_and_none_takes_nothing():
    assert rises(STEPS, after_the_restart(np.full(10, 1.2)), BOUNDS)[0, 1] == 1
    assert rises(STEPS, after_the_restart(np.full(10, 0.8)), BOUNDS)[0, 1] == 0


def test_noise_without_an_effect_shifts_nothing_on_average():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2000, STEPS.size))
    found = [shift(STEPS, one, BOUNDS) for one in noise]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(2000)


def test_values_are_those_of_the_last_evaluation_up_to_a_step():
    assert values_at([1, 5, 9], [10, 20, 30], [1, 4, 5, 8, 100]).tolist() == [10, 10, 20, 20, 30]


def test_jitter_is_the_standard_deviation_of_independent_noise_whatever_the_trend():
    noise = 0.05 * np.random.default_rng(1).normal(size=20_000)
    assert jitter(np.exp(noise - np.linspace(0, 3, 20_000))) == pytest.approx(0.05, rel=0.03)


def test_a_spike_is_measured_from_the_median_of_the_evaluations_before_it():
    y = np.array([1.0, 1.0, 1.0, 1.0, 9.0, 1.04, 1.06, 1.0])
    assert np.flatnonzero(spikes(y, 0.05)).tolist() == [6]
