"""Figures of runs. What is drawn is handed in; nothing is computed here.

Colours are those of Okabe and Ito (2008), which readers with any colour vision can tell apart;
line styles repeat the distinction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from itertools import cycle
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lrlab.plots._marks import chance_line, guide, shade, ticks
from lrlab.stats import Interval

__all__ = ["COLOURS", "band", "bands", "chance_line", "error_bars", "figure", "guide", "intervals"]
__all__ += ["learning_rates", "shade", "style", "styled", "ticks", "use_style"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444", "#B8A800")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), "-", "--")
_STYLE: Any = mpl.rc_params_from_file(
    str(resources.files("lrlab.plots") / "book.mplstyle"), use_default_template=False
)

Item = TypeVar("Item")
Bands = Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Return the style of the book as a context, which also decorates a function that draws.

    Example:
        >>> with style():
        ...     mpl.rcParams["axes.spines.top"]
        False
        >>> mpl.rcParams["axes.spines.top"]
        True
    """
    with mpl.rc_context(_STYLE):
        yield


def use_style() -> None:
    """Draw everything from here on in the style of the book, as a notebook's setup wants it.

    It changes matplotlib's `rcParams`, as `matplotlib.style.use` does; `style` is the same for a
    part of a program.

    Example:
        >>> with style():  # so that this example leaves no trace
        ...     use_style()
    """
    mpl.rcParams.update(_STYLE)


def figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float | None = None,
    height: float = 3.0,
    **layout: Any,
) -> tuple[Figure, Any]:
    """Return a figure and its axes, as `matplotlib.pyplot.subplots` does, outside of pyplot.

    Args:
        rows: rows of panels.
        columns: columns of panels.
        width: of the figure in inches; None: 7.2, or 9.6 for several columns.
        height: of the figure in inches.
        **layout: further arguments of `matplotlib.figure.Figure.subplots`, such as ``sharex``.

    Returns:
        The figure, and its axes: one, or an array of shape (panels,) for one row or one column,
        or of shape (rows, columns).

    Example:
        >>> fig, (left, right) = figure(1, 2)
        >>> fig, ax = figure(height=2.5)
    """
    with style():
        fig = Figure(figsize=(width or (9.6 if columns > 1 else 7.2), height))
        axes = fig.subplots(rows, columns, **layout)
        for ax in fig.axes:
            ax.tick_params(colors="#333333", labelsize=9)
    return fig, axes


_LOOKS = [
    {"color": colour, "linestyle": dashes}
    for colour, dashes in zip((*COLOURS, "#882255", "#117733"), (*_DASHES, "-.", ":"), strict=True)
]
_SCHEDULES = (  # one look for each in the whole book
    *("cosine", "linear", "one-cycle", "step", "exponential", "inverse square root", "constant"),
    *("constant, averaged", "WSD", "plateau"),
)
_ALSO = {"no schedule": "constant", "step decay": "step", "exponential decay": "exponential"}


def styled(items: Iterable[Item]) -> Iterator[tuple[dict[str, Any], Item]]:
    """Yield colour and line style of each condition, and the condition.

    A schedule has one look wherever it is drawn; other conditions have the looks in order that
    no schedule among the items has.

    Args:
        items: the conditions, in the order of the legend; a tuple is known by its first member.

    Example:
        >>> [(style["color"], name) for style, name in styled(["linear", "cosine", "other"])]
        [('#D55E00', 'linear'), ('#0072B2', 'cosine'), ('#009E73', 'other')]
    """
    known = dict(zip(_SCHEDULES, _LOOKS, strict=True))
    found = list(items)
    names = [item[0] if isinstance(item, tuple) else item for item in found]
    looks = [known.get(_ALSO.get(name, name)) if isinstance(name, str) else None for name in names]
    others = cycle([look for look in _LOOKS[: len(COLOURS)] if look not in looks] or _LOOKS)
    for item, look in zip(found, looks, strict=True):
        yield dict(look or next(others)), item


def band(
    ax: Axes, x: ArrayLike, curve: tuple[ArrayLike, ArrayLike, ArrayLike], **style: Any
) -> None:
    """Draw a curve with a band about it.

    Args:
        ax: where to draw.
        x: abscissa, shape (points,).
        curve: (low, centre, high), as `lrlab.stats.band` gives them.
        **style: arguments of `matplotlib.axes.Axes.plot`, the colour among them, such as those of
            `styled`.

    Example:
        >>> fig, ax = figure()
        >>> band(ax, [0, 1], ([0.1, 0.2], [0.3, 0.4], [0.5, 0.6]), label="loss")
        >>> ax.lines[0].get_label()
        'loss'
    """
    low, centre, high = curve
    [line] = ax.plot(x, centre, **style)
    ax.fill_between(x, low, high, color=line.get_color(), alpha=0.18, linewidth=0)


def bands(ax: Axes, x: ArrayLike, curves: Bands) -> None:
    """Draw curves with bands, one colour and line style each.

    Args:
        ax: where to draw.
        x: shared abscissa, shape (points,).
        curves: (low, centre, high) by label, as `lrlab.stats.band` gives them.

    Example:
        >>> fig, ax = figure()
        >>> bands(ax, [0, 1], {"loss": ([0.1, 0.2], [0.3, 0.4], [0.5, 0.6])})
        >>> len(ax.lines)
        1
    """
    for style, (label, curve) in styled(curves.items()):
        band(ax, x, curve, label=label, **style)


def learning_rates(ax: Axes, rates: Mapping[str, ArrayLike], *, staircase: bool = False) -> None:
    """Draw the learning rate of each update against the step.

    Args:
        ax: where to draw.
        rates: by label, shape (steps,).
        staircase: draw steps as the steps they are, not joined by slopes.

    Example:
        >>> fig, ax = figure()
        >>> learning_rates(ax, {"linear": [1.0, 0.5]})
        >>> ax.get_xlabel()
        'step'
    """
    for style, (label, lr) in styled(rates.items()):
        drawing = "steps-post" if staircase else "default"
        ax.plot(np.arange(np.size(lr)), lr, label=label, drawstyle=drawing, **style)
    ax.set_xlabel("step")
    ax.set_ylabel("learning rate")


def intervals(
    ax: Axes,
    rows: Mapping[str, Interval],
    *,
    points: Mapping[str, ArrayLike] | None = None,
    reference: float | None = 0.0,
) -> None:
    """Draw estimates with intervals, one row each, the first on top.

    Args:
        ax: where to draw.
        rows: the interval of each row, by label.
        points: single values of rows, by label, drawn small beneath the interval.
        reference: a vertical line, None for none.

    Raises:
        KeyError: if points are given for a label that is no row.

    Example:
        >>> from lrlab.stats import Interval
        >>> fig, ax = figure()
        >>> intervals(ax, {"a": Interval(1.0, 0.5, 1.5, 0.95, 8)}, points={"a": [0.9, 1.1]})
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['a']
    """
    at = {label: row for row, label in enumerate(reversed(list(rows)))}
    if reference is not None:
        ax.axvline(reference, color="#888888", linewidth=1, zorder=1)
    for label, values in (points or {}).items():
        height = np.full(np.size(values), at[label] - 0.22)
        ax.plot(values, height, "|", color="#777777", markersize=6)
    ends = np.array([(x.estimate, x.estimate - x.low, x.high - x.estimate) for x in rows.values()])
    look: dict[str, Any] = {"color": COLOURS[0], "capsize": 3, "linewidth": 1.6, "zorder": 3}
    ax.errorbar(ends[:, 0], list(at.values())[::-1], xerr=ends[:, 1:].T, fmt="o", **look)
    ax.set_yticks(list(at.values()), list(at))
    ax.set_ylim(-0.7, len(at) - 0.3)
    ax.grid(axis="y", visible=False)


def error_bars(
    ax: Axes, x: ArrayLike, rows: Iterable[Interval], *, label: str = "", **style: Any
) -> None:
    """Draw estimates with intervals against an abscissa, joined by a line.

    Args:
        ax: where to draw.
        x: abscissa, shape (points,).
        rows: the interval at each of them.
        label: in the legend; none if empty.
        **style: further arguments of `matplotlib.axes.Axes.errorbar`, such as those of `styled`.

    Example:
        >>> from lrlab.stats import mean_interval
        >>> fig, ax = figure()
        >>> error_bars(ax, [0.1], [mean_interval([1.0, 3.0])])
        >>> ax.lines[0].get_ydata().tolist()
        [2.0]
    """
    ends = np.array([(i.estimate, i.estimate - i.low, i.high - i.estimate) for i in rows])
    look: dict[str, Any] = {"marker": "o", "markersize": 4, "capsize": 2.5}
    look |= {"label": label or None} | style
    ax.errorbar(x, ends[:, 0], yerr=ends[:, 1:].T, **look)
