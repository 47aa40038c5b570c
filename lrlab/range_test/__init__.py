"""Range tests: which learning rates are usable, with intervals, and which one to take.

`range_test` trains with a rate that grows (Smith, 2017, arXiv:1506.01186) and gives a `RangeTest`.
"""

from lrlab.range_test.band import Band as Band
from lrlab.range_test.band import Edge as Edge
from lrlab.range_test.band import find_band as find_band
from lrlab.range_test.collect import ramp_jobs as ramp_jobs
from lrlab.range_test.collect import range_test as range_test
from lrlab.range_test.pilots import Suggestion as Suggestion
from lrlab.range_test.ramp import Trace as Trace
from lrlab.range_test.ramp import ramp as ramp
from lrlab.range_test.result import RULES as RULES
from lrlab.range_test.result import RangeTest as RangeTest
from lrlab.range_test.smoothing import smooth as smooth

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
