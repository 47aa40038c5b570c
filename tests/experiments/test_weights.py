"""Colours of signed positions."""

import numpy as np

from lrlab.experiments.weights import diverging


def test_colours_of_signed_positions_go_from_blue_over_grey_to_orange():
    negative, zero, positive = (np.array(diverging(p)[:3]) for p in (-1, 0, 1))
    assert negative.argmax() == 2 and positive.argmax() == 0  # blue, red
    assert np.ptp(zero) < 0.01
