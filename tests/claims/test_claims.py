"""A claim is judged by its rule alone, and can be judged again from what it stores."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab import claims, stats
from lrlab.claims import Claim, rules

SEEDS = st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=9)


def judge(*made, notebook="demo"):
    return claims.judge(made, notebook=notebook)


def effect(id="c", values=(), direction="less", delta=0.1, **more):
    return Claim.effect(id, "A is lower", values=values, direction=direction, delta=delta, **more)


def around(mean, sd=0.05, n=8, seed=0):
    x = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


@pytest.mark.parametrize(
    ("mean", "direction", "verdict"),
    [
        (-0.5, "less", "supported"),
        (-0.1, "less", "inconclusive"),
        (0.0, "less", "contradicted"),
        (0.5, "greater", "supported"),
        (0.1, "greater", "inconclusive"),
        (-0.5, "greater", "contradicted"),
    ],
)
def test_effect_is_judged_by_where_its_interval_lies(mean, direction, verdict):
    assert judge(effect(values=around(mean), direction=direction))[0].verdict == verdict


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(0.0, "supported"), (0.1, "inconclusive"), (0.3, "contradicted"), (-0.3, "contradicted")],
)
def test_equivalence_is_judged_by_where_its_interval_lies(mean, verdict):
    claim = Claim.equivalence("same", "A equals B", values=around(mean), margin=0.1)
    assert judge(claim)[0].verdict == verdict


@pytest.mark.parametrize(
    ("successes", "direction", "verdict"),
    [
        (20, "greater", "supported"),
        (11, "greater", "inconclusive"),
        (0, "greater", "contradicted"),
        (0, "less", "supported"),
    ],
)
def test_proportion_is_judged_by_where_its_interval_lies(successes, direction, verdict):
    claim = Claim.proportion(
        "most", "Most do", successes=successes, n=20, direction=direction, threshold=0.5
    )
    assert judge(claim)[0].verdict == verdict


def test_exact_claim_holds_within_its_tolerance_or_is_contradicted():
    near = Claim.exact("near", "x is 1", measured=1.01, expected=1, tolerance=0.02)
    far = Claim.exact("far", "x is 1", measured=[1, 1.01], expected=[1, 1])
    said = Claim.exact("said", "it raises", holds=False, detail="it did not")
    assert [c.verdict for c in judge(near, far, said)] == [
        "supported",
        "contradicted",
        "contradicted",
    ]


def test_descriptive_claim_has_a_spread_and_no_verdict():
    claim = Claim.descriptive("low", "Lower end", values=[0.01, 0.04], scale="log")
    [settled] = judge(claim)
    assert settled.verdict == "described"
    assert settled.estimate == pytest.approx(0.02)
    assert settled.holm is None


@pytest.mark.parametrize("n", [1, 2, 4])
def test_nothing_is_decided_with_fewer_than_five_values(n):
    tight = [-1.0 + 1e-9 * i for i in range(n)]
    same = Claim.equivalence("same", "same", values=[0.0] * n, margin=1.0)
    few = Claim.proportion("few", "few", successes=0, n=n, direction="less", threshold=0.99)
    assert {c.verdict for c in judge(effect(values=tight), same, few)} == {"inconclusive"}
    assert judge(effect(values=tight + [-1.0] * (5 - n)))[0].verdict == "supported"


def test_proportion_without_trials_is_inconclusive():
    claim = Claim.proportion("p", "p", successes=0, n=0, direction="less", threshold=0.5)
    assert judge(claim)[0].verdict == "inconclusive"


@given(st.lists(st.tuples(SEEDS, st.sampled_from(["less", "greater", "same"])), max_size=5))
def test_holm_as_intervals_decides_what_the_procedure_on_p_values_does(drawn):
    made = [
        Claim.equivalence(f"c{i}", "same", values=values, margin=0.5)
        if direction == "same"
        else effect(f"c{i}", values, direction)
        for i, (values, direction) in enumerate(drawn)
    ]
    p = [rules.p_value(c.kind, c.data, c.rule) for c in made]
    if any(abs(a - 0.05 / k) < 1e-6 for a in p for k in range(1, 6)):
        return  # exactly at the border
    decided = [c.verdict != "inconclusive" for c in judge(*made)]
    assert decided == (stats.holm(p) < 0.05).tolist()


def test_one_wrong_decision_in_an_entry_is_rarer_than_alpha():
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(500):
        made = [effect(f"c{i}", rng.normal(-0.1, 1.0, 6)) for i in range(4)]  # mean at the border
        wrong += any(c.verdict != "inconclusive" for c in judge(*made))
    assert wrong / 500 <= 0.05 + 0.03


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


def test_a_verdict_that_differs_on_a_foreign_processor_is_fragile(monkeypatch):
    made = effect("one", around(-0.5)), effect("two", around(-0.5))
    monkeypatch.setenv("LRLAB_FRAGILE", "demo.two, other.one")
    one, two = judge(*made)
    assert one.verdict == "supported"
    assert two.verdict == "inconclusive (fragile)"
    monkeypatch.delenv("LRLAB_FRAGILE")
    assert claims.recompute(two.to_dict()) == "inconclusive (fragile)", "it is stored"


@pytest.mark.parametrize("mean", [-0.5, -0.1, 0.2])
def test_verdict_is_recomputed_from_the_stored_numbers_alone(mean):
    made = [
        effect("effect", around(mean)),
        Claim.equivalence("same", "same", values=around(mean), margin=0.3),
        Claim.proportion("p", "p", successes=19, n=20, direction="greater", threshold=0.5),
        Claim.exact("e", "e", measured=mean, expected=-0.5),
        Claim.descriptive("d", "d", values=around(mean)),
    ]
    for settled in judge(*made):
        stored = json.loads(json.dumps(settled.to_dict(), allow_nan=False))
        assert claims.Judged.from_dict(stored) == settled
        assert claims.recompute(stored | {"verdict": "?"}) == settled.verdict


def test_a_value_changed_by_hand_changes_the_recomputed_verdict():
    stored = judge(effect(values=around(-0.5)))[0].to_dict()
    stored["data"]["values"][0] = 5.0
    assert claims.recompute(stored) != stored["verdict"]


def test_ids_are_unique_and_carry_the_notebook():
    assert judge(effect("a", around(0)), notebook="onecycle")[0].id == "onecycle.a"
    with pytest.raises(ValueError, match="two claims have one id"):
        judge(effect("a", around(0)), effect("a", around(0)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: effect("a b", [1.0]), "id='a b'"),
        (lambda: effect(values=[1.0, math.inf]), r"values\[1\]=inf.*diverged"),
        (lambda: effect(values=[]), "shape"),
        (lambda: effect(values=[1.0], direction="up"), "direction='up'"),
        (lambda: effect(values=[1.0], delta=-1), "delta=-1"),
        (lambda: Claim.equivalence("e", "e", values=[1.0], margin=0), "margin=0"),
        (lambda: Claim.exact("e", "e"), "either holds"),
        (lambda: Claim.exact("e", "e", holds=True, measured=1, expected=1), "either holds"),
        (lambda: Claim.exact("e", "e", measured=[1, 2], expected=[1]), "equal lengths"),
        (lambda: Claim.exact("e", "e", measured=math.nan, expected=1), "finite"),
        (lambda: Claim.descriptive("d", "d", values=[0.0], scale="log"), "positive"),
        (lambda: Claim.descriptive("d", " ", values=[0.0]), "needs a statement"),
        (
            lambda: Claim.proportion("p", "p", successes=3, n=2, direction="less", threshold=0.5),
            "3 of 2",
        ),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_cards_carry_id_data_and_escaped_text(monkeypatch):
    shown = {}
    monkeypatch.setattr("lrlab.display.publish", lambda **kinds: shown.update(kinds))
    settled = judge(Claim.exact("lt", "1 < 2 & 2 > 1", holds=True), effect("e", around(-0.5)))
    claims.show(settled)
    assert 'id="claim-lt"' in shown["html"]
    assert "1 &lt; 2 &amp; 2 &gt; 1" in shown["html"]
    assert shown["metadata"] == {"lrlab_claims": [c.to_dict() for c in settled]}
    assert "interval below −0.1 supports" in shown["text"]


def test_verdicts_print_id_n_and_verdict_only(capsys):
    claims.verdicts(judge(effect("e", around(-0.5)), Claim.exact("x", "x", holds=False)))
    assert capsys.readouterr().out == "demo.e  n=8  supported\ndemo.x  n=-  contradicted\n"
