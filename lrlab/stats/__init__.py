"""Intervals, tests, power: the few statistics that the experiments need.

SciPy does the computing; this module fixes conventions. Samples are small
(five to thirty seeds), so intervals are exact or t intervals: the percentile bootstrap covers far
less than it says at these sizes.
"""

from lrlab.stats._intervals import (
    Interval,
    band,
    geometric_interval,
    mean_interval,
    mean_intervals,
    median_interval,
    proportion_interval,
    rank_correlation,
)
from lrlab.stats._outliers import outlier
from lrlab.stats._samples import log_differences
from lrlab.stats._sizing import equivalence_power, power, seeds_for_equivalence, seeds_for_power

__all__ = [
    "Interval",
    "band",
    "equivalence_power",
    "geometric_interval",
    "log_differences",
    "mean_interval",
    "mean_intervals",
    "median_interval",
    "outlier",
    "power",
    "proportion_interval",
    "rank_correlation",
    "seeds_for_equivalence",
    "seeds_for_power",
]
