"""Small multiples: a panel for each condition, its schedule under it, all on the same axes."""

import numpy as np
import pytest

from lrlab import plots
from lrlab.plots import panels

RATES = {name: np.linspace(peak, 0, 6) for name, peak in [("a", 1.0), ("b", 3.0), ("c", 2.0)]}


def test_the_strip_under_a_panel_draws_the_schedule_of_its_condition():
    fig, found = panels.panels(RATES, epoch_steps=2, columns=2)
    assert [ax.get_title(loc="left") for ax in found.values()] == list(found) == list(RATES)
    strips = [ax for ax in fig.axes if ax not in found.values()]
    for (name, lr), strip in zip(RATES.items(), strips, strict=True):
        (line,) = strip.lines
        assert line.get_xdata().tolist() == [0, 0.5, 1, 1.5, 2, 2.5]  # epochs
        np.testing.assert_array_equal(line.get_ydata(), lr)
        panel = found[name].get_position()
        assert strip.get_position().y1 <= panel.y0
        assert strip.get_position().x0 == pytest.approx(panel.x0)


def test_all_panels_share_their_axes_and_all_strips_theirs():
    fig, found = panels.panels(RATES, columns=2)
    found["a"].set_ylim(0.5, 7)
    found["a"].set_xlim(0, 4)
    assert all(ax.get_ylim() == (0.5, 7) for ax in found.values())
    assert all(ax.get_xlim() == (0, 4) for ax in fig.axes)
    strips = [ax for ax in fig.axes if ax not in found.values()]
    assert {ax.get_ylim() for ax in strips} == {(0, 1.1 * 3.0)}


@pytest.mark.parametrize(("log", "scale"), [(True, "log"), (False, "linear")])
def test_the_ordinate_is_logarithmic_on_demand(log, scale):
    _, found = panels.panels(RATES, log=log, label="error")
    assert {ax.get_yscale() for ax in found.values()} == {scale}
    assert found["a"].get_ylabel() == "error" and found["b"].get_ylabel() == ""


def test_ticks_are_plain_numbers_where_they_were_asked_for():
    _, found = panels.panels(RATES)
    found["a"].set_ylim(0.01, 10)
    plots.ticks(found["a"].yaxis, [0.02, 0.5, 5])
    found["a"].figure.canvas.draw()
    assert [label.get_text() for label in found["a"].get_yticklabels()] == ["0.02", "0.5", "5"]
    assert found["a"].get_yticklabels(minor=True) == []


def test_colours_of_signed_positions_go_from_blue_over_grey_to_orange():
    negative, zero, positive = (np.array(panels.diverging(p)[:3]) for p in (-1, 0, 1))
    assert negative.argmax() == 2 and positive.argmax() == 0  # blue, red
    assert np.ptp(zero) < 0.01


def test_each_condition_has_a_row_with_its_images_side_by_side_in_order():
    real, generated = np.zeros((3, 4, 4)), np.arange(48.0).reshape(3, 4, 4)
    fig = panels.images({"real": real, "generated": generated})
    assert [ax.get_title() for ax in fig.axes] == ["real", "generated"]
    drawn = np.asarray(fig.axes[1].images[0].get_array())
    assert drawn.shape == (6, 18)  # one pixel of frame around each
    for i in range(3):
        np.testing.assert_array_equal(drawn[1:-1, 6 * i + 1 : 6 * i + 5], generated[i])
