"""The error rate of the whole book, held against simulated books of known truth."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from lrlab.claims import Claim, judge
from lrlab.labbook.error_rate import error_rate, p_value, q_values
from lrlab.labbook.ledger import Row


def effects(means, rng, n=8, delta=0.0):
    made = [
        Claim.effect(f"c{i}", "A", values=rng.normal(m, 1, n), direction="greater", delta=delta)
        for i, m in enumerate(means)
    ]
    return judge(made, notebook="demo")


def test_q_values_are_those_of_statsmodels():
    claims = effects(np.linspace(0, 2, 30), np.random.default_rng(0))
    p = [p_value(c) for c in claims]
    assert q_values(claims) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_p_is_below_alpha_exactly_where_the_interval_leaves_the_boundary_out():
    rng = np.random.default_rng(1)
    for delta in (0.0, 0.3):
        for claim in effects(rng.normal(0, 1, 100), rng, delta=delta):
            [alone] = judge([Claim("x", "effect", "A", claim.data, claim.rule)], notebook="d")
            outside = alone.low > delta or alone.high < delta
            assert outside == (p_value(alone) < 0.05)


def test_the_share_of_wrong_directions_stays_below_the_rate():
    rng = np.random.default_rng(2)
    wrong = found = 0
    for _ in range(60):
        means = rng.choice([-0.8, -0.02, 0.02, 0.8], 40)
        claims = effects(means, rng)
        for claim, mean, q in zip(claims, means, q_values(claims), strict=True):
            if q < 0.05:
                found += 1
                wrong += np.sign(claim.estimate) != np.sign(mean)
    assert found > 100 and wrong / found < 0.05


def test_claims_never_in_doubt_are_counted_apart():
    rng = np.random.default_rng(3)
    claims = effects([0.0, 0.0, 1000.0], rng)
    rate = error_rate([Row(c, "2030-01-01-demo", "2030-01-01") for c in claims])
    assert (rate.tested, rate.near, rate.entries) == (3, 2, 1)
    assert rate.wrong_entries == pytest.approx(0.05)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_tied_values_are_tested_by_sign(shift):
    values = [0.0] * 6 + [1.0] * 3
    claim = Claim.effect("c", "A", values=values, direction="greater", delta=shift)
    [judged] = judge([claim], notebook="demo")
    assert judged.method == "sign"
    assert p_value(judged) == pytest.approx(0.5078125)  # 3 of 9, two-sided
