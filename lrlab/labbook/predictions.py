r"""Predictions: probabilities of verdicts, written before the first look, and scored afterwards.

A notebook's header holds them::

    predictions:
      cosine-lower: {supported: 0.6, smaller than δ: 0.2, inconclusive: 0.2}

They are scored by the Brier score over the verdicts that could have come,
$\sum_v (p_v - [v \text{ came}])^2$, beside that of the base rates of all scored claims. Exact
claims are left out: they hold or they don't.
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
    true = sum(came[claim] == verdict for claim, verdict in known.items())
    undecided = sum(
        came[claim].startswith("inconclusive") and came[claim] != verdict
        for claim, verdict in known.items()
    )
    counts = {"came true": true, "open": undecided, "did not": len(known) - true - undecided}
    said = {word: n for word, n in counts.items() if n}
    if len(said) == 1:
        return "did not come true" if "did not" in said else next(iter(said))
    return ", ".join(
        f"{word} of {n} claim{'s' * (n > 1 and not i)}" if not i else f"{word} of {n}"
        for i, (word, n) in enumerate(said.items())
    )


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
