"""Grubbs' test flags what published tables flag, and no more often than it says."""

import numpy as np
import pytest

from lrlab import stats


def flagged_at(n, distance):
    """Whether one value this many standard deviations (of all n) from the mean is flagged."""
    rest = np.array([1.0, -1.0] * n)[: n - 1]
    rest = rest - rest.mean()
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        x = np.append(rest, middle)
        low, high = (
            (middle, high) if (x[-1] - x.mean()) / x.std(ddof=1) < distance else (low, middle)
        )
    return stats.outlier(np.append(rest, high), 0.05) == n - 1


@pytest.mark.parametrize(("n", "critical"), [(5, 1.715), (8, 2.126), (10, 2.290), (20, 2.709)])
def test_the_critical_values_are_those_of_grubbs_two_sided_table_at_five_per_cent(n, critical):
    assert flagged_at(n, critical + 0.002)
    assert not flagged_at(n, critical - 0.002)


def test_a_normal_sample_is_flagged_as_rarely_as_the_level_says():
    rng = np.random.default_rng(0)
    rate = np.mean([stats.outlier(rng.normal(size=8), 0.01) is not None for _ in range(3000)])
    assert 0.004 < rate < 0.018


def test_equal_values_hold_no_outlier_and_two_values_are_too_few():
    assert stats.outlier([1.0] * 6) is None
    with pytest.raises(ValueError, match="at least 3"):
        stats.outlier([1.0, 2.0])
