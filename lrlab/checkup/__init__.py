"""A checkup: the recipe for choosing hyperparameters as a checklist that finds mistakes.

`checkup` goes through seven steps, on a task of the laboratory or on a module of your own, and
gives a `Report` with findings: the evidence, the probable cause, what to do.
"""

from lrlab.checkup._curves import Curves
from lrlab.checkup._examine import checkup
from lrlab.checkup._finding import KINDS, Finding
from lrlab.checkup._overfit import Heart
from lrlab.checkup._rates import Search
from lrlab.checkup._report import STEPS, Report
from lrlab.checkup._subject import softmax_floor

__all__ = ["KINDS", "STEPS", "Curves", "Finding", "Heart", "Report", "Search", "checkup"]
__all__ += ["softmax_floor"]
