"""Rows of images."""

import numpy as np

from lrlab.experiments.compare_schedules import images


def test_each_condition_has_a_row_with_its_images_side_by_side_in_order():
    real, generated = np.zeros((3, 4, 4)), np.arange(48.0).reshape(3, 4, 4)
    fig = images({"real": real, "generated": generated})
    assert [ax.get_title() for ax in fig.axes] == ["real", "generated"]
    drawn = np.asarray(fig.axes[1].images[0].get_array())
    assert drawn.shape == (6, 18)  # one pixel of frame around each
    for i in range(3):
        np.testing.assert_array_equal(drawn[1:-1, 6 * i + 1 : 6 * i + 5], generated[i])
