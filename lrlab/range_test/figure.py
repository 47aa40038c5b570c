"""The picture of a range test: loss and gradient norm against the rate."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from lrlab import plots
from lrlab.range_test._advice import advice
from lrlab.range_test._ramp import Trace
from lrlab.range_test._smoothing import effect, pooled, smooth
from lrlab.range_test.pilots import score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrlab.range_test._result import RangeTest

__all__ = ["draw"]


@plots.style()
def draw(result: RangeTest) -> Figure:
    """Return the picture: raw losses, smoothed losses, band, pilots and suggestion.

    Args:
        result: the range test.

    Returns:
        The figure.

    Example:
        >>> from lrlab import Recipe, schedules, tasks
        >>> from lrlab.range_test import range_test
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=50, batch_size=16)
        >>> task = tasks.get("mnist1d", n_train=100)
        >>> fig = draw(range_test(task, recipe, seeds=2, pilots=0, store=None))
        >>> fig.axes[0].get_xscale()
        'log'
    """
    fig, (losses, norms) = plots.figure(2, 1, height=5.2, sharex=True, height_ratios=(2.2, 1))
    title = "\n".join(textwrap.fill(f"Next: {one}.", 84) for one in advice(result))
    losses.set_title(title, loc="left", fontsize=8.5)
    draw_losses(losses, result)
    for trace in result.traces:
        kept = np.isfinite(trace.grad_norm) & (trace.grad_norm > 0)
        norms.plot(trace.lr[kept], trace.grad_norm[kept], color=plots.COLOURS[0], alpha=0.4, lw=0.8)
    norms.set(yscale="log", ylabel="gradient norm", xlabel="learning rate")
    shown = np.concatenate([one.grad_norm[np.isfinite(one.grad_norm)] for one in result.traces])
    if shown.any():  # else a ramp that diverges takes the whole axis
        norms.set_ylim(top=min(2 * shown.max(), 1000 * np.median(shown[shown > 0])))
    _mark(norms, result)
    return fig


def draw_losses(ax: Axes, result: RangeTest, *, pilots: bool = True, legend: bool = True) -> None:
    """Draw the losses against the rate into given axes.

    Args:
        ax: where to draw; its abscissa becomes logarithmic.
        result: the range test.
        pilots: show the pilots.
        legend: show the legend.
    """
    n = len(result.traces)
    for trace in result.traces:
        lr, loss = effect(trace)
        ax.plot(lr, loss, ".", color=plots.COLOURS[0], alpha=0.15, markersize=2.5, zorder=1)
        ax.plot(*smooth(trace)[:2], color=plots.COLOURS[0], alpha=0.35, linewidth=0.9, zorder=2)
    lr, loss = pooled(result.traces)
    shown = np.isfinite(loss)
    name = f"ramp: median of {n} seeds" if n > 1 else "ramp, smoothed"
    ax.plot(lr[shown], loss[shown], color=plots.COLOURS[0], linewidth=2.2, zorder=3, label=name)
    ended = [trace for trace in result.traces if trace.stop_reason in ("nan", "inf", "diverged")]
    low, high = _limits(result)
    if ended:
        last = [trace.lr[-1] for trace in ended]
        name = f"ramp ended: {', '.join(sorted({trace.stop_reason for trace in ended}))}"
        look: dict[str, Any] = {"color": plots.COLOURS[1], "markersize": 6, "clip_on": False}
        ax.plot(last, np.full(len(ended), high), "x", label=name, zorder=5, **look)
    if pilots and result.pilots:
        _pilots(ax, result.pilots, high)
    if pilots and result.refined:
        _pilots(ax, result.refined, high, marker=".")
    _mark(ax, result)
    ax.set(xscale="log", ylim=(low, high), ylabel="loss on the next batch")
    if legend:
        ax.legend(loc="lower left")


def _pilots(ax: Axes, pilots: tuple[Trace, ...], high: float, marker: str = "D") -> None:
    scores = np.array([score(trace) for trace in pilots])
    name = f"pilots: {pilots[0].planned} updates at one rate"
    look: dict[str, Any] = {"markeredgecolor": "#5a3d00", "markersize": 5.5, "clip_on": False}
    rates, heights = [trace.lr[0] for trace in pilots], np.minimum(scores, high)
    ax.plot(rates, heights, marker, color=plots.COLOURS[4], label=name, zorder=4, **look)


def _limits(result: RangeTest) -> tuple[float, float]:
    """Losses from the lowest one shown to a little above the initial one."""
    curves = [trace.loss[:1] for trace in result.traces]
    first = np.mean(np.concatenate(curves))
    curves += [smooth(trace)[1] for trace in result.traces]
    curves += [np.array([score(trace) for trace in result.pilots])]
    shown = np.concatenate(curves)
    if not np.isfinite(first):
        return 0.0, 1.0
    lowest = float(shown[np.isfinite(shown)].min())
    room = 0.08 * max(first - lowest, 1e-12 * abs(first), 1e-300)
    return float(lowest - room), float(first + 8 * room)


def _mark(ax: Axes, result: RangeTest) -> None:
    band, suggestion = result.band, result.suggest()
    if band.low.lr is not None:
        top = band.high.lr if band.high.lr is not None else result.traces[0].planned_lr[-1]
        plots.shade(ax, band.low.lr, top, "band", plots.COLOURS[2])
    for edge in (band.low, band.high):
        if edge.lr is not None and edge.interval is not None:
            ax.axvline(edge.lr, color=plots.COLOURS[2], linewidth=0.9, zorder=1)
    if suggestion.lr is not None:
        colour, name = plots.COLOURS[1], f"suggestion, {suggestion.lr:.2g}"
        if (sure := suggestion.interval) is not None:
            name += f" [{sure.low:.2g}, {sure.high:.2g}]"
            ax.axvspan(sure.low, sure.high, color=colour, alpha=0.12, linewidth=0, zorder=0)
        ax.axvline(suggestion.lr, color=colour, linewidth=1.8, zorder=3, label=name)
    if result.edge is not None:
        name = r"$2(1+\beta)/\lambda_{\max}$ at the start"
        ax.axvline(result.edge, color=plots.COLOURS[3], linestyle="--", linewidth=1.5, label=name)
