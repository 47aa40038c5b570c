"""Figures of runs. What is drawn is handed in; nothing is computed here.

Colours are those of Okabe and Ito (2008), which readers with any colour vision can tell apart;
line styles repeat the distinction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444", "#B8A800")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), "-", "--")
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "figure.constrained_layout.use": True,
    "font.size": 9.5,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "savefig.facecolor": "white",
}

Bands = Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.2, height: float = 3.0, **layout: Any
) -> tuple[Figure, np.ndarray]:
    """Return a figure in the style of the book and its axes.

    Sets that style for what is drawn afterwards too, as `matplotlib.style.use` does.

    Args:
        rows: rows of panels.
        columns: columns of panels.
        width: of the figure in inches.
        height: of the figure in inches.
        **layout: further arguments of `matplotlib.figure.Figure.subplots`, such as ``sharex``.

    Returns:
        The figure, and its axes as an array of shape (rows, columns).

    Example:
        >>> fig, axes = figure(1, 2)
        >>> axes.shape
        (1, 2)
    """
    mpl.rcParams.update(_STYLE)
    fig = Figure(figsize=(width, height))
    axes = fig.subplots(rows, columns, squeeze=False, **layout)
    for ax in axes.flat:
        ax.tick_params(colors="#333333", labelsize=9)
    return fig, axes


def styles() -> Iterator[dict[str, Any]]:
    """Yield colour and line style of one condition after the other.

    Example:
        >>> next(styles())
        {'color': '#0072B2', 'linestyle': '-'}
    """
    for colour, dashes in cycle(zip(COLOURS, _DASHES, strict=True)):
        yield {"color": colour, "linestyle": dashes}


def bands(ax: Axes, x: ArrayLike, curves: Bands) -> None:
    """Draw curves with bands, one colour and line style each.

    Args:
        ax: where to draw.
        x: shared abscissa, shape (points,).
        curves: (low, centre, high) by label, as `lrlab.stats.band` gives them.

    Example:
        >>> fig, axes = figure()
        >>> bands(axes[0, 0], [0, 1], {"loss": ([0.1, 0.2], [0.3, 0.4], [0.5, 0.6])})
        >>> len(axes[0, 0].lines)
        1
    """
    for style, (label, (low, centre, high)) in zip(styles(), curves.items(), strict=False):
        ax.plot(x, centre, label=label, **style)
        ax.fill_between(x, low, high, color=style["color"], alpha=0.18, linewidth=0)


def learning_rates(ax: Axes, rates: Mapping[str, ArrayLike], *, staircase: bool = False) -> None:
    """Draw the learning rate of each update against the step.

    Args:
        ax: where to draw.
        rates: by label, shape (steps,).
        staircase: draw steps as the steps they are, not joined by slopes.

    Example:
        >>> fig, axes = figure()
        >>> learning_rates(axes[0, 0], {"linear": [1.0, 0.5]})
        >>> axes[0, 0].get_xlabel()
        'step'
    """
    for style, (label, lr) in zip(styles(), rates.items(), strict=False):
        drawing = "steps-post" if staircase else "default"
        ax.plot(np.arange(np.size(lr)), lr, label=label, drawstyle=drawing, **style)
    ax.set_xlabel("step")
    ax.set_ylabel("learning rate")


def intervals(
    ax: Axes,
    labels: Sequence[str],
    estimates: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    points: Sequence[ArrayLike] = (),
    reference: float | None = 0.0,
) -> None:
    """Draw estimates with intervals, one row each, the first on top.

    Args:
        ax: where to draw.
        labels: one for each row.
        estimates: shape (rows,).
        lows: lower ends, shape (rows,).
        highs: upper ends, shape (rows,).
        points: single values of each row, drawn small beneath the interval.
        reference: a vertical line, None for none.

    Example:
        >>> fig, axes = figure()
        >>> intervals(axes[0, 0], ["a", "b"], [1.0, 2.0], [0.5, 1.5], [1.5, 2.5])
        >>> [label.get_text() for label in axes[0, 0].get_yticklabels()]
        ['a', 'b']
    """
    rows = np.arange(len(labels))[::-1]
    if reference is not None:
        ax.axvline(reference, color="#888888", linewidth=1, zorder=1)
    for row, values in zip(rows, points, strict=False):
        ax.plot(values, np.full(np.size(values), row - 0.22), "|", color="#777777", markersize=6)
    estimates, lows, highs = (np.asarray(x, dtype=float) for x in (estimates, lows, highs))
    ax.errorbar(
        estimates,
        rows,
        xerr=[estimates - lows, highs - estimates],
        fmt="o",
        color=COLOURS[0],
        capsize=3,
        linewidth=1.6,
        zorder=3,
    )
    ax.set_yticks(rows, labels)
    ax.set_ylim(-0.7, len(labels) - 0.3)
    ax.grid(axis="y", visible=False)


def mark_band(ax: Axes, low: float, high: float, label: str, colour: str = COLOURS[2]) -> None:
    """Shade a range of learning rates on the abscissa and name it in the legend.

    Args:
        ax: where to draw.
        low: lower end.
        high: upper end.
        label: its name.
        colour: its colour.

    Example:
        >>> fig, axes = figure()
        >>> mark_band(axes[0, 0], 1e-3, 1e-1, "usable")
        >>> len(axes[0, 0].patches)
        1
    """
    ax.axvspan(low, high, color=colour, alpha=0.13, linewidth=0, label=label, zorder=0)


def guess_line(ax: Axes, loss: float, label: str = "guessing, ln 10") -> None:
    """Draw the loss of guessing as a horizontal line.

    Args:
        ax: where to draw.
        loss: in nats.
        label: written at its right end.

    Example:
        >>> fig, axes = figure()
        >>> guess_line(axes[0, 0], 2.303)
        >>> axes[0, 0].texts[0].get_text()
        'guessing, ln 10'
    """
    ax.axhline(loss, color="#888888", linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    ax.annotate(
        label,
        (1, loss),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        color="#666666",
        fontsize=8.5,
        xytext=(0, 2),
        textcoords="offset points",
    )
