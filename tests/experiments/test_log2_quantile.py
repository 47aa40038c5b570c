"""The label of a quantile against what its definition says."""

import math

import numpy as np
import pytest

from lrlab.experiments.log2_quantile import log2_quantile


@pytest.mark.parametrize("q", range(1, 7))
def test_the_label_of_a_level_is_the_log_of_its_tail_counted_from_the_median(q):
    below, above = 10.0**-q, 1 - 10.0**-q
    assert log2_quantile(below) == pytest.approx(math.log(2 * below, 2))
    assert log2_quantile(above) == pytest.approx(-math.log(2 * (1 - above), 2))
    assert log2_quantile(above) == pytest.approx(-log2_quantile(below))
    assert log2_quantile(0.5) == 0


def test_the_label_rises_with_the_level():
    levels = np.linspace(0.001, 0.999, 999)
    assert (np.diff(log2_quantile(levels)) > 0).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, math.nan])
def test_a_level_outside_the_open_interval_has_no_label(level):
    with pytest.raises(ValueError, match="levels must be in"):
        log2_quantile(level)
