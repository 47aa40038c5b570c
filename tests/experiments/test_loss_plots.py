"""Causes are named from made-up losses whose cause is known, and nonsense is refused."""

import math

import numpy as np
import pytest

from lrlab.experiments.loss_plots import CAUSES, diagnose, summarise

GUESS, EPOCH, STEPS = math.log(10), 50, 400


def noise(size=0.05):
    return size * np.random.default_rng(3).standard_normal(STEPS)


t = np.arange(STEPS)
fall = 0.4 + 0.6 * np.exp(-t / 60)
LOSSES = {
    "healthy": fall + noise(),
    "bad initialisation": 1 + noise(0.01),
    "not shuffled": fall + np.tile(noise()[:EPOCH], STEPS // EPOCH),
    "no zero_grad": np.maximum(fall, np.exp((t - 150) / 80)) + noise(),
    "rate too high": 1 + 2 * np.exp(-t / 20) * (t > 0) + 0.1 + noise(),
    "rate too low": 1 - 0.05 * t / STEPS + noise(0.01),
}


def named(x, **more):
    return diagnose(summarise(GUESS * x, guess=GUESS, epoch_steps=EPOCH, **more))


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_named(cause):
    assert named(LOSSES[cause]) == cause


def test_a_high_first_loss_is_a_bad_initialisation_however_it_goes_on():
    x = fall.copy()
    x[:10] = np.linspace(3, 1, 10)
    assert named(x) == "bad initialisation"


def test_what_mean_and_spread_do_not_show_is_left_out_on_request():
    for cause in ("bad initialisation", "not shuffled"):
        x = np.append(3.0, LOSSES["healthy"][1:]) if cause[0] == "b" else LOSSES[cause]
        found = summarise(GUESS * x, guess=GUESS, epoch_steps=EPOCH)
        assert diagnose(found) == cause
        assert diagnose(found, windows_only=True) == "healthy"


def test_a_fall_that_is_lost_again_is_a_rate_too_high():
    x = np.interp(t, [0, 100, 150, STEPS], [1, 0.85, 1, 1.01]) + noise(0.01)
    assert named(x) == "rate too high"


def test_divergence_at_once_is_a_rate_and_later_an_accumulated_gradient():
    assert named(np.array([1.0, 5.0, math.nan]), steps=STEPS) == "rate too high"
    late = np.append(LOSSES["no zero_grad"][:300], math.inf)
    assert named(late, steps=STEPS) == "no zero_grad"


def test_the_unit_of_the_loss_does_not_matter():
    x = LOSSES["healthy"]
    a = summarise(x, guess=1.0, epoch_steps=EPOCH)
    b = summarise(7 * x, guess=7.0, epoch_steps=EPOCH)
    assert np.allclose(a.mean, b.mean) and np.allclose(a.std, b.std)
    assert a.repeats == pytest.approx(b.repeats)


def test_windows_hold_means_and_deviations_of_their_batches():
    x = np.repeat([4.0, 2.0, 1.0, 3.0], 5) + np.tile([-1.0, 0, 0, 0, 1], 4)
    found = summarise(x, guess=2.0, epoch_steps=5, windows=4)
    assert found.mean.tolist() == [2.0, 1.0, 0.5, 1.5]
    assert found.std == pytest.approx(np.full(4, math.sqrt(0.5) / 2))
    assert found.first == 1.5


def test_a_loss_that_never_moves_has_no_order_and_no_fall():
    found = summarise(np.full(STEPS, GUESS), guess=GUESS, epoch_steps=EPOCH)
    assert found.repeats == 0 and found.fall == -math.inf
    assert diagnose(found) == "bad initialisation"


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="got 10 losses"):
        summarise(np.ones(10), guess=1.0, epoch_steps=5)
    with pytest.raises(ValueError, match="got 100 losses of 50 updates"):
        summarise(np.ones(100), guess=1.0, epoch_steps=5, steps=50)
    with pytest.raises(ValueError, match="must be positive, got 0 and 5"):
        summarise(np.ones(100), guess=0, epoch_steps=5)
