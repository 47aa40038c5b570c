"""Claims: a statement, a rule fixed before the run, what was measured, and a verdict.

Kinds and rules:

- *exact*: a closed form, an identity, a pinned behaviour. Supported if it holds, else
  contradicted.
- *effect*: supported if the interval of the mean lies beyond the smallest effect of interest δ in
  the claimed direction, contradicted if it lies wholly short of δ, else inconclusive.
- *equivalence*: supported if the interval lies within ±margin (two one-sided tests), contradicted
  if it lies wholly outside, else inconclusive.
- *proportion*: supported if the interval lies beyond the threshold in the claimed direction,
  contradicted if it lies wholly short of it, else inconclusive.
- *descriptive*: shown with n and spread; it has no verdict.

The claims of one entry are judged together (`settle`), and what they store is enough to judge them
again (`recompute`). `ledger` collects those of the entries that count; `check` holds the log
against itself and against the previous release. `sentences` reads what the documents that the
laboratory sets out from state, and which claims test it.
"""

from .cards import show, verdicts
from .claim import Claim
from .ledger import Problem, Row, check, ledger
from .sentences import Sentence, loose_ends, sentences
from .settle import Settled, recompute, settle

__all__ = [
    "Claim",
    "Problem",
    "Row",
    "Sentence",
    "Settled",
    "check",
    "ledger",
    "loose_ends",
    "recompute",
    "sentences",
    "settle",
    "show",
    "verdicts",
]
