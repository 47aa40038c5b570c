"""What marks a place in a figure: ranges, lines to compare with, ticks; nothing is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from numpy.typing import ArrayLike


def shade(ax: Axes, low: float, high: float, label: str = "", colour: str = "#888888") -> None:
    """Shade a range of the abscissa, such as usable rates, or differences too small to matter.

    Args:
        ax: where to draw.
        low: lower end.
        high: upper end.
        label: in the legend; none if empty.
        colour: grey by default.

    Example:
        >>> from lrlab import plots
        >>> fig, ax = plots.figure()
        >>> shade(ax, 1e-3, 1e-1, "usable range", plots.COLOURS[2])
        >>> len(ax.patches)
        1
    """
    ax.axvspan(low, high, color=colour, alpha=0.16, linewidth=0, label=label or None, zorder=0)


def guide(ax: Axes, *, x: float | None = None, y: float | None = None, label: str = "") -> None:
    """Draw a thin dotted line at a value that the eye should compare with.

    Args:
        ax: where to draw.
        x: of a vertical line.
        y: of a horizontal line.
        label: in the legend; none if empty.

    Example:
        >>> from lrlab import plots
        >>> fig, ax = plots.figure()
        >>> guide(ax, y=1.0)
        >>> len(ax.lines)
        1
    """
    look: dict[str, Any] = {
        "color": "#777777",
        "linewidth": 0.9,
        "linestyle": ":",
        "label": label or None,
    }
    if x is not None:
        ax.axvline(x, **look)
    if y is not None:
        ax.axhline(y, **look)


def chance_line(ax: Axes, loss: float, label: str = "chance, ln 10") -> None:
    """Draw the loss of guessing as a horizontal line.

    Args:
        ax: where to draw.
        loss: in nats.
        label: written at its right end.

    Example:
        >>> from lrlab import plots
        >>> fig, ax = plots.figure()
        >>> chance_line(ax, 2.303)
        >>> ax.texts[0].get_text()
        'chance, ln 10'
    """
    ax.axhline(loss, color="#888888", linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    place: dict[str, Any] = {"xytext": (0, 2), "textcoords": "offset points", "ha": "right"}
    look: dict[str, Any] = {"va": "bottom", "color": "#666666", "fontsize": 8.5}
    ax.annotate(label, (1, loss), xycoords=("axes fraction", "data"), **place, **look)


def ticks(axis: Axis, values: ArrayLike) -> None:
    """Label an axis at these values, as plain numbers, and nowhere else.

    Args:
        axis: an axis of some axes; shared ones follow it.
        values: where.

    Example:
        >>> from lrlab import plots
        >>> fig, ax = plots.figure()
        >>> ax.set_xscale("log")
        >>> ticks(ax.xaxis, [64, 1024])
        >>> [label.get_text() for label in ax.get_xticklabels()]
        ['64', '1,024']
    """
    places = np.asarray(values, dtype=float)
    axis.set_ticks(places, [f"{value:,g}" for value in places])
    axis.set_ticks([], minor=True)
