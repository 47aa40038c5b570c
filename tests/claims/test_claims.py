"""A claim is judged by its rule alone, and can be judged again from what it stores."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from lrlab import claims
from lrlab.claims import About, Claim, Setting, render, rules

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
        (0.0, "less", "smaller than δ"),
        (0.3, "less", "contradicted"),
        (0.5, "greater", "supported"),
        (0.1, "greater", "inconclusive"),
        (-0.5, "greater", "contradicted"),
    ],
)
def test_effect_is_judged_by_where_its_interval_lies(mean, direction, verdict):
    assert judge(effect(values=around(mean), direction=direction))[0].verdict == verdict


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(0.0, "supported"), (0.1, "inconclusive"), (0.3, "different"), (-0.3, "different")],
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
    assert settled.of is None


@pytest.mark.parametrize("n", [1, 2, 4])
def test_nothing_is_decided_with_fewer_than_five_values(n):
    tight = [-1.0 + 1e-9 * i for i in range(5)]
    same = Claim.equivalence("same", "same", values=[0.0] * n, margin=1.0)
    few = Claim.proportion("few", "few", successes=0, n=n, direction="less", threshold=0.99)
    assert {c.verdict for c in judge(effect(values=tight[:n]), same, few)} == {"inconclusive"}
    assert judge(effect(values=tight))[0].verdict == "supported"


def test_proportion_without_trials_is_inconclusive():
    claim = Claim.proportion("p", "p", successes=0, n=0, direction="less", threshold=0.5)
    assert judge(claim)[0].verdict == "inconclusive"


def test_one_wrong_decision_in_an_entry_is_rarer_than_alpha():
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(500):
        made = [effect(f"c{i}", rng.normal(-0.1, 1.0, 6)) for i in range(4)]  # mean at the border
        wrong += any(c.verdict != "inconclusive" for c in judge(*made))
    assert wrong / 500 <= 0.05 + 0.03


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
    assert capsys.readouterr().out == "e  n=8  supported\nx  n=-  contradicted\n"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 0.4, "supported"),
        (-0.09, 0.09, "smaller than δ"),
        (0.01, 0.09, "smaller than δ"),  # an effect, but one that does not matter
        (-0.3, -0.2, "contradicted"),
        (-0.3, -0.01, "contradicted"),
        (-0.3, 0.05, "not by δ"),
        (-0.3, 0.2, "inconclusive"),
        (0.05, 0.2, "inconclusive"),
    ],
)
@pytest.mark.parametrize("direction", ["less", "greater"])
def test_the_first_row_of_the_table_that_fits_is_the_verdict(low, high, verdict, direction):
    sign = 1 if direction == "greater" else -1
    middle, wanted = (low + high) / 2, (high - low) / 2
    half = judge(effect(values=around(0, sd=1.0)))[0].high
    values = sign * around(middle, sd=wanted / half)
    assert judge(effect(values=values, direction=direction))[0].verdict == verdict


def test_an_interval_on_the_claimed_side_never_reads_contradicted():
    rng = np.random.default_rng(1)
    for _ in range(300):
        [found] = judge(effect(values=rng.normal(-0.05, 0.1, 8)))
        assert found.verdict != "contradicted" or found.low > 0


def test_all_tested_claims_share_one_level_and_the_others_none():
    made = [effect(f"c{i}", around(-0.5)) for i in range(4)]
    same = Claim.equivalence("same", "same", values=around(0), margin=0.5)
    number = Claim.descriptive("number", "a number", values=around(0))
    found = judge(*made, same, number)
    assert [c.of for c in found] == [5, 5, 5, 5, 5, None]
    assert [c.level for c in found] == pytest.approx([0.99] * 4 + [0.98, 0.95])


@pytest.mark.parametrize("values", [[0.5] * 6 + [0.51, 0.52], around(0.5)])
def test_diverged_or_tied_pairs_are_judged_by_a_sign_test(values):
    plain = effect("c", values, "greater")
    some = Claim.effect("c", "A", values=values, direction="greater", delta=0.1, diverged=1)
    tied = len(set(values)) < len(values) - 1
    assert judge(plain)[0].method == ("sign" if tied else "t")
    [found] = judge(some)
    assert found.method == "sign" and found.verdict == "supported"
    # 8 of 8 beyond δ: p = 2 / 2^8; the interval that inverts the sign test says the same.
    assert found.low == min(values) and found.high == max(values)
    assert judge(some, *(effect(f"o{i}", around(0)) for i in range(9)))[0].verdict == "inconclusive"


@pytest.mark.parametrize("values", [[-0.3] * 8, [-0.3] * 10 + [-0.29, -0.31]])
def test_an_interval_of_zero_width_is_refused_and_decides_nothing(values):
    same = Claim.equivalence("same", "same", values=values, margin=0.5)
    number = Claim.descriptive("number", "a number", values=values)
    lower, alike, told = judge(effect(values=values), same, number)
    for found in (lower, alike):
        assert (found.verdict, found.low, found.high) == ("inconclusive", None, None)
        assert found.estimate == -0.3 and found.fragile == []
        assert "its width would be zero" in render.card(found)
    assert told.verdict == "described" and told.low is not None


def test_without_an_interval_the_estimate_is_that_of_all_values():
    [found] = judge(effect(values=[-0.9, -0.3, -0.3, -0.3, -0.3]))  # too few for a sign test
    assert (found.low, found.estimate) == (None, -0.3)
    assert "width" not in render.card(found)


def test_the_sign_test_decides_as_the_binomial_does():
    rng = np.random.default_rng(2)
    for _ in range(200):
        values = rng.normal(0.15, 0.2, 9)
        made = Claim.effect("c", "A", values=values, direction="greater", delta=0.1, diverged=1)
        beyond = int((values > 0.1).sum())
        p = 2 * sum(math.comb(9, k) for k in range(beyond, 10)) / 2**9
        assert (judge(made)[0].verdict == "supported") == (p < 0.05)


def test_a_verdict_that_hangs_on_an_outlier_is_fragile_and_says_so():
    values = [*around(-0.02, sd=0.01, n=9), -0.5]
    with_it, without = (effect(values=v, direction="greater") for v in (values, values[:-1]))
    [found], [rest] = judge(with_it), judge(without)
    assert rules.verdict("effect", with_it.data, with_it.rule, 0.05) == "not by δ"
    assert rest.verdict == "smaller than δ" and rest.fragile == []
    assert found.verdict == "inconclusive (fragile)"
    assert found.fragile == ["value 10 is an outlier (Grubbs, 1 %); without it: smaller than δ"]


def test_an_undecided_verdict_that_hangs_on_an_outlier_is_fragile_and_says_so():
    made = effect(values=[*around(-0.5, sd=0.01, n=9), 1.0])
    [found] = judge(made)
    assert rules.verdict("effect", made.data, made.rule, 0.05) == "inconclusive"
    assert found.verdict == "inconclusive (fragile)"
    assert found.fragile == ["value 10 is an outlier (Grubbs, 1 %); without it: supported"]


@pytest.mark.parametrize(
    ("rest", "outlier", "verdict"), [(-0.5, -0.7, "supported"), (-0.1, 1.0, "inconclusive")]
)
def test_an_outlier_that_changes_nothing_leaves_a_verdict_alone(rest, outlier, verdict):
    [found] = judge(effect(values=[*around(rest, sd=0.01, n=9), outlier]))
    assert found.verdict == verdict and found.fragile == []


def test_in_a_setting_that_is_only_like_the_sources_a_verdict_reads_seen_or_not_seen():
    like, same = About(like="analogue"), About(like="same")
    values = around(-0.5), around(0.5), around(-0.1, sd=0.3)
    read = [
        [c.verdict for c in judge(*(effect(f"c{i}", v, about=about) for i, v in enumerate(values)))]
        for about in (like, same)
    ]
    assert read[0] == ["seen here", "not seen here", "inconclusive"]
    assert read[1] == ["supported", "contradicted", "inconclusive"]


def test_the_sentence_holds_setting_and_smallest_effect():
    about = About(Setting("LeNet on 3,500 digits", "SGD", "165 updates"), metric="test loss")
    made = Claim.effect(
        *("lower", "The cosine ends lower."),
        values=around(-0.5),
        direction="less",
        about=about,
        unit="log ratio of test losses",
    )
    said = "LeNet on 3,500 digits, SGD, 165 updates: The cosine ends lower, by at least 1 %."
    assert judge(made)[0].sentence == said
    assert made.rule["delta"] == claims.smallest_effect("test loss")


def test_an_equivalence_around_a_ratio_says_from_where_to_where_that_may_lie():
    middle, margin = math.log(1.1 * 1.02) / 2, math.log(1.1 / 1.02) / 2
    unit = f"log ratio of losses, less {middle:.3g}"
    rises = {"values": around(0.0, sd=0.001), "margin": margin}
    rate = {"unit": "log ratio of rates, less 1.7006", "values": around(0.0), "margin": 0.602}
    small, same, times = (
        Claim.equivalence(id, "The rise is small", **given)
        for id, given in (
            ("small", rises | {"unit": unit}),
            ("same", rises | {"unit": "log ratio of losses"}),
            ("times", rate),
        )
    )
    assert [claim.sentence for claim in judge(small, same, times)] == [
        "The rise is small, of 2 % to 10 %.",
        "The rise is small, to within a factor of 1.04.",
        "The rise is small, a factor of 3 to 10.",
    ]
    assert "log ratio of rates, less that of a factor of 5.48" in render.card(judge(times)[0])


@pytest.mark.parametrize(
    ("direction", "delta", "said"),
    [
        ("greater", 0.1, "11 %"),  # e^0.1 is 1.105, e^-0.1 is 0.905
        ("less", 0.1, "9.5 %"),
        ("less", 0.05, "4.9 %"),
        ("less", 0.01, "1 %"),
        ("less", 0.4055, "33 %"),
        ("greater", math.log(2), "a factor of 2"),
        ("less", math.log(2), "a factor of 2"),
    ],
)
def test_the_smallest_effect_is_said_in_the_direction_of_the_claim(direction, delta, said):
    given = {"values": around(0), "direction": direction, "delta": delta}
    [found] = judge(effect(unit="log ratio of losses", **given))
    assert found.sentence == f"A is lower, by at least {said}."


def test_what_was_taken_off_other_values_is_not_part_of_an_amount():
    given = {"values": around(0.0), "margin": 0.1, "unit": "power of the depth, minus −0.5"}
    [found] = judge(Claim.equivalence("half", "It falls as the root", **given))
    assert found.sentence == "It falls as the root, to within 0.1 power of the depth."


def test_another_delta_shows_its_reason_on_the_card():
    about = About(metric="test loss", reason="half of what the source claims")
    [found] = judge(effect(values=around(-0.5), about=about))
    assert "δ: half of what the source claims" in render.card(found)


def test_every_smallest_effect_has_a_unit_and_a_reason():
    for metric, row in claims.smallest_effects().items():
        assert row["delta"] > 0 and row["unit"] and len(row["reason"]) > 20, metric
    with pytest.raises(ValueError, match="metric='taste'"):
        claims.smallest_effect("taste")


def test_conclude_names_the_notebook_that_runs_and_compares_verdicts_alone(monkeypatch):
    shown = {}
    monkeypatch.setattr("lrlab.display.in_notebook", lambda: True)
    monkeypatch.setattr("lrlab.display.publish", lambda **kinds: shown.update(kinds))
    monkeypatch.setenv("LRLAB_NOTEBOOK", "wsd")
    claims.conclude([effect("e", around(-0.5)), Claim.exact("x", "x", holds=False)])
    assert [claim["id"] for claim in shown["metadata"]["lrlab_claims"]] == ["wsd.e", "wsd.x"]
    assert shown["text"] == "e  n=8  supported\nx  n=-  contradicted"
    monkeypatch.delenv("LRLAB_NOTEBOOK")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/someone/notebooks/cosine.py")
    claims.conclude([effect("e", around(-0.5))])
    assert shown["metadata"]["lrlab_claims"][0]["id"] == "cosine.e"
