"""Explore or exploit: the statistics, and the two searches that need no training."""

import numpy as np
import pytest

from lrlab.experiments.bayesian_sweep import (
    Surface,
    at_edge,
    distance_ranks,
    tpe_search,
    wandb_search,
)


def bowl(at):
    return float(((at - 0.3) ** 2).sum())


def test_uniform_draws_have_uniform_ranks_wherever_the_best_one_lies():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(2000, 3))
    for corner in (0.0, 0.5):
        x[0] = corner
        y = np.r_[0.0, np.ones(1999)]
        ranks = distance_ranks(x, y)[1:]
        assert ranks.mean() == pytest.approx(0.5, abs=0.03)
        assert np.quantile(ranks, [0.1, 0.9]) == pytest.approx([0.1, 0.9], abs=0.03)


def test_trials_of_one_wave_do_not_know_each_other():
    x, y = [[0.0], [1.0], [1.0], [0.0]], [2.0, 1.0, 3.0, 3.0]
    together = distance_ranks(x, y, wave=2)
    assert np.isnan(together[:2]).all()
    np.testing.assert_array_equal(together[2:], [0, 1])
    np.testing.assert_array_equal(distance_ranks(x, y)[1:], [1, 0, 1])


def test_a_diverged_or_stopped_trial_is_never_the_best():
    assert np.isnan(distance_ranks([[0.1], [0.2]], [np.inf, 1.0])).all()


def test_the_share_at_the_edges_of_uniform_draws_is_the_one_stated():
    x = np.random.default_rng(1).uniform(size=(20_000, 3))
    assert at_edge(x).mean() == pytest.approx(1 - 0.9**3, abs=0.01)


@pytest.mark.parametrize("search", [wandb_search, tpe_search])
def test_a_search_finds_the_bottom_of_a_bowl_nears_it_and_repeats_itself(search):
    x, y = search(bowl, 2, 40, seed=3)
    assert y.min() < 5e-3
    assert distance_ranks(x, y)[20:].mean() < 0.3
    again, _ = search(bowl, 2, 40, seed=3)
    np.testing.assert_array_equal(x, again)


def test_a_search_that_forgets_goes_on_with_few_trials_to_see():
    x, y = wandb_search(bowl, 2, 40, seed=0, memory=10)
    assert np.isfinite(y).all()
    assert len(np.unique(x, axis=0)) == 40


def test_a_surface_has_the_bowl_that_it_was_fitted_to_and_its_noise():
    rng = np.random.default_rng(2)
    x = rng.uniform(size=(150, 2))
    surface = Surface(x, [bowl(at) + 0.05 * rng.normal() for at in x])
    grid = rng.uniform(0.1, 0.9, size=(50, 2))
    np.testing.assert_allclose(surface.mean(grid), [bowl(at) for at in grid], atol=0.06)
    assert surface.noise == pytest.approx(0.05, rel=0.3)
    drawn, again = surface.objective(1), surface.objective(1)
    assert drawn(grid[0]) == again(grid[0]) != drawn(grid[0])


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 1\) and \(1,\)"):
        distance_ranks([[0.0], [1.0]], [1.0])
