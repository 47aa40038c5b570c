"""What an answer says of a claim is what the claim's interval says."""

import math

from lrlab.claims import Claim
from lrlab.labbook import phrases


def said(values, **words):
    claim = Claim.effect("c", "A is lower", values=values, direction="less")
    return phrases.change(phrases.judged([claim])["c"], **words)


def test_a_change_has_the_sign_and_the_ends_of_the_interval_in_per_cent():
    # mean ±t s/√n of log ratios, by hand: -0.2 ± 2.776 × 0.1/√5 is [-0.3241, -0.0759]
    values = [-0.2 + d * math.sqrt(0.1**2 * 4 / 10) for d in (-2, -1, 0, 1, 2)]
    assert said(values) == "18 % lower [7.3, 28]"
    assert said([-v for v in values], higher="worse") == "22 % worse [7.9, 38]"


def test_no_direction_is_named_where_the_interval_holds_zero():
    assert said([-0.1, 0.1, 0.05, -0.05, 0.02]).startswith("not clearly different (+0.4 % [−")


def test_where_the_interval_holds_zero_the_words_are_those_of_the_verdict():
    unit = {"unit": "log ratio of losses"}
    tight, wide = ([d * spread for d in (-2, -1, 0, 1, 2)] for spread in (0.001, 0.1))
    below = [d - 0.015 for d in (-0.02, -0.01, 0.0, 0.01, 0.02)]
    less = {"direction": "less", "delta": 0.01}
    alike = {"margin": 0.01}
    found = {
        name: phrases.change(phrases.judged([make(name, "x", **unit, **given)])[name])
        for name, make, given in (
            ("same", Claim.equivalence, {"values": tight, **alike}),
            ("open", Claim.equivalence, {"values": wide, **alike}),
            ("small", Claim.effect, {"values": tight, **less}),
            ("not-by", Claim.effect, {"values": [-v for v in below], **less}),
            ("unclear", Claim.effect, {"values": wide, **less}),
            ("measured", Claim.descriptive, {"values": tight}),
        )
    }
    said = {name: text.partition(" (")[0] for name, text in found.items()}
    assert said == {
        "same": "the same to within 1 %",
        "open": "not clearly the same or different",
        "small": "the same to within 1 %",
        "not-by": "not lower by 1 % or more",
        "unclear": "not clearly different",
        "measured": "not clearly different",
    }
    assert found["same"].endswith(" (+0.0 % [−0.2, +0.2])") or found["same"].endswith(
        " (0.0 % [−0.2, +0.2])"
    )


def test_what_a_unit_says_was_taken_off_is_put_back_in_all_phrases():
    values = [d * 0.001 for d in (-2, -1, 0, 1, 2)]
    given = {
        "values": values,
        "direction": "less",
        "unit": "log ratio of losses, less that of 10 %",
    }
    [judged] = phrases.judged([Claim.effect("c", "A", **given)]).values()
    assert phrases.change(judged) == "10 % higher [9.8, 10]"
    assert phrases.estimate(judged).startswith("+10.00 % [")


def test_without_an_interval_nothing_is_said_of_a_direction():
    assert said([-0.3]) == "not known, there are too few runs"


def test_a_mean_is_said_with_its_interval_in_per_cent_or_as_a_factor_at_the_level_asked_for():
    # by hand: the half-width of the 95 % interval of five values is 2.776 × 0.1/√5 = 0.1241
    values = [0.2 + d * math.sqrt(0.1**2 * 4 / 10) for d in (-2, -1, 0, 1, 2)]
    assert phrases.percent(values, 0.95) == "+22.1 % [+7.9, +38.3]"
    assert phrases.percent([-v for v in values], 0.95) == "−18.1 % [−27.7, −7.3]"
    drawn = phrases.in_percent(values, 0.95)
    assert [round(x, 1) for x in (drawn.estimate, drawn.low, drawn.high)] == [22.1, 7.9, 38.3]
    assert phrases.factor(values, 0.95) == "1.22 [1.08, 1.38]"
    assert phrases.factor(values, 0.99) == "1.22 [0.994, 1.5]"


def test_one_ratio_is_the_same_change_in_all_phrases():
    """Of a log ratio of 0.0113 that is 1.14 %, and nowhere the 1.13 of its logarithm."""
    values = [0.0113 + d * 1e-6 for d in (-2, -1, 0, 1, 2)]
    claim = Claim.effect("c", "A", values=values, direction="greater", unit="log ratio of losses")
    [judged] = phrases.judged([claim]).values()
    assert phrases.percent(values, 0.95) == "+1.14 % [+1.14, +1.14]"
    assert phrases.estimate(judged) == "+1.14 % [+1.14, +1.14]"
    assert round(phrases.in_percent(values, 0.95).estimate, 2) == 1.14
    assert "+1.14\u00a0% " in phrases.inline(judged)
    assert phrases.change(judged) == "1.1 % higher [1.1, 1.1]"
    assert said([math.log(1.25) + d * 1e-6 for d in (-1, 0, 1)]).startswith("25 % higher")


def test_large_factors_are_written_out():
    values = [math.log(1020) + d for d in (-0.5, -0.2, 0, 0.2, 0.5)]
    assert phrases.factor(values, 0.95).startswith("1,020 [")
    claim = Claim.effect("c", "A", values=values, direction="greater", unit="log ratio of losses")
    [judged] = phrases.judged([claim]).values()
    assert phrases.estimate(judged).startswith("× 1,020 [")
    assert "e+" not in phrases.estimate(judged) + phrases.factor(values, 0.95)


def test_what_a_person_wrote_stays_and_what_a_computer_wrote_is_written_out():
    written = {
        "5e-05": "0.00005",
        "1e-5": "1e-5",
        "1.07e+08": "107,000,000",
        "−8.72e−05": "−0.0000872",
        "1e-12": "10⁻¹²",
        "lr-1e-05": "lr-1e-05",
        "name1e-05": "name1e-05",
        "3e+10": "3 × 10¹⁰",
    }
    assert {text: phrases.plain(text) for text in written} == written


def test_a_unit_in_per_cent_stands_by_its_number():
    values = [31.0, 32, 33, 34, 35]
    words = {"values": values, "direction": "greater", "unit": "% at evaluation 125"}
    [judged] = phrases.judged([Claim.effect("c", "A", **words)]).values()
    assert "33\u00a0% [31,\u00a035] at evaluation 125, n" in phrases.inline(judged)
    assert (
        phrases.unit_first("0.3 [0.1, 0.5], and 95 % of them") == "0.3 [0.1, 0.5], and 95 % of them"
    )
