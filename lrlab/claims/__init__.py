"""Claims: a statement, a rule fixed before the run, what was measured, and a verdict.

Kinds and rules:

- *exact*: a closed form, an identity, a pinned behaviour. Supported if it holds, else
  contradicted; shown apart from what was measured.
- *effect*, *equivalence*, *proportion*: tested, by the interval at the level that all tested claims
  of an entry share; see `lrlab.claims.rules` for the verdicts.
- *descriptive*: shown with n and spread; it has no verdict.

The claims of one entry are judged together (`judge`), and what they store is enough to judge them
again. The ledger of all of them belongs to `lrlab.labbook`.
"""

from lrlab.claims._power import power
from lrlab.claims.claim import Claim
from lrlab.claims.judge import Judged, judge
from lrlab.claims.render import conclude, show, verdicts
from lrlab.claims.rules import level
from lrlab.claims.setting import About, Setting, smallest_effect, smallest_effects

__all__ = ["About", "Claim", "Judged", "Setting", "conclude", "judge", "level", "power", "show"]
__all__ += ["smallest_effect", "smallest_effects", "verdicts"]
