"""Variance components against statsmodels' analysis of variance, and their coverage."""

import numpy as np
import pandas as pd
import pytest

from lrlab.experiments.noise_sources.components import crossed


def design(rng, rows, columns, repetitions, deviations):
    shapes = [(rows, 1, 1), (1, columns, 1), (rows, columns, 1), (rows, columns, repetitions)]
    return sum(d * rng.normal(size=s) for d, s in zip(deviations, shapes, strict=True))


def test_the_mean_squares_are_those_of_statsmodels():
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    y = design(np.random.default_rng(3), 4, 5, 3, (1.0, 0.5, 0.3, 0.2))
    index = pd.MultiIndex.from_product([range(n) for n in y.shape], names=["r", "c", "k"])
    frame = pd.DataFrame({"y": y.ravel()}, index=index).reset_index()
    table = anova_lm(ols("y ~ C(r) * C(c)", frame).fit())
    m = (table["sum_sq"] / table["df"]).to_numpy()  # rows, columns, interaction, residual
    found = crossed(y)
    expected = (m[0] - m[2]) / 15, (m[1] - m[2]) / 12, (m[2] - m[3]) / 3, m[3]
    measured = [getattr(found, n).estimate for n in ("rows", "columns", "interaction", "within")]
    np.testing.assert_allclose(measured, expected, rtol=1e-9)


@pytest.mark.parametrize("deviations", [(1.0, 0.6, 0.4, 0.3), (0.2, 0.0, 1.0, 1.0)])
def test_intervals_cover_what_they_say(deviations):
    rng, trials = np.random.default_rng(0), 600
    covered = dict.fromkeys(("rows", "columns", "interaction", "within"), 0)
    for _ in range(trials):
        found = crossed(design(rng, 8, 8, 2, deviations))
        for name, deviation in zip(covered, deviations, strict=True):
            component = getattr(found, name)
            covered[name] += component.low <= deviation**2 <= component.high
    shares = np.array(list(covered.values())) / trials
    assert (shares > 0.925).all()  # three standard errors below 0.95
    # Where a component is zero its lower end is cut off, and only the upper one can miss it.
    assert (shares[np.array(deviations) > 0] < 0.985).all()


def test_shares_sum_to_one_and_none_is_negative():
    shares = crossed(design(np.random.default_rng(1), 3, 3, 2, (0.0, 0.0, 0.0, 1.0))).shares()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0


@pytest.mark.parametrize(
    "values", [np.zeros((2, 2)), np.zeros((1, 2, 2)), np.full((2, 2, 2), np.nan)]
)
def test_values_that_make_no_sense_are_refused(values):
    with pytest.raises(ValueError, match="values must"):
        crossed(values)
