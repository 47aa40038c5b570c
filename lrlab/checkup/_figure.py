"""The picture of a checkup: a small sample by heart, the search of the rate, the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from lrlab import plots
from lrlab.checkup._overfit import LEARNED, bounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lrlab.checkup._report import Report


@plots.style()
def draw(report: Report) -> Figure:
    """Return three panels; one that a finding made pointless says so.

    Args:
        report: what was found.
    """
    fig, (heart, search, curves) = plots.figure(1, 3, height=2.9)
    heart.set(title="2. small sample", xlabel="update", ylabel="loss")
    search.set(title="3–5. rates", xlabel="learning rate", ylabel="loss after a short run")
    curves.set(title="6. curves", xlabel="update", ylabel="loss")
    if report.heart is None:
        _nothing(heart)
    else:
        heart.plot(report.heart.loss, color=plots.COLOURS[0])
        if bounded(report.heart.loss):
            heart.axhline(LEARNED * report.heart.loss[0], color="#888888", linestyle=":")
            heart.set_ylim(bottom=0)
    if report.search is None:
        _nothing(search)
    else:
        ends = report.search.ends
        shown = np.isfinite(ends)
        search.plot(report.search.rates[shown], ends[shown], "o-", color=plots.COLOURS[0])
        top = report.search.first
        lost = report.search.rates[~shown]
        search.plot(lost, np.full(len(lost), top), "x", color=plots.COLOURS[1], label="diverged")
        search.axvline(report.rate, color=plots.COLOURS[1], linewidth=1.2, label="the recipe's")
        search.set_xscale("log")
        room = 0.3 * (top - min([top, *ends[shown]]))
        search.set_ylim(top=top + (room or 0.3 * abs(top) or 1.0))
        search.legend()
    if report.curves is None:
        _nothing(curves)
    else:
        step, held_out = report.curves.step, report.curves.held_out
        curves.plot(step, report.curves.train, color=plots.COLOURS[0], label="train")
        curves.plot(step, held_out, "--", color=plots.COLOURS[1], label="held out")
        curves.legend()
    return fig


def _nothing(ax: Axes) -> None:
    ax.text(0.5, 0.5, "not done", ha="center", va="center", transform=ax.transAxes, color="#666666")
    ax.set_xticks([])
    ax.set_yticks([])
