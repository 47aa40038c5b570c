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

The claims of one entry are judged together (`judge`), and what they store is enough to judge them
again (`recompute`). The ledger of all of them belongs to `lrlab.labbook`.
"""

from lrlab.claims.claim import Claim
from lrlab.claims.judge import Judged, judge, recompute
from lrlab.claims.render import show, verdicts

__all__ = ["Claim", "Judged", "judge", "recompute", "show", "verdicts"]
