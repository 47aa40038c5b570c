"""Range tests: which learning rates are usable, with intervals, and which one to take.

`range_test` trains with a rate that grows (Smith, 2017, arXiv:1506.01186) and gives a `RangeTest`.
"""

from lrlab.range_test._band import Band as Band
from lrlab.range_test._band import Edge as Edge
from lrlab.range_test._band import find_band as find_band
from lrlab.range_test._ramp import Trace as Trace
from lrlab.range_test._ramp import ramp as ramp
from lrlab.range_test._result import RULES as RULES
from lrlab.range_test._result import RangeTest as RangeTest
from lrlab.range_test._smoothing import smooth as smooth
from lrlab.range_test.collect import ramp_jobs as ramp_jobs
from lrlab.range_test.collect import range_test as range_test
from lrlab.range_test.pilots import Suggestion as Suggestion

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
