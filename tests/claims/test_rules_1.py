"""The first version of the rules still judges what it judged, as it did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from test_claims import SEEDS, around, effect

from lrlab import claims, stats
from lrlab.claims import Claim, _rules_1


def judge(*made):
    return claims.judge(made, notebook="demo", version=1)


@given(st.lists(st.tuples(SEEDS, st.sampled_from(["less", "greater", "same"])), max_size=5))
def test_holm_as_intervals_decides_what_the_procedure_on_p_values_does(drawn):
    made = [
        Claim.equivalence(f"c{i}", "same", values=values, margin=0.5)
        if direction == "same"
        else effect(f"c{i}", values, direction)
        for i, (values, direction) in enumerate(drawn)
    ]
    p = [_rules_1.p_value(c.kind, c.data, c.rule) for c in made]
    if any(abs(a - 0.05 / k) < 1e-6 for a in p for k in range(1, 6)):
        return  # exactly at the border
    decided = [c.verdict != "inconclusive" for c in judge(*made)]
    holm = multipletests(p, method="holm")[1] if p else np.empty(0)
    assert decided == (holm < 0.05).tolist()


def test_a_claim_is_judged_more_strictly_among_others():
    close = effect("close", around(-0.5, sd=0.5))
    alone = judge(close)[0]
    others = [effect(f"other{i}", around(-0.1, seed=i)) for i in range(9)]
    among = judge(close, *others)[0]
    assert alone.level == pytest.approx(0.95)
    assert among.level == pytest.approx(0.995)
    assert among.low < alone.low < alone.high < among.high
    assert among.holm == {"rank": 1, "of": 10}


def test_a_verdict_that_one_seed_decides_is_fragile():
    values = [-0.35, -0.5, -0.4, -0.6, 0.0]  # supported as a whole, not without the fourth
    sure = judge(effect(values=around(-0.5)))[0]
    [found] = judge(effect(values=values, delta=0.05))
    assert stats.mean_interval(values).high < -0.05
    assert found.verdict == "inconclusive (fragile)"
    assert "left out" in found.fragile[0]
    assert sure.fragile == []


def test_proportion_is_fragile_if_one_trial_less_turns_it():
    claim = Claim.proportion("p", "p", successes=6, n=6, direction="greater", threshold=0.5)
    assert judge(claim)[0].verdict == "inconclusive (fragile)"
