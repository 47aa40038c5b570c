r"""Predictions: probabilities of verdicts, written before the first look, and scored afterwards.

A notebook's header holds them::

    predictions:
      cosine-lower: {supported: 0.6, smaller than δ: 0.2, inconclusive: 0.2}

They are scored by the Brier score over what could have come, $\sum_v (p_v - [v \text{ came}])^2$,
beside that of the base rates of all scored claims. Which words a verdict can have depends on kind
and setting of its claim, so that over all claims three outcomes are told apart (`sense`): else the
base rates would be blamed for words that a claim can't get. Exact claims are left out: they hold or
they don't.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Prediction = Mapping[str, float]


@dataclass(frozen=True)
class Score:
    """How good a set of predictions was.

    Args:
        n: number of predicted claims that came to a verdict.
        brier: mean Brier score, 0 (certain and right) to 2 (certain and wrong).
        base: the same for predicting the base rates of these verdicts every time.
    """

    n: int
    brier: float
    base: float

    @property
    def skill(self) -> float:
        """1 - brier / base: 1 is perfect, 0 is no better than the base rates; NaN without base."""
        return 1 - self.brier / self.base if self.base else math.nan


def check(predictions: Mapping[str, Prediction]) -> None:
    """Raise a ValueError unless every prediction is a distribution over verdicts.

    Raises:
        ValueError: naming the claim and what is wrong.

    Example:
        >>> check({"lower": {"supported": 0.7, "inconclusive": 0.3}})
    """
    from lrlab.claims.rules import VERDICTS  # which computes, and most commands do not

    for claim, chances in predictions.items():
        unknown = sorted(set(chances) - set(VERDICTS))
        if unknown:
            raise ValueError(f"prediction of {claim!r}: {unknown[0]!r} is no verdict")
        if any(not 0 <= p <= 1 for p in chances.values()) or not math.isclose(
            sum(chances.values()), 1, abs_tol=1e-6
        ):
            raise ValueError(
                f"prediction of {claim!r}: probabilities must add up to 1, got {dict(chances)}"
            )


NOT_JUDGED = "not judged"
AS_CLAIMED, OTHERWISE, UNDECIDED = SENSES = "as claimed", "otherwise", "undecided"
_UNDECIDED = "inconclusive"


def check_foretold(sentences: Sequence[Mapping[str, Any]]) -> None:
    """Raise a ValueError unless each sentence of a prediction says what it foretold.

    A notebook that was written before predictions were probabilities maps each sentence of its
    prediction to the verdicts that it foretold, or to "not judged"::

        foretold:
          - {says: It ends lower., claims: {lower: supported}}
          - {says: It is a surprise., claims: not judged}

    Raises:
        ValueError: naming the sentence and what is wrong.

    Example:
        >>> check_foretold([{"says": "It ends lower.", "claims": {"lower": "supported"}}])
    """
    from lrlab.claims.rules import VERDICTS

    for sentence in sentences:
        if not isinstance(sentence, Mapping) or set(sentence) != {"says", "claims"}:
            raise ValueError(f"a sentence that was foretold needs says and claims, got {sentence}")
        claims = sentence["claims"]
        if claims == NOT_JUDGED:
            continue
        unknown = sorted(set(map(str, claims.values())) - set(VERDICTS))
        if unknown:
            raise ValueError(f"foretold {sentence['says']!r}: {unknown[0]!r} is no verdict")


def outcome(claims: Mapping[str, str] | str, came: Mapping[str, str]) -> str:
    """What became of a sentence of a prediction, in a few words.

    Args:
        claims: the verdict that was foretold of each claim, or "not judged".
        came: the verdict that each claim of the entry has.

    Example:
        >>> outcome({"a": "supported", "b": "supported"}, {"a": "supported", "b": "inconclusive"})
        'came true of 1 claim, open of 1'
    """
    if isinstance(claims, str):
        return NOT_JUDGED
    known = {claim: verdict for claim, verdict in claims.items() if claim in came}
    if not known:
        return NOT_JUDGED
    pairs = [(_plain(verdict), _plain(came[claim])) for claim, verdict in known.items()]
    true = sum(foretold == found for foretold, found in pairs)
    undecided = sum(found == _UNDECIDED != foretold for foretold, found in pairs)
    counts = {"came true": true, "open": undecided, "did not": len(known) - true - undecided}
    said = {word: n for word, n in counts.items() if n}
    if len(said) == 1:
        return "did not come true" if "did not" in said else next(iter(said))
    return ", ".join(
        f"{word} of {n} claim{'s' * (n > 1 and not i)}" if not i else f"{word} of {n}"
        for i, (word, n) in enumerate(said.items())
    )


def sense(verdict: str) -> str:
    """What a verdict says whatever its words: as claimed, otherwise, or undecided.

    Example:
        >>> sense("seen here"), sense("smaller than δ"), sense("inconclusive (fragile)")
        ('as claimed', 'otherwise', 'undecided')
    """
    if _plain(verdict) == _UNDECIDED:
        return UNDECIDED
    return AS_CLAIMED if verdict in ("supported", "seen here") else OTHERWISE


def senses(prediction: Prediction) -> dict[str, float]:
    """The probability of each of the three outcomes.

    Example:
        >>> senses({"supported": 0.5, "not by δ": 0.25, "smaller than δ": 0.25})
        {'as claimed': 0.5, 'otherwise': 0.5, 'undecided': 0}
    """
    return {one: sum(p for v, p in prediction.items() if sense(v) == one) for one in SENSES}


def chance_of(prediction: Prediction, came: str) -> float:
    """The probability that a verdict had; a fragile one is an inconclusive one.

    Example:
        >>> chance_of({"supported": 0.8, "inconclusive": 0.2}, "inconclusive (fragile)")
        0.2
    """
    return sum(p for verdict, p in prediction.items() if _plain(verdict) == _plain(came))


def _plain(verdict: str) -> str:
    return _UNDECIDED if verdict.startswith(_UNDECIDED) else verdict


def brier(prediction: Prediction, came: str) -> float:
    """The Brier score of one prediction, 0 to 2.

    Example:
        >>> round(brier({"supported": 0.8, "inconclusive": 0.2}, "supported"), 2)
        0.08
    """
    verdicts = {*prediction, came}
    return sum((prediction.get(v, 0.0) - (v == came)) ** 2 for v in verdicts)


def score(pairs: Sequence[tuple[Prediction, str]]) -> Score | None:
    """Score predictions against the verdicts that came; None without any.

    Args:
        pairs: a prediction and the verdict that came, one pair a claim.

    Example:
        >>> sure = [({"supported": 1.0}, "supported"), ({"inconclusive": 1.0}, "inconclusive")]
        >>> score(sure).skill
        1.0
    """
    if not pairs:
        return None
    counts = Counter(came for _, came in pairs)
    rates = {verdict: n / len(pairs) for verdict, n in counts.items()}
    return Score(
        len(pairs),
        sum(brier(prediction, came) for prediction, came in pairs) / len(pairs),
        sum(brier(rates, came) for _, came in pairs) / len(pairs),
    )


@dataclass(frozen=True)
class Bin:
    """Probabilities of about the same size, and how often what they spoke of came.

    Args:
        n: number of probabilities.
        said: their mean.
        came: share of them whose outcome came.
        low: lower end of where that share lies in nine of ten cases if the probabilities are right.
        high: upper end.
    """

    n: int
    said: float
    came: float
    low: float
    high: float


def reliability(pairs: Sequence[tuple[Prediction, str]], draws: int = 4000) -> list[Bin]:
    """How often what was given a probability came, by tenths of the probability.

    The probabilities of one claim are not independent, nor are they all alike within a tenth. What
    chance allows is therefore drawn: each claim's outcome from its own prediction.

    Args:
        pairs: a prediction and the verdict that came, one pair a claim.
        draws: how often all outcomes are drawn.

    Returns:
        The tenths that hold a probability, lowest first.

    Source:
        Bröcker and Smith (2007), *Weather and Forecasting* 22, 651-661.

    Example:
        >>> sure = [({"supported": 1.0}, "supported"), ({"inconclusive": 1.0}, "inconclusive")]
        >>> [(one.n, one.said, one.came) for one in reliability(sure)]
        [(4, 0.0, 0.0), (2, 1.0, 1.0)]
    """
    if not pairs:
        return []
    import numpy as np

    said = np.array([list(senses(prediction).values()) for prediction, _ in pairs])
    came = np.array([[sense(verdict) == one for one in SENSES] for _, verdict in pairs])
    drawn = np.random.default_rng(0).random((draws, len(pairs), 1)) * said.sum(1, keepdims=True)
    ends = said.cumsum(1)
    drawn = (ends - said <= drawn) & (drawn < ends)
    tenth = np.minimum((10 * said + 1e-9).astype(int), 9)
    found = []
    for number in np.unique(tenth):
        inside = tenth == number
        low, high = np.quantile(drawn[:, inside].mean(1), [0.05, 0.95])
        means = (float(x) for x in (said[inside].mean(), came[inside].mean(), low, high))
        found.append(Bin(int(inside.sum()), *means))
    return found
