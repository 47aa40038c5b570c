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


def test_without_an_interval_nothing_is_said_of_a_direction():
    assert said([-0.3]) == "not known, there are too few runs"


def test_a_mean_is_said_with_its_interval_in_per_cent_or_as_a_factor_at_the_level_asked_for():
    # by hand: the half-width of the 95 % interval of five values is 2.776 × 0.1/√5 = 0.1241
    values = [0.2 + d * math.sqrt(0.1**2 * 4 / 10) for d in (-2, -1, 0, 1, 2)]
    assert phrases.percent(values, 0.95) == "+22.1 % [+7.9, +38.3]"
    assert phrases.percent([-v for v in values], 0.95) == "−18.1 % [−27.7, −7.3]"
    assert phrases.factor(values, 0.95) == "1.22 [1.08, 1.38]"
    assert phrases.factor(values, 0.99) == "1.22 [0.994, 1.5]"
