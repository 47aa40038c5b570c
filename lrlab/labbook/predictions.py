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
