"""Predictions are distributions, and an honest forecaster scores best."""

import numpy as np
import pytest

from lrlab.labbook import predictions


def test_what_is_no_distribution_over_verdicts_is_refused():
    predictions.check({"a": {"supported": 0.5, "inconclusive": 0.5}})
    for bad, why in (
        ({"supported": 0.5}, "add up to 1"),
        ({"supported": 1.5, "inconclusive": -0.5}, "add up to 1"),
        ({"proved": 1.0}, "'proved' is no verdict"),
    ):
        with pytest.raises(ValueError, match=why):
            predictions.check({"a": bad})


def test_the_brier_score_of_two_outcomes_is_twice_the_binary_one():
    for p in (0.0, 0.3, 1.0):
        both = predictions.brier({"supported": p, "inconclusive": 1 - p}, "supported")
        assert both == pytest.approx(2 * (1 - p) ** 2)
    assert predictions.brier({"supported": 1.0}, "contradicted") == 2.0


def test_the_honest_forecast_has_the_lowest_expected_score():
    rng = np.random.default_rng(0)
    truth = {"supported": 0.6, "inconclusive": 0.3, "contradicted": 0.1}
    came = rng.choice(list(truth), 4000, p=list(truth.values()))
    others = [
        {"supported": 1.0},
        {"supported": 0.4, "inconclusive": 0.3, "contradicted": 0.3},
        dict.fromkeys(truth, 1 / 3),
    ]
    honest, *rest = (predictions.score([(p, str(c)) for c in came]).brier for p in (truth, *others))
    assert honest < min(rest)


def test_the_base_rates_have_no_skill_and_nothing_predicted_has_no_score():
    pairs = [({"supported": 0.5, "inconclusive": 0.5}, v) for v in ("supported", "inconclusive")]
    assert predictions.score(pairs).skill == pytest.approx(0)
    assert predictions.score([]) is None


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ({"a": "supported", "b": "contradicted"}, "came true"),
        ({"a": "inconclusive", "b": "inconclusive (fragile)"}, "open"),
        ({"a": "contradicted", "b": "supported"}, "did not come true"),
        ({"a": "supported", "b": "inconclusive"}, "came true of 1 claim, open of 1"),
        ({"a": "supported", "b": "supported"}, "came true of 1 claim, did not of 1"),
        ({"other": "supported"}, "not judged"),
    ],
)
def test_what_became_of_a_sentence_that_was_foretold(came, said):
    assert predictions.outcome({"a": "supported", "b": "contradicted"}, came) == said


def test_a_sentence_that_nobody_judged_says_so():
    assert predictions.outcome("not judged", {"a": "supported"}) == "not judged"


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ({"says": "It falls."}, "needs says and claims"),
        ({"says": "It falls.", "claims": {"a": "likely"}}, "'likely' is no verdict"),
    ],
)
def test_a_sentence_that_foretells_nothing_that_can_be_judged_is_refused(sentence, what):
    with pytest.raises(ValueError, match=what):
        predictions.check_foretold([sentence])
