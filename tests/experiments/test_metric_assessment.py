"""The jackknife, against the mean's own interval and a simulation."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from lrlab import stats
from lrlab.experiments.metric_assessment import pseudo_values


def spearman(x, y):
    return spearmanr(x, y).statistic


def test_the_pseudo_values_of_a_mean_are_the_values():
    x = np.random.default_rng(0).normal(size=9)
    np.testing.assert_allclose(pseudo_values(np.mean, x), x, rtol=1e-9)


def test_the_interval_of_a_rank_correlation_covers_it_as_often_as_it_says():
    rng, rho, n = np.random.default_rng(1), 0.6, 60
    true = 6 / np.pi * np.arcsin(rho / 2)
    covered = 0
    for _ in range(200):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n).T
        covered += true in stats.mean_interval(pseudo_values(spearman, x, y))
    assert covered / 200 > 0.90


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match=r"\[3, 4\]"):
        pseudo_values(spearman, [1, 2, 3], [1, 2, 3, 4])
