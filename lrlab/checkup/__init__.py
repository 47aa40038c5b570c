"""A checkup: the recipe for choosing hyperparameters as a checklist that finds mistakes.

`checkup` goes through seven steps, on a task of the laboratory or on a module of your own, and
gives a `Report` with findings: the evidence, the probable cause, what to do.
"""

from lrlab.checkup.curves import Curves as Curves
from lrlab.checkup.examine import checkup as checkup
from lrlab.checkup.finding import KINDS as KINDS
from lrlab.checkup.finding import Finding as Finding
from lrlab.checkup.overfit import Heart as Heart
from lrlab.checkup.rates import Search as Search
from lrlab.checkup.report import STEPS as STEPS
from lrlab.checkup.report import Report as Report
from lrlab.checkup.subject import softmax_floor as softmax_floor

__all__ = [
    "KINDS",
    "STEPS",
    "Curves",
    "Finding",
    "Heart",
    "Report",
    "Search",
    "checkup",
    "softmax_floor",
]
