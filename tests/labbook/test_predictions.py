"""Predictions are distributions, and an honest forecaster scores best."""

import numpy as np
import pytest
from scipy.stats import binom

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


def test_a_fragile_verdict_is_an_inconclusive_one_for_who_foretold_it():
    came = {"a": "inconclusive (fragile)"}
    assert predictions.outcome({"a": "inconclusive"}, came) == "came true"
    assert predictions.outcome({"a": "supported"}, came) == "open"
    assert predictions.chance_of({"supported": 0.9, "inconclusive": 0.1}, came["a"]) == 0.1


def test_a_forecaster_gains_nothing_by_the_words_of_a_claims_setting():
    like = ["seen here", "not seen here"] * 6
    own = ["supported", "smaller than δ"] * 6
    pairs = [
        ({word: 0.5, other: 0.5}, word)
        for words in (like, own)
        for word, other in zip(words, words[1:] + words[:1], strict=True)
    ]
    assert predictions.score(pairs).skill > 0.3
    plain = [(predictions.senses(p), predictions.sense(came)) for p, came in pairs]
    assert predictions.score(plain).skill == pytest.approx(0)


def drawn(n, sharpen=1.0, seed=3):
    rng = np.random.default_rng(seed)
    pairs = []
    for chances in rng.dirichlet([1, 1, 1], n):
        said = chances**sharpen / sum(chances**sharpen)
        words = ("seen here", "not seen here", "inconclusive")
        prediction = dict(zip(words, map(float, said), strict=True))
        pairs.append((prediction, str(rng.choice(words, p=chances))))
    return pairs


def test_a_reliable_forecaster_lies_within_what_chance_allows_and_a_bold_one_does_not():
    def outside(pairs):
        found = predictions.reliability(pairs)
        assert sum(one.n for one in found) == 3 * len(pairs)
        assert [one.said for one in found] == sorted(one.said for one in found)
        return sum(not one.low <= one.came <= one.high for one in found)

    assert outside(drawn(600)) <= 2 < 6 <= outside(drawn(600, sharpen=3.0))
    assert predictions.reliability([]) == []


def test_what_chance_allows_is_the_binomial_range_where_each_claim_has_one_probability():
    pairs = [({"supported": 0.7, "contradicted": 0.3}, "supported")] * 40
    by_mean = {round(one.said, 6): one for one in predictions.reliability(pairs)}
    low, high = (binom.ppf(q, 40, 0.7) / 40 for q in (0.05, 0.95))
    assert (by_mean[0.7].low, by_mean[0.7].high) == pytest.approx((low, high), abs=0.026)
    assert by_mean[0.7].came == 1.0 and by_mean[0.0].came == by_mean[0.0].high == 0.0


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
