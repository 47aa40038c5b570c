"""Coverage and power are simulated at the numbers of seeds that the experiments use."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from lrlab import stats
from lrlab.labbook import p_values

SAMPLES = st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=12).filter(
    lambda x: np.ptp(x) > 1e-3
)


def repeats(draw, n: int, times: int = 2000) -> np.ndarray:
    return draw(np.random.default_rng(0), (times, n))


def normal(rng, shape):
    return rng.normal(0.3, 1.0, shape)


@given(SAMPLES, st.floats(0.5, 0.999), st.floats(-50, 50))
def test_mean_interval_and_p_agree_with_scipys_t_test(values, level, boundary):
    oracle = scipy_stats.ttest_1samp(values, boundary)
    found = stats.mean_interval(values, level)
    assert [found.low, found.high] == pytest.approx(list(oracle.confidence_interval(level)))
    assert p_values.mean_p(values, boundary) == pytest.approx(oracle.pvalue, abs=1e-12)


@given(SAMPLES, st.floats(0.001, 0.2), st.floats(-50, 50))
def test_p_is_below_alpha_exactly_where_the_interval_leaves_the_boundary_out(values, alpha, bound):
    p = p_values.mean_p(values, bound)
    if abs(p - alpha) > 1e-9:
        assert (p < alpha) == (bound not in stats.mean_interval(values, 1 - alpha))


@given(SAMPLES, st.floats(0.1, 200))
def test_equivalence_p_agrees_with_statsmodels(values, margin):
    oracle = DescrStatsW(values).ttost_mean(-margin, margin)[0]
    assert p_values.equivalence_p(values, margin) == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize("n", [5, 8, 12])
def test_t_interval_covers_the_mean_at_its_level(n):
    covered = np.mean([0.3 in stats.mean_interval(x) for x in repeats(normal, n)])
    assert covered == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("n", [5, 8])
def test_geometric_interval_covers_the_median_of_lognormal_rates(n):
    draws = np.exp(repeats(normal, n))
    covered = np.mean([math.exp(0.3) in stats.geometric_interval(x) for x in draws])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_percentile_bootstrap_covers_too_little_at_five_seeds():
    rng = np.random.default_rng(0)
    draws = repeats(normal, 5, times=400)
    covered = 0
    for x in draws:
        means = rng.choice(x, (400, 5)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        covered += low <= 0.3 <= high
    assert covered / len(draws) < 0.9


@pytest.mark.parametrize("n", [6, 10])
def test_median_interval_covers_at_least_its_level_for_a_skewed_distribution(n):
    draws = repeats(lambda rng, shape: rng.exponential(1.0, shape), n)
    covered = np.mean([math.log(2) in stats.median_interval(x) for x in draws])
    assert covered >= 0.94


@pytest.mark.parametrize("n", range(6, 40))
def test_median_interval_is_the_shortest_that_reaches_its_level(n):
    found = stats.median_interval(np.arange(1, n + 1))
    left_out = int(found.low) - 1  # values below the interval, and as many above it
    assert found.low + found.high == n + 1
    assert 2 * scipy_stats.binom.cdf(left_out, n, 0.5) <= 0.05
    assert 2 * scipy_stats.binom.cdf(left_out + 1, n, 0.5) > 0.05


def test_median_interval_refuses_a_level_that_n_cannot_reach():
    with pytest.raises(ValueError, match=r"n=5 values reach a level of 0\.9375"):
        stats.median_interval([1, 2, 3, 4, 5])


@pytest.mark.parametrize("method", ["exact", "wilson"])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_proportion_interval_agrees_with_statsmodels(n, method):
    name = {"exact": "beta", "wilson": "wilson"}[method]
    for k in range(n + 1):
        found = stats.proportion_interval(k, n, 0.95, method)
        oracle = np.clip(proportion_confint(k, n, 0.05, name), 0, 1)
        assert [found.low, found.high] == pytest.approx(list(oracle), abs=1e-9)


@pytest.mark.parametrize(("method", "least"), [("exact", 0.95), ("wilson", 0.82)])
def test_proportion_interval_covers_at_every_true_proportion(method, least):
    n = 10
    found = [stats.proportion_interval(k, n, 0.95, method) for k in range(n + 1)]
    covered = [
        sum(scipy_stats.binom.pmf(k, n, p) for k in range(n + 1) if p in found[k])
        for p in np.linspace(0.01, 0.99, 99)
    ]
    assert min(covered) >= least
    assert np.mean(covered) >= 0.95 - 0.01


@given(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.01, 0.99),
    st.sampled_from(["exact", "wilson"]),
)
def test_proportion_p_goes_with_its_interval(counts, threshold, method):
    p = p_values.proportion_p(*counts, threshold, method)
    inside = threshold in stats.proportion_interval(*counts, 0.95, method)
    if abs(p - 0.05) > 1e-6:
        assert (p < 0.05) == (not inside)


def test_power_agrees_with_statsmodels_and_with_simulation():
    for n, effect in ((5, 1.5), (8, 1.0), (12, 0.7)):
        expected = stats.power(effect, sd=1.0, n=n)
        # Statsmodels adds the chance of a decision in the wrong direction, below 1e-3 here.
        assert expected == pytest.approx(TTestPower().power(effect, n, 0.05), abs=1e-3)
        draws = repeats(lambda rng, shape, mean=effect: rng.normal(mean, 1.0, shape), n)
        found = np.mean([stats.mean_interval(x).low > 0 for x in draws])
        assert found == pytest.approx(expected, abs=0.035)


@pytest.mark.parametrize(("margin", "published"), [(1.0, 0.30), (1.5, 0.73), (2.0, 0.95)])
def test_power_of_equivalence_at_five_seeds(margin, published):
    expected = stats.equivalence_power(margin, sd=1.0, n=5)
    assert expected == pytest.approx(published, abs=0.01)
    draws = repeats(lambda rng, shape: rng.normal(0.0, 1.0, shape), 5)
    found = np.mean([p_values.equivalence_p(x, margin) < 0.05 for x in draws])
    assert found == pytest.approx(expected, abs=0.035)


def test_number_of_seeds_is_the_smallest_that_reaches_the_power():
    n = stats.seeds_for_power(effect=0.4, sd=0.5)
    assert stats.power(0.4, 0.5, n) >= 0.8 > stats.power(0.4, 0.5, n - 1)
    n = stats.seeds_for_equivalence(margin=0.4, sd=0.5)
    assert stats.equivalence_power(0.4, 0.5, n) >= 0.8 > stats.equivalence_power(0.4, 0.5, n - 1)
    assert stats.seeds_for_power(effect=100.0, sd=0.5) == 5, "never fewer than five seeds"
    with pytest.raises(ValueError, match="10,000 seeds"):
        stats.seeds_for_power(effect=1e-6, sd=1.0)


@pytest.mark.parametrize("n", [8, 20])
@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_rank_correlation_covers_spearmans_true_value(n, rho):
    rng = np.random.default_rng(1)
    true = 6 / math.pi * math.asin(rho / 2)
    pairs = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], (1000, n))
    covered = np.mean([true in stats.rank_correlation(*pair.T) for pair in pairs])
    assert 0.92 <= covered <= 0.985


def test_rank_correlation_of_a_monotone_relation_keeps_a_finite_interval():
    found = stats.rank_correlation(range(6), np.exp(range(6)))
    assert found.estimate == found.high == 1
    assert 0 < found.low < 1
    falling = stats.rank_correlation(range(6), [-x for x in range(6)])
    assert falling.estimate == falling.low == -1
    assert falling.high == pytest.approx(-found.low)


def test_band_is_the_t_interval_at_each_point_and_nan_where_a_seed_diverged():
    curves = np.random.default_rng(0).normal(size=(5, 3))
    low, mean, high = stats.band(curves)
    for i in range(3):
        found = stats.mean_interval(curves[:, i])
        assert [low[i], mean[i], high[i]] == pytest.approx([found.low, found.estimate, found.high])
    curves[2, 1] = np.inf
    assert np.isnan(stats.band(curves)[1]).tolist() == [False, True, False]


def test_values_that_are_all_equal_give_a_point_and_a_sure_decision():
    same = [0.1] * 5
    found = stats.mean_interval(same)
    assert found.low == found.high == pytest.approx(0.1)
    assert p_values.mean_p(same, 0.0) == 0.0
    assert p_values.equivalence_p(same, 0.2) == 0.0
    assert p_values.equivalence_p(same, 0.05) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.mean_interval([1.0]), "at least 2 values"),
        (lambda: stats.mean_interval([1.0, math.nan]), r"values\[1\]=nan"),
        (lambda: stats.mean_interval([1.0, 2.0], level=1.5), "level=1.5"),
        (lambda: stats.log_differences([1.0, -1.0], [1.0, 1.0]), r"a\[1\]=-1.0"),
        (lambda: stats.log_differences([1.0], [1.0, 1.0]), "equal lengths"),
        (lambda: stats.proportion_interval(3, 2), "3 of 2"),
        (lambda: stats.proportion_interval(1, 2, method="wald"), "'wald'"),
        (lambda: p_values.proportion_p(1, 2, 1.5), "threshold=1.5"),
        (lambda: p_values.equivalence_p([1.0, 2.0], 0.0), "margin=0.0"),
        (lambda: stats.power(1.0, sd=0.0, n=5), "sd=0.0"),
        (lambda: stats.rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]), "not all equal"),
        (lambda: stats.geometric_interval([1.0, 0.0]), "positive"),
        (lambda: stats.band([1.0, 2.0]), r"shape \(seeds"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_their_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_band_on_a_log_scale_is_that_of_the_logarithms():
    curves = np.random.default_rng(1).lognormal(size=(5, 7))
    ours = stats.band(curves, scale="log")
    for point in range(7):
        interval = stats.geometric_interval(curves[:, point])
        expected = (interval.low, interval.estimate, interval.high)
        assert [curve[point] for curve in ours] == pytest.approx(expected)
    with pytest.raises(ValueError, match="positive"):
        stats.band([[1.0], [0.0]], scale="log")
    with pytest.raises(ValueError, match="scale='cubic'"):
        stats.band(curves, scale="cubic")


def test_intervals_of_groups_are_those_of_each():
    groups = {"a": [1.0, 2.0, 4.0], ("b", 2): [3.0, 5.0]}
    assert stats.mean_intervals(groups) == {k: stats.mean_interval(v) for k, v in groups.items()}
