"""Small multiples: a panel for each condition, its schedule under it, all on the same axes."""

import numpy as np
import pytest

from lrlab import plots
from lrlab.experiments import panels

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
