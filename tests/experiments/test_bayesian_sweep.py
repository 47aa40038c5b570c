"""Explore or exploit: the statistics, W&B's search, and whole sweeps of it."""

import json

import numpy as np
import pytest

from lrlab.experiments import surnames
from lrlab.experiments.bayesian_sweep import Swept, WandbSearch, at_edge, distance_ranks, repeat
from lrlab.experiments.replay import replay


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


def searched(objective, dimensions, trials, **more):
    search = WandbSearch(dimensions, **more)
    for _ in range(trials):
        at = search.ask()
        search.tell(at, objective(at))
    return np.array(search.positions), np.array(search.values)


def test_the_search_finds_the_bottom_of_a_bowl_nears_it_and_repeats_itself():
    x, y = searched(bowl, 2, 40, seed=3)
    assert y.min() < 5e-3
    assert distance_ranks(x, y)[20:].mean() < 0.3
    again, _ = searched(bowl, 2, 40, seed=3)
    np.testing.assert_array_equal(x, again)


def test_a_search_that_forgets_goes_on_with_few_trials_to_see():
    x, y = searched(bowl, 2, 40, memory=10)
    assert np.isfinite(y).all()
    assert len(np.unique(x, axis=0)) == 40


@pytest.fixture(scope="module")
def plan():
    return surnames.bayesian(trials=6, updates=20, eval_every=2, n_eval=8)


@pytest.fixture(scope="module")
def swept(plan):
    return repeat(plan, [3, 4], n_jobs=1, store=None)


def test_sweeps_beside_one_another_are_the_sweeps_alone(plan, swept):
    [alone] = repeat(plan, [4], n_jobs=1, store=None)
    for name in ("positions", "losses", "test", "spent"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(swept[1], name))


def test_a_sweep_is_read_as_it_was_written(swept):
    swept[0].losses[0, 3:] = np.nan  # as if it had diverged
    again = Swept.from_dict(json.loads(json.dumps(swept[0].to_dict())))
    for name in ("positions", "losses", "test", "spent"):
        np.testing.assert_array_equal(getattr(again, name), getattr(swept[0], name))
    assert not again.whole[0] and not again.survived[0] and again.final[0] == np.inf


def test_the_rule_stops_in_a_sweep_whom_it_stops_in_a_replay_of_the_complete_curves(plan, swept):
    one = swept[1]
    order = [list(range(plan.trials))]
    again = replay(one.losses[:, 1:], plan.rule, order, n_jobs=1)
    np.testing.assert_array_equal(again.spent[0], one.spent)


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 1\) and \(1,\)"):
        distance_ranks([[0.0], [1.0]], [1.0])
