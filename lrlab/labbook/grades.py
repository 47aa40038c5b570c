"""How much of a sentence that came true its verdicts bear out, as far as a rule can see.

A sentence is matched with verdicts by hand, and it can say more than they do. An effect that is
supported lies on its side by at least δ, and no other amount is tested; only an equivalence and a
share bound an amount themselves. A claim that did not hold says what is not so: less than its
opposite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from lrlab.claims import Judged, units
from lrlab.labbook.predictions import OTHERWISE, outcome, sense

FULL = "came true"
SIDE = "came true on its side; its amount is not judged"
FAILED = "came true in that a claim did not hold"

_PARTS = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "tenth": 10.0}
_COUNTS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}
_PER_CENT = re.compile(r"(\d[\d.]*|[a-z]+) ?(?:%|per cent\b|points?\b)")
_PART = re.compile(rf"\b({'|'.join(_PARTS)})\b")


def graded(says: str, foretold: Mapping[str, str] | str, claims: Mapping[str, Judged]) -> str:
    """What became of a sentence, as `predictions.outcome` says it, and how much of it came true.

    Args:
        says: the sentence.
        foretold: the verdict that it foretold of each claim, by slug, or "not judged".
        claims: those of the entry's claims that count, by slug.
    """
    found = outcome(foretold, {slug: claim.verdict for slug, claim in claims.items()})
    if isinstance(foretold, str) or found != FULL:
        return found
    return grade(says, foretold, claims)


def grade(says: str, foretold: Mapping[str, str], claims: Mapping[str, Judged]) -> str:
    """What is said of a sentence whose verdicts all came.

    Args:
        says: the sentence.
        foretold: the verdict that it foretold of each claim, by slug.
        claims: the claims of the entry, by slug.

    Returns:
        One of `FULL`, `SIDE` and `FAILED`.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> made = dict(values=[0.5, 0.6, 0.55, 0.45, 0.52], direction="greater", delta=0.01)
        >>> claim = Claim.effect("c", "A ends higher", unit="log ratio of losses", **made)
        >>> found = {"c": judge([claim], notebook="demo")[0]}
        >>> grade("A ends higher.", {"c": "supported"}, found)
        'came true'
        >>> grade("A ends a few per cent higher.", {"c": "supported"}, found)
        'came true on its side; its amount is not judged'
    """
    known = [(claims[slug], verdict) for slug, verdict in foretold.items() if slug in claims]
    if any(_failed(claim, verdict) for claim, verdict in known):
        return FAILED
    effects = [claim for claim, _ in known if claim.kind == "effect"]
    if len(effects) < len(known):  # an equivalence or a share bounds an amount itself
        return FULL
    tested = [amount for claim in effects for amount in _amounts(_rule_of(claim))]
    same = (any(math.isclose(a, b, rel_tol=0.05) for b in tested) for a in _amounts(says))
    return FULL if all(same) else SIDE


def _failed(claim: Judged, foretold: str) -> bool:
    """Whether a claim was foretold to fail; of a share that is the other side of its threshold."""
    return claim.kind in ("effect", "equivalence") and sense(foretold) == OTHERWISE


def _rule_of(claim: Judged) -> str:
    """The statement with δ, without the setting."""
    return f"{claim.statement} {units.at_least(unit=claim.unit, **claim.rule)}"


def _amounts(text: str) -> Iterable[float]:
    """The amounts that a text names, in per cent; NaN for "a few per cent"."""
    for word in _PER_CENT.findall(text):
        if word in _COUNTS:
            yield _COUNTS[word]
        elif word not in _PARTS:
            yield float(word.rstrip(".")) if word[0].isdigit() else math.nan
    yield from (_PARTS[word] for word in _PART.findall(text))
