"""Range tests: which learning rates are usable, with intervals, and which one to take.

`range_test` trains with a rate that grows (Smith, 2017, arXiv:1506.01186) and gives a `RangeTest`.
"""

from lrlab.range_test._band import Band, Edge, find_band
from lrlab.range_test._ramp import Trace, ramp
from lrlab.range_test._result import RULES, RangeTest
from lrlab.range_test._smoothing import smooth
from lrlab.range_test.collect import ramp_jobs, range_test
from lrlab.range_test.pilots import Suggestion

__all__ = [
    "RULES",
    "Band",
    "Edge",
    "RangeTest",
    "Suggestion",
    "Trace",
    "find_band",
    "ramp",
    "ramp_jobs",
    "range_test",
    "smooth",
]
