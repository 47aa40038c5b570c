"""Figures of a sweep: what was tried, what it led to, what it cost. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from numpy.typing import ArrayLike

from lrlab.plots import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrlab.sweep import Trial
    from lrlab.sweep._space import Space

OUTCOMES = {"completed": COLOURS[0], "stopped": "#9a9a9a", "diverged": COLOURS[1]}
"""The colour of each outcome of a trial."""

_MARKERS = {"completed": "o", "stopped": ".", "diverged": "x"}


def parallel_coordinates(
    space: Space,
    positions: ArrayLike,
    values: ArrayLike,
    *,
    label: str = "loss",
    width: float = 7.2,
    highlighted: int = 5,
) -> Figure:
    """Return a figure with an axis for each hyperparameter and a line for each trial.

    Axes of logarithmic ranges are logarithmic. The last axis is the value; lines are coloured by
    it, the darkest being the lowest, and the lowest ones are drawn thick.

    Args:
        space: the space, in the order of the axes.
        positions: where the trials lie, 0 to 1, shape (trials, hyperparameters).
        values: of the trials, finite, shape (trials,).
        label: what the value is.
        width: of the figure in inches.
        highlighted: how many of the lowest are thick.

    Returns:
        The figure.

    Example:
        >>> from lrlab.sweep import LogUniform
        >>> space = {"peak_lr": LogUniform(0.01, 1.0)}
        >>> fig = parallel_coordinates(space, [[0.0], [1.0]], [2.0, 1.0])
        >>> [label.get_text() for label in fig.axes[0].get_xticklabels()]
        ['peak_lr', 'loss']
    """
    x, y = np.asarray(positions, dtype=float), np.asarray(values, dtype=float)
    low, high = float(y.min()), float(y.max())
    place = (y - low) / (high - low) if high > low else np.zeros_like(y)
    lines = np.column_stack([x, place])
    fig, ax = figure(width=width, height=3.6)
    colours = mpl.colormaps["viridis"](0.8 * place)
    order = np.argsort(-y, kind="stable")
    for rank, i in enumerate(order):
        thick = rank >= len(order) - highlighted
        ax.plot(
            range(lines.shape[1]),
            lines[i],
            color=colours[i],
            linewidth=2.0 if thick else 0.7,
            alpha=1.0 if thick else 0.55,
            zorder=2 + rank / len(order),
        )
    ax.set_xlim(-0.35, lines.shape[1] - 0.75)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xticks(range(lines.shape[1]), [*map(_short, space), label])
    ax.set_yticks([])
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for column, searched in enumerate(space.values()):
        _axis(ax, column, _ticks(searched))
    shown = np.linspace(low, high, 5)
    _axis(
        ax,
        lines.shape[1] - 1,
        [(float(p), f"{v:.4g}") for p, v in zip(np.linspace(0, 1, 5), shown, strict=True)],
    )
    return fig


def importances(ax: Axes, intervals: Mapping[str, tuple[float, float, float]]) -> None:
    """Draw importances with their intervals, the largest on top.

    Args:
        ax: where.
        intervals: (low, middle, high) by hyperparameter.

    Example:
        >>> from lrlab import plots
        >>> ax = plots.figure()[1]
        >>> importances(ax, {"peak_lr": (0.5, 0.7, 0.9), "batch_size": (0.0, 0.1, 0.2)})
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['batch_size', 'peak_lr']
    """
    rows = sorted(intervals, key=lambda name: intervals[name][1])
    for row, name in enumerate(rows):
        low, middle, high = intervals[name]
        ax.barh(row, middle, color=COLOURS[0], height=0.55, alpha=0.35)
        ax.plot([low, high], [row, row], color=COLOURS[0], linewidth=1.6)
        ax.plot(middle, row, "o", color=COLOURS[0], markersize=4)
    ax.set_yticks(range(len(rows)), list(map(_short, rows)))
    ax.set_xlim(0, 1)
    ax.set_xlabel("importance (share)")
    ax.grid(False, axis="y")


def best_so_far(ax: Axes, x: ArrayLike, values: ArrayLike, *, xlabel: str) -> None:
    """Draw the lowest value so far as a staircase.

    Args:
        ax: where.
        x: where each value was known, such as the trial's number or the updates spent, rising.
        values: the lowest so far at each, shape (trials,); NaN before there is one.
        xlabel: what `x` is.

    Example:
        >>> from lrlab import plots
        >>> ax = plots.figure()[1]
        >>> best_so_far(ax, [10, 20], [3.0, 1.0], xlabel="updates")
        >>> ax.get_ylabel()
        'lowest value so far'
    """
    ax.step(x, values, where="post", color=COLOURS[0])
    ax.set(xlabel=xlabel, ylabel="lowest value so far")


def timeline(ax: Axes, found: Sequence[Trial], rungs: Sequence[int] = ()) -> None:
    """Draw each trial as a bar as long as the updates that it had.

    Args:
        ax: where.
        found: the trials.
        rungs: updates after which a rule judges; marked on each bar.

    Example:
        >>> from lrlab import plots
        >>> ax = plots.figure()[1]
        >>> from lrlab.sweep import Trial
        >>> one = Trial(0, {}, "completed", 0.5, np.array([80]), np.array([0.5]), 0.0, 0.0, None)
        >>> timeline(ax, [one], rungs=[20])
        >>> ax.patches[0].get_width()
        np.int64(80)
    """
    seen = set()
    for trial in found:
        colour = OUTCOMES.get(trial.outcome, "#444444")
        label = trial.outcome if trial.outcome not in seen else None
        seen.add(trial.outcome)
        ax.barh(
            trial.number, trial.updates, left=0, height=0.85, color=colour, linewidth=0, label=label
        )
    for rung in rungs:
        ax.axvline(rung, color="#444444", linewidth=0.8, linestyle=":")
    ax.invert_yaxis()
    ax.set(xlabel="updates", ylabel="trial")
    ax.legend(fontsize=8, loc="upper right")


def against_value(
    ax: Axes, x: ArrayLike, found: Sequence[Trial], *, name: str, top: float, log: bool = True
) -> None:
    """Draw the value of each trial against one of its hyperparameters, by outcome.

    Args:
        ax: where.
        x: the hyperparameter of each trial.
        found: the trials.
        name: of the hyperparameter.
        top: values above are drawn at the upper edge, diverged ones too.
        log: whether the abscissa is logarithmic.

    Example:
        >>> from lrlab import plots
        >>> ax = plots.figure()[1]
        >>> from lrlab.sweep import Trial
        >>> one = Trial(0, {}, "completed", 0.5, np.array([80]), np.array([0.5]), 0.0, 0.0, None)
        >>> against_value(ax, [0.1], [one], name="peak_lr", top=4.0)
        >>> ax.get_xlabel()
        'peak_lr'
    """
    where = np.asarray(x, dtype=float)
    for outcome, colour in OUTCOMES.items():
        chosen = [i for i, trial in enumerate(found) if trial.outcome == outcome]
        if not chosen:
            continue
        shown = [min(found[i].value, top) for i in chosen]
        ax.plot(
            where[chosen],
            shown,
            _MARKERS[outcome],
            color=colour,
            markersize=5,
            label=outcome,
            linestyle="none",
        )
    ax.set(xscale="log" if log else "linear", xlabel=_short(name), ylabel="value at the end")
    ax.legend(fontsize=8)


def _axis(ax: Axes, column: int, ticks: Sequence[tuple[float, str]]) -> None:
    ax.plot([column, column], [0, 1], color="#444444", linewidth=1, zorder=5)
    for place, text in ticks:
        ax.plot([column - 0.02, column], [place, place], color="#444444", linewidth=1, zorder=5)
        ax.annotate(
            text,
            (column, place),
            xytext=(-5, 0),
            textcoords="offset points",
            fontsize=8,
            ha="right",
            va="center",
            zorder=6,
            bbox={
                "boxstyle": "square,pad=0.1",
                "facecolor": "white",
                "edgecolor": "none",
                "alpha": 0.8,
            },
        )


def _ticks(searched: Any) -> list[tuple[float, str]]:
    options = getattr(searched, "options", None)
    if options is not None:
        last = len(options) - 1
        return [(i / last, str(option)) for i, option in enumerate(options)]
    if type(searched).__name__ == "LogUniform":
        first, last = np.ceil(np.log10(searched.low)), np.floor(np.log10(searched.high))
        decades = 10.0 ** np.arange(first, last + 1)
        if len(decades) >= 2:
            return [(searched.position(float(value)), f"{value:g}") for value in decades]
    values = np.linspace(searched.low, searched.high, 5)
    return [(searched.position(float(value)), f"{value:.4g}") for value in values]


def _short(name: str) -> str:
    return {"optimizer.betas.1": "beta2", "optimizer.betas.0": "beta1"}.get(
        name, name.rpartition(".")[2]
    )
