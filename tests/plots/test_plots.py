"""Figures: what is drawn is what was handed in."""

import subprocess
import sys

import numpy as np
import pytest

from lrlab import plots
from lrlab.stats import Interval


def test_a_staircase_is_drawn_as_the_steps_it_is():
    _, ax = plots.figure()
    plots.learning_rates(ax, {"step": [1.0, 1.0, 0.5]}, staircase=True)
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    assert line.get_ydata().tolist() == [1.0, 1.0, 0.5]


def test_bands_are_drawn_from_low_to_high():
    _, ax = plots.figure()
    plots.bands(ax, [0, 1], {"a": ([0.0, 1.0], [1.0, 2.0], [2.0, 3.0])})
    assert ax.lines[0].get_ydata().tolist() == [1.0, 2.0]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 3.0)


def test_the_first_interval_is_on_top():
    _, ax = plots.figure()
    rows = {"a": Interval(1.0, 0.5, 1.75, 0.95, 5), "b": Interval(2.0, 1.5, 2.5, 0.95, 5)}
    plots.intervals(ax, rows, points={"b": [1.9, 2.2]})
    texts = [label.get_text() for label in ax.get_yticklabels()]
    at = dict(zip(texts, ax.get_yticks().tolist(), strict=True))
    assert at["a"] > at["b"]
    _, _, (bars,) = ax.containers[0]
    drawn = [segment.tolist() for segment in bars.get_segments()]
    assert drawn == [[[0.5, at["a"]], [1.75, at["a"]]], [[1.5, at["b"]], [2.5, at["b"]]]]
    assert [1.9, 2.2] in [list(line.get_xdata()) for line in ax.lines]
    with pytest.raises(KeyError, match="c"):
        plots.intervals(ax, rows, points={"c": [1.0]})


def test_a_log_axis_has_plain_numbers_without_further_ado():
    with plots.style():
        _, ax = plots.figure()
        ax.plot([1e-3, 1e-2, 1e-1], [0.2, 0.3, 0.5])
        ax.set(xscale="log", yscale="log")
        ax.figure.canvas.draw()
        for axis in (ax.xaxis, ax.yaxis):
            texts = [t.get_text() for t in (*axis.get_ticklabels(), *axis.get_minorticklabels())]
            said = [t for t in texts if t]
            assert said
            assert not any("10^" in t for t in said)


def test_panels_come_as_from_pyplot():
    assert plots.figure()[1].get_title() == ""
    assert plots.figure(1, 3)[1].shape == (3,)
    assert plots.figure(2, 1)[1].shape == (2,)
    assert plots.figure(2, 2)[1].shape == (2, 2)


def test_conditions_differ_in_colour_and_in_line():
    styles = [style for style, _ in plots.styled(range(6))]
    assert len({style["color"] for style in styles}) == 6
    assert len({str(style["linestyle"]) for style in styles}) == 6


def test_a_schedule_has_one_look_wherever_it_is_drawn_and_no_other_condition_has_it():
    looks = {name: str(style) for style, name in plots.styled(["a", "constant", "b", "cosine"])}
    again = {
        name: str(style) for style, (name, _) in plots.styled([("cosine", 1), ("constant", 2)])
    }
    assert looks["cosine"] == again["cosine"] and looks["constant"] == again["constant"]
    assert len(set(looks.values())) == 4
    assert len({str(style) for style, _ in plots.styled(plots._SCHEDULES)}) == len(plots._SCHEDULES)


def test_a_figure_has_the_same_bytes_each_time():
    import io

    def draw() -> bytes:
        fig, ax = plots.figure()
        plots.learning_rates(ax, {"a": np.arange(5)})
        buffer = io.BytesIO()
        fig.savefig(buffer, metadata={"Software": None})
        return buffer.getvalue()

    assert draw() == draw()


# A process in which the other libraries are loaded and nothing of ours; a fork of it for each call.
_STATE = """
import os, sys, warnings, matplotlib, optuna, torch, joblib, scipy.stats, tqdm
from optuna.logging import get_verbosity
def state():
    return dict(matplotlib.rcParams), list(warnings.filters), get_verbosity()
for call in sys.argv[1:]:
    if not os.fork():
        before = state()
        exec("import lrlab, lrlab." + call)
        print(call, *(a == b for a, b in zip(before, state())), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, call
"""
_CALLS = (
    "plots; lrlab.plots.figure()",
    "experiments.panels; lrlab.experiments.panels.panels({'a': [0.1, 0.2]})",
    "training",
    "display",
    "sweep.storage",
    "claims",
    "labbook.cli",
)


def test_importing_and_drawing_change_no_setting_of_another_library():
    command = [sys.executable, "-c", _STATE, *_CALLS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{call} True True True" for call in _CALLS]


def test_the_style_is_an_explicit_call():
    code = (
        "import matplotlib; from lrlab import plots; plots.use_style();"
        "print(matplotlib.rcParams['axes.spines.top'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
