"""Figures of a sweep: where what was handed in ends up."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from lrlab import plots
from lrlab.labbook.sweeps import figures
from lrlab.sweep import Choice, LogUniform, Trial, Uniform

SPACE = {
    "peak_lr": LogUniform(1e-3, 1.0),
    "optimizer.momentum": Uniform(0.0, 0.9),
    "batch_size": Choice((16, 32, 64)),
}


def trial(number, outcome="completed", value=1.0, updates=100):
    return Trial(
        number=number,
        params={},
        outcome=outcome,
        value=value,
        steps=np.array([updates]),
        values=np.array([value]),
        began=0.0,
        seconds=0.0,
        run_key=None,
    )


@pytest.fixture
def ax():
    return plots.figure()[1]


def test_each_trial_is_a_line_through_its_positions_that_ends_at_its_value():
    positions = np.array([[0.0, 0.5, 1.0], [1.0, 0.25, 0.0], [0.5, 0.5, 0.5]])
    fig = figures.parallel_coordinates(SPACE, positions, [3.0, 1.0, 2.0], highlighted=1)
    (axes,) = fig.axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 4]
    drawn = {tuple(line.get_ydata()): line for line in lines}
    expected = {(*row, end) for row, end in zip(positions.tolist(), (1.0, 0.0, 0.5), strict=True)}
    assert set(drawn) == expected
    best = drawn[(1.0, 0.25, 0.0, 0.0)]
    assert best.get_linewidth() == max(line.get_linewidth() for line in lines)
    assert best.get_zorder() == max(line.get_zorder() for line in lines)
    colours = {sum(to_rgba(line.get_color())[:3]): line for line in lines}
    assert colours[min(colours)] is best  # the darkest
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["peak_lr", "momentum", "batch_size", "loss"]


def test_ticks_of_an_axis_stand_where_the_space_has_their_values():
    fig = figures.parallel_coordinates(SPACE, [[0.5, 0.5, 0.5]] * 2, [1.0, 2.0])
    ticks = {(text.xy[0], text.get_text()): text.xy[1] for text in fig.axes[0].texts}
    decades = {text: at for (column, text), at in ticks.items() if column == 0}
    assert decades == pytest.approx({"0.001": 0, "0.01": 1 / 3, "0.1": 2 / 3, "1": 1})
    options = {text: at for (column, text), at in ticks.items() if column == 2}
    assert options == {"16": 0, "32": 0.5, "64": 1}
    assert {ticks[3, text] for text in ("1", "1.5", "2")} == {0, 0.5, 1}


def test_importances_are_bars_with_their_intervals_the_largest_on_top(ax):
    shares = {"optimizer.betas.1": (0.0, 0.1, 0.2), "peak_lr": (0.5, 0.7, 0.9)}
    figures.importances(ax, shares)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["beta2", "peak_lr"]
    assert [bar.get_width() for bar in ax.patches] == [0.1, 0.7]
    intervals = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    assert intervals == [[0.0, 0.2], [0.5, 0.9]]


def test_the_lowest_so_far_holds_until_the_next_is_known(ax):
    figures.best_so_far(ax, [10, 20, 30], [3.0, 3.0, 1.0], xlabel="updates")
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_ydata()) == [3.0, 3.0, 1.0] and ax.get_xlabel() == "updates"


def test_a_bar_is_as_long_as_the_updates_of_its_trial_in_the_colour_of_its_outcome(ax):
    found = [trial(0, updates=80), trial(1, "stopped", updates=20), trial(2, "stopped", updates=9)]
    figures.timeline(ax, found, rungs=[20, 40])
    assert [bar.get_width() for bar in ax.patches] == [80, 20, 9]
    colours = [to_rgba(figures.OUTCOMES[one.outcome]) for one in found]
    assert [bar.get_facecolor() for bar in ax.patches] == colours
    assert [line.get_xdata()[0] for line in ax.lines] == [20, 40]
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["completed", "stopped"]
    assert ax.yaxis_inverted()


def test_values_above_the_top_and_diverged_ones_lie_on_the_upper_edge(ax):
    found = [trial(0, value=1.0), trial(1, value=9.0), trial(2, "diverged", value=math.inf)]
    figures.against_value(ax, [0.1, 0.2, 0.3], found, name="peak_lr", top=4.0)
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn == {"completed": [[0.1, 1.0], [0.2, 4.0]], "diverged": [[0.3, 4.0]]}
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "peak_lr"
