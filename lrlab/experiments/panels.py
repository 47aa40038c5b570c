"""Small multiples: one panel for each condition, the schedule drawn under it; nothing computed."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lrlab.plots import style

STRIP = "#8a8a8a"


def panels(
    rates: Mapping[str, ArrayLike],
    *,
    epoch_steps: int = 1,
    columns: int = 4,
    width: float = 9.6,
    row_height: float = 2.5,
    label: str = "loss",
    log: bool = True,
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with one empty panel for each condition above its schedule.

    All panels share both axes, and so do all strips that show a schedule.

    Args:
        rates: the rate of each update by condition, each of shape (steps,).
        epoch_steps: updates in an epoch, the unit of the abscissa.
        columns: panels side by side.
        width: of the figure in inches.
        row_height: of a panel with its strip, in inches.
        label: of the panels' ordinate.
        log: whether it is logarithmic.

    Returns:
        The figure and the panels by condition.

    Example:
        >>> fig, axes = panels({"constant": [0.1] * 10, "linear": np.linspace(0.1, 0, 10)})
        >>> sorted(axes)
        ['constant', 'linear']
    """
    columns = min(columns, len(rates))
    rows = math.ceil(len(rates) / columns)
    highest = 1.1 * max(float(np.max(lr)) for lr in rates.values())
    with style():
        fig = Figure(figsize=(width, rows * row_height))
        grid = fig.add_gridspec(2 * rows, columns, height_ratios=[4, 1] * rows)
        found: dict[str, Axes] = {}
        panel = strip = None
        for number, (name, lr) in enumerate(rates.items()):
            row, column = divmod(number, columns)
            panel = fig.add_subplot(grid[2 * row, column], sharex=panel, sharey=panel)
            strip = fig.add_subplot(grid[2 * row + 1, column], sharex=panel, sharey=strip)
            panel.set_title(name)
            panel.tick_params(labelbottom=False, labelleft=column == 0, labelsize=8.5)
            strip.tick_params(labelleft=column == 0, labelsize=8.5)
            if log:
                panel.set_yscale("log")
            at = np.arange(np.size(lr)) / epoch_steps
            strip.fill_between(at, lr, color=STRIP, alpha=0.35, linewidth=0)
            strip.plot(at, lr, color="#444444", linewidth=1)
            strip.set_ylim(0, highest)
            strip.grid(visible=False)
            if column == 0:
                panel.set_ylabel(label)
                strip.set_ylabel("rate")
            if number + columns >= len(rates):
                strip.set_xlabel("epoch")
            found[name] = panel
    return fig, found
