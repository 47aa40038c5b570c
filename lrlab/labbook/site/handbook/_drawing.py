"""Pictures of schedules as SVG that is part of the page and takes the page's colours and font.

The bytes depend on the schedules alone. Colours are classes that the stylesheet gives a value for
light and for dark pages; dashes repeat the distinction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Curve = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 8, 34
_DASHES = ("", "7 3", "2 2.5", "9 3 2 3", "12 4")


@dataclass(frozen=True)
class Panel:
    """One pair of axes with some curves.

    Args:
        title: what is varied.
        curves: functions of an integer array, by their label.
        stop: last step that is drawn.
        horizon: step to mark, None for no mark.
        log: whether the vertical axis is logarithmic.
        ylabel: what the vertical axis shows.
        steady: whether the vertical axis begins at 0.
    """

    title: str
    curves: Mapping[str, Curve]
    stop: int
    horizon: int | None = None
    log: bool = False
    ylabel: str = "learning rate"
    steady: bool = True


def figure(panel: Panel) -> str:
    """A panel with its title and its legend, as HTML.

    Args:
        panel: what to draw.

    Returns:
        A figure element whose SVG has its alternative text as a label.

    Example:
        >>> flat = Panel("A flat line", {"lr=1": lambda t: t * 0 + 1.0}, stop=10)
        >>> 'aria-label="A flat line. Learning rate' in figure(flat)
        True
    """
    steps = np.arange(panel.stop + 1)
    values = [np.asarray(curve(steps), dtype=float) for curve in panel.curves.values()]
    low, high, ticks = _axis(values, panel)
    svg = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt(panel))}">',
        *_frame(panel, low, high, ticks),
        *(
            f'<path class="curve curve-{i % len(_DASHES)}" {_dash(i)}'
            f'd="{_path(steps, y, panel, low, high)}"/>'
            for i, y in enumerate(values)
        ),
        "</svg>",
    ]
    legend = "".join(
        f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><path class="curve '
        f'curve-{i % len(_DASHES)}" {_dash(i)}d="M1 4H25"/></svg>{label_html(label)}</li>'
        for i, label in enumerate(panel.curves)
    )
    return (
        f'<figure class="lrlab-panel">{"".join(svg)}<figcaption><span>{label_html(panel.title)}'
        f"</span><ul>{legend}</ul></figcaption></figure>"
    )


def sketch(curve: Curve, stop: int) -> str:
    """A curve without axes, for a table whose row says what it is.

    Args:
        curve: function of an integer array.
        stop: last step that is drawn.
    """
    steps = np.arange(stop + 1)
    y = np.asarray(curve(steps), dtype=float)
    points = _thin(2 + 92 * steps / stop, 38 - 34 * y / y.max(), 0.1)
    return (
        '<svg class="lrlab-sketch" viewBox="0 0 96 40" aria-hidden="true">'
        f'<path class="axis" d="M2 2V38H94"/><path class="curve curve-0" d="{points}"/></svg>'
    )


def alt(panel: Panel) -> str:
    """What the panel shows, in words and numbers.

    Example:
        >>> alt(Panel("Rise", {"a": lambda t: t / 10}, stop=10, horizon=None))
        'Rise. Learning rate at steps 0 to 10. a: 0 at step 0, 1 at step 10.'
    """
    parts = []
    for label, curve in panel.curves.items():
        y = np.asarray(curve(np.arange(panel.stop + 1)), dtype=float)
        y, first = y[np.isfinite(y)], int(np.isfinite(y).argmax())
        peak = int(y.argmax())
        where = [0, *([peak] if peak > 0 and y[peak] > max(y[0], y[-1]) else []), len(y) - 1]
        points = ", ".join(f"{y[i]:.3g} at step {first + i}" for i in where)
        parts.append(f"{label.replace('`', '')}: {points}")
    unit = panel.ylabel.capitalize()
    scale = ", logarithmic axis" if panel.log else ""
    title = panel.title.replace("`", "")
    return f"{title}. {unit} at steps 0 to {panel.stop}{scale}. {'; '.join(parts)}."


def label_html(text: str) -> str:
    """Text as HTML, with code between backticks.

    Example:
        >>> label_html("`gamma=0.5`, twice")
        '<code>gamma=0.5</code>, twice'
    """
    pieces = escape(text, quote=False).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def _dash(i: int) -> str:
    dash = _DASHES[i % len(_DASHES)]
    return f'stroke-dasharray="{dash}" ' if dash else ""


def _axis(
    values: Sequence[npt.NDArray[np.float64]], panel: Panel
) -> tuple[float, float, list[float]]:
    values = [y[np.isfinite(y)] for y in values]
    top = max(y.max() for y in values)
    if panel.log:
        bottom = min(y[y > 0].min() for y in values)
        decades = range(int(np.floor(np.log10(bottom))), int(np.ceil(np.log10(top))) + 1)
        return 10.0 ** decades[0], 10.0 ** decades[-1], [10.0**d for d in decades]
    bottom = 0.0 if panel.steady else min(y.min() for y in values)
    unit = next(u for u in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5) if (top - bottom) / u <= 5)
    first, last = np.floor(bottom / unit + 1e-9), np.ceil(top / unit - 1e-9)
    ticks = [float(i * unit) for i in np.arange(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _frame(panel: Panel, low: float, high: float, ticks: Sequence[float]) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in ticks:
        y = _y(np.array([tick]), panel, low, high)[0]
        text = f"{tick:g}" if not panel.log else f"1e{round(np.log10(tick))}".replace("1e0", "1")
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{text}</text>')
    every = next(u for u in (1, 2, 5, 10, 20, 50, 100, 200, 250, 500) if panel.stop / u <= 6)
    for tick in range(0, panel.stop + 1, every):
        x = LEFT + (right - LEFT) * tick / panel.stop
        parts.append(f'<path class="tick" d="M{x:.1f} {bottom}v4"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{tick:,}</text>')
    if panel.horizon is not None and panel.horizon < panel.stop:
        x = LEFT + (right - LEFT) * panel.horizon / panel.stop
        parts.append(f'<path class="horizon" d="M{x:.1f} {TOP}V{bottom}"/>')
    middle = (LEFT + right) / 2
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>')
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 4}" text-anchor="middle">step</text>')
    parts.append(
        f'<text transform="translate(9 {(TOP + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(panel.ylabel)}</text>'
    )
    return parts


def _y(
    values: npt.NDArray[np.float64], panel: Panel, low: float, high: float
) -> npt.NDArray[np.float64]:
    if panel.log:
        values, low, high = np.log10(np.maximum(values, low)), np.log10(low), np.log10(high)
    share = (values - low) / (high - low)
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def _path(
    steps: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    panel: Panel,
    low: float,
    high: float,
) -> str:
    x = LEFT + (WIDTH - RIGHT - LEFT) * steps / panel.stop
    finite = np.isfinite(values)
    return _thin(x[finite], _y(values[finite], panel, low, high), 0.05)


def _thin(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], tolerance: float) -> str:
    """The polyline through fewer points, none of the others farther away than the tolerance."""
    kept = {0, len(x) - 1}
    pending = [(0, len(x) - 1)]
    while pending:
        i, j = pending.pop()
        inner = np.arange(i + 1, j)
        if not inner.size:
            continue
        dx, dy = x[j] - x[i], y[j] - y[i]
        away = np.abs(dx * (y[inner] - y[i]) - dy * (x[inner] - x[i])) / np.hypot(dx, dy)
        k = int(away.argmax())
        if away[k] > tolerance:
            middle = int(inner[k])
            kept.add(middle)
            pending += [(i, middle), (middle, j)]
    points = [(f"{x[i]:.1f}", f"{y[i]:.1f}") for i in sorted(kept)]
    points = [points[0], *(b for a, b in pairwise(points) if b != a)]
    return "M" + "L".join(f"{a} {b}" for a, b in points)
