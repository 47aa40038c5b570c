"""What a checkup found, as a checklist that prints, and as a picture."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from lrlab.checkup._curves import Curves
from lrlab.checkup._finding import Finding
from lrlab.checkup._overfit import Heart
from lrlab.checkup._rates import Search
from lrlab.display import Pictured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = (
    "first loss against its expectation",
    "a small sample learned by heart",
    "a rate that makes the loss fall",
    "coarse search",
    "refined search",
    "the curves",
    "decision",
)
"""Titles of the seven steps."""


@dataclasses.dataclass(frozen=True, eq=False)
class Report(Pictured):
    """The checklist of seven steps, carried out. In a Jupyter cell it shows its picture.

    Args:
        findings: what is probably wrong, in the order of the steps; empty for a healthy training.
        says: what each step saw, one sentence each, seven of them.
        first_loss: loss at the first weights, a mean over batches.
        expected_loss: of guessing; None where it is not known.
        rate: the recipe's highest rate.
        heart: the small sample; None where it did not come to that.
        search: the search of the rate; None where it did not come to that.
        curves: training and held-out loss; None where it did not come to that.
    """

    findings: tuple[Finding, ...]
    says: tuple[str, ...]
    first_loss: float
    expected_loss: float | None
    rate: float
    heart: Heart | None = None
    search: Search | None = None
    curves: Curves | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the findings, each once, in order."""
        return tuple(dict.fromkeys(finding.kind for finding in self.findings))

    def __str__(self) -> str:
        count = len(self.findings)
        verdict = "nothing found" if not count else f"{count} finding" + "s" * (count > 1)
        lines = [f"checkup: {verdict}"]
        for number, (title, said) in enumerate(zip(STEPS, self.says, strict=True), start=1):
            here = [f for f in self.findings if f.step == number]
            mark = "✗" if here else ("–" if said.startswith("not done") else "✓")
            lines.append(f"  {mark} {number}. {title}: {said}")
            for finding in here:
                lines.append(f"      [{finding.kind}] {finding.evidence}")
                lines += [f"      probably: {finding.cause}", f"      do: {finding.remedy}"]
        return "\n".join(lines)

    __repr__ = __str__

    def figure(self) -> Figure:
        """Return the picture: the small sample, the search, the curves."""
        from lrlab.checkup._figure import draw

        return draw(self)
