"""Figures: what is drawn is what was handed in."""

import numpy as np

from lrlab import plots


def test_a_staircase_is_drawn_as_the_steps_it_is():
    _, ((ax,),) = plots.figure()
    plots.learning_rates(ax, {"step": [1.0, 1.0, 0.5]}, staircase=True)
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    assert line.get_ydata().tolist() == [1.0, 1.0, 0.5]


def test_bands_are_drawn_from_low_to_high():
    _, ((ax,),) = plots.figure()
    plots.bands(ax, [0, 1], {"a": ([0.0, 1.0], [1.0, 2.0], [2.0, 3.0])})
    assert ax.lines[0].get_ydata().tolist() == [1.0, 2.0]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 3.0)


def test_the_first_interval_is_on_top():
    _, ((ax,),) = plots.figure()
    plots.intervals(ax, ["a", "b"], [1.0, 2.0], [0.5, 1.5], [1.5, 2.5])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_yticks().tolist() == [1, 0]


def test_conditions_differ_in_colour_and_in_line():
    styles = [style for style, _ in zip(plots.styles(), range(6), strict=False)]
    assert len({style["color"] for style in styles}) == 6
    assert len({str(style["linestyle"]) for style in styles}) == 6


def test_a_figure_has_the_same_bytes_each_time():
    import io

    def draw() -> bytes:
        fig, ((ax,),) = plots.figure()
        plots.learning_rates(ax, {"a": np.arange(5)})
        buffer = io.BytesIO()
        fig.savefig(buffer, metadata={"Software": None})
        return buffer.getvalue()

    assert draw() == draw()
