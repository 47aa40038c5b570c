"""Stored claims are judged again by the version of the rules that judged them, as it did."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lrlab import claims, stats
from lrlab.claims import Claim, rules
from lrlab.claims.judge import judge_together
from lrlab.labbook import _rules_1, _rules_2, stored_claims

SEEDS = st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=9)


def effect(id="c", values=(), direction="less", delta=0.1):
    return Claim.effect(id, "A is lower", values=values, direction=direction, delta=delta)


def around(mean, sd=0.05, n=8, seed=0):
    x = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def judge(*made):
    return stored_claims.judge_first({f"demo.{claim.id}": claim for claim in made})


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


@pytest.mark.parametrize("mean", [-0.5, -0.1, 0.2])
def test_verdict_is_recomputed_from_the_stored_numbers_alone(mean):
    made = [
        effect("effect", around(mean)),
        Claim.equivalence("same", "same", values=around(mean), margin=0.3),
        Claim.proportion("p", "p", successes=19, n=20, direction="greater", threshold=0.5),
        Claim.exact("e", "e", measured=mean, expected=-0.5),
        Claim.descriptive("d", "d", values=around(mean)),
    ]
    for settled in claims.judge(made, notebook="demo"):
        stored = json.loads(json.dumps(settled.to_dict(), allow_nan=False))
        assert stored_claims.read(stored) == settled
        assert stored_claims.recompute(stored | {"verdict": "?"}) == settled.verdict


def test_a_value_changed_by_hand_changes_the_recomputed_verdict():
    stored = claims.judge([effect(values=around(-0.5))], notebook="demo")[0].to_dict()
    stored["data"]["values"][0] = 5.0
    assert stored_claims.recompute(stored) != stored["verdict"]


def test_a_claim_keeps_the_version_of_the_rules_that_judged_it():
    made = [effect("one", around(-0.01))]
    [old], [new] = judge(*made), claims.judge(made, notebook="demo")
    assert (old.verdict, new.verdict) == ("contradicted", "smaller than δ")
    assert "rules" not in old.to_dict() and new.to_dict()["rules"] == rules.VERSION
    stored = [old.to_dict(), new.to_dict() | {"id": "demo.two"}]
    assert [stored_claims.recompute(claim) for claim in stored] == [old.verdict, new.verdict]
    again = stored_claims.rejudge(stored)
    assert [claim.to_dict() for claim in again] == stored
    assert stored_claims.read(stored[0]) == old


EQUAL, WITH_ONE_FAR_OFF = [-0.3] * 8, [*around(-0.5, sd=0.01, n=9), 1.0]


@pytest.mark.parametrize(
    ("values", "before", "since"),
    [
        (EQUAL, "supported", "inconclusive"),
        (WITH_ONE_FAR_OFF, "inconclusive", "inconclusive (fragile)"),
        (around(-0.5), "supported", "supported"),
    ],
)
def test_a_claim_of_the_second_version_keeps_its_verdict_beside_one_of_today(values, before, since):
    made = effect("one", values)
    [old] = judge_together({"demo.one": made}, _rules_2)
    [new] = claims.judge([made], notebook="demo")
    assert (old.verdict, new.verdict, old.rules, new.rules) == (before, since, 2, rules.VERSION)
    stored = [old.to_dict(), new.to_dict() | {"id": "demo.two"}]
    assert [stored_claims.recompute(claim) for claim in stored] == [before, since]
    assert [claim.to_dict() for claim in stored_claims.rejudge(stored)] == stored


def test_a_stored_verdict_that_is_undecided_by_one_value_is_shown_as_fragile():
    [old] = judge_together({"demo.one": effect("one", WITH_ONE_FAR_OFF)}, _rules_2)
    [sure] = judge_together({"demo.one": effect("one", around(-0.1))}, _rules_2)
    shown = stored_claims.warned(stored_claims.read(old.to_dict()))
    assert shown.verdict == "inconclusive (fragile)" and "without it: supported" in shown.fragile[0]
    assert (shown.low, shown.high, shown.rules) == (old.low, old.high, 2)
    assert sure.verdict == "inconclusive" and stored_claims.warned(sure) is sure


def test_a_version_of_the_rules_that_nobody_knows_judges_nothing():
    stored = claims.judge([effect(values=around(-0.5))], notebook="demo")[0].to_dict()
    with pytest.raises(KeyError):
        stored_claims.recompute(stored | {"rules": 99})
