"""Grids of rates that grow at their edges."""

import numpy as np
import pytest

from lrlab import Job, Recipe, tasks, train_many
from lrlab.experiments.rate_grid import curve, extended
from lrlab.schedules import Constant


def job(arm, rate, seed):
    recipe = Recipe(schedule=Constant(rate), steps=2, batch_size=8, seed=seed)
    return Job(tasks.get("mnist1d", n_train=32), recipe)


@pytest.mark.parametrize(
    ("best", "grid"),
    [
        (16.0, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
        (0.5, [0.25, 0.5, 1.0, 2.0, 4.0]),
        (2.0, [1.0, 2.0, 4.0]),
        (1e6, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),  # three more and no further
    ],
)
def test_a_grid_grows_by_its_own_ratio_until_the_best_rate_lies_inside(monkeypatch, best, grid):
    monkeypatch.setenv("LRLAB_CACHE", "off")

    def far_from_best(run):
        return 1 + abs(np.log2(run.lr[0] / best))

    plan = {("an arm", r, s): job("an arm", r, s) for r in (1.0, 2.0, 4.0) for s in (0, 1)}
    tried = train_many(plan, n_jobs=1, progress=False)
    rates, values = curve(extended(tried, job, far_from_best), "an arm", far_from_best)
    assert rates == grid
    np.testing.assert_allclose(values, 1 + abs(np.log2(np.array(grid) / best)))
