"""Best peaks by length: the grid grows where it must, and exponents are slopes."""

import numpy as np
import pytest

from lrlab import tasks
from lrlab.experiments import peak_against_length as study
from lrlab.optimizers import SGD

NAMES, LENGTHS, SEEDS = ["constant", "WSD"], [6, 12], range(2)


@pytest.fixture
def perceptron(monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", "off")
    return study.Study(tasks.get("mnist1d", n_train=200), SGD(momentum=0.9), 20, warmup_steps=2)


@pytest.mark.trains
def test_a_grid_whose_losses_are_lowest_at_its_end_grows_there_and_no_further_than_allowed(
    perceptron,
):
    table = study.measure(
        perceptron, NAMES, LENGTHS, [0.01, 0.02, 0.04], SEEDS, more=2, progress=False
    )
    np.testing.assert_allclose(table.peaks, [0.01 * 2**k for k in range(5)])
    assert table.edges == (False, True)  # it would have grown on
    assert table.validation["WSD"].shape == (2, 2, 5)
    assert (np.diff(table.validation["constant"].mean(axis=0), axis=-1) < 0).all()


@pytest.mark.parametrize("name", study.NAMES)
def test_schedules_begin_with_the_same_rise_at_every_length_and_peak_where_they_say(
    perceptron, name
):
    rates = [perceptron.schedule(name, 0.3, steps)(np.arange(steps)) for steps in (6, 60)]
    np.testing.assert_allclose(rates[0][:3], [0.1, 0.2, 0.3])
    np.testing.assert_allclose(rates[1][:3], [0.1, 0.2, 0.3])
    assert all(lr.max() == 0.3 for lr in rates)
    assert rates[1][-1] == 0.3 if name == "constant" else rates[1][-1] < 0.03


def test_an_exponent_is_the_power_of_a_power_law_whatever_its_factor():
    lengths, rng = np.array(study.spread_lengths(20)), np.random.default_rng(0)
    powers = rng.uniform(-0.2, 0.8, 5)
    best = rng.uniform(0.1, 1, (5, 1)) * lengths ** -powers[:, None]
    np.testing.assert_allclose(study.exponents(lengths, best), powers)
