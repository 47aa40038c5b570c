"""What so many repetitions can show, against simulation and counting."""

import re
from math import comb

import numpy as np
import pytest

from lrlab import stats
from lrlab.labbook import reach


def numbers(text):
    return [float(x) for x in re.findall(r"\d+(?:\.\d+)?", text)]


def test_the_power_of_a_share_is_that_of_counting_all_outcomes():
    n, true = 14, 0.93
    enough = [k for k in range(n + 1) if stats.proportion_interval(k, n, 0.99).low > 0.5]
    power = sum(comb(n, k) * true**k * (1 - true) ** (n - k) for k in enough)
    said = reach.of_share(n, "runs", level=0.99, true=(true,))
    assert f"{enough[0]} or more of {n} runs" in said
    assert f"power {power:.2f} where the true share is 93 %" in said


def test_a_share_below_a_threshold_is_the_mirror_of_one_above():
    above = reach.of_share(30, "runs", level=0.99, threshold=0.75, true=(0.98,))
    below = reach.of_share(30, "runs", level=0.99, threshold=0.25, direction="less", true=(0.02,))
    most = int(re.search(r"(\d+) or more", above)[1])
    assert f"{30 - most} or fewer of 30 runs" in below
    assert re.search(r"power (\S+)", above)[1] == re.search(r"power (\S+)", below)[1]


def test_too_few_repetitions_are_said_to_show_nothing():
    assert "can't be shown by 4 runs" in reach.of_share(4, "runs", level=0.99)
    assert "nothing can be shown" in reach.of_share(0, "pairs", level=0.99)


def test_a_spread_as_large_as_said_gives_the_power_in_simulated_intervals():
    n, tested, delta = 8, 6, 0.01
    largest = numbers(reach.of_mean(n, "regret", tested=tested, beyond=delta))[-1]
    draws = np.random.default_rng(0).normal(2 * delta, largest, (4000, n))
    level = 1 - 0.05 / tested
    lows = [stats.mean_interval(row, level).low for row in draws]
    assert np.mean(np.array(lows) > delta) == pytest.approx(0.8, abs=0.03)


def test_a_spread_as_large_as_said_gives_the_power_of_an_equivalence():
    n, tested, margin = 6, 4, 0.1
    largest = numbers(reach.of_mean(n, "exponent", tested=tested, within=margin))[-1]
    draws = np.random.default_rng(0).normal(0.0, largest, (4000, n))
    found = [stats.mean_interval(row, 1 - 0.1 / tested) for row in draws]
    inside = [-margin < one.low and one.high < margin for one in found]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)


def test_beyond_and_within_are_not_both_asked_for():
    with pytest.raises(ValueError, match="either beyond or within"):
        reach.of_mean(8, "regret", tested=1, beyond=0.1, within=0.1)
