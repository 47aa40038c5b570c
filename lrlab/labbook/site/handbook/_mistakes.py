"""Formulas that some sources print, beside the ones that were meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.labbook.site.handbook._drawing import Curve, Panel, figure
from lrlab.schedules import InverseSqrt, LinearDecayToZero, Schedule


@dataclass(frozen=True)
class Mistake:
    """A formula as it is printed, what it does, and the schedule that was meant.

    Args:
        written: the formula as TeX, with a first rate of 1 and a horizon of 1,000 where it has one.
        curve: the formula as a function of the steps.
        right: the schedule that was meant.
        source: key in the bibliography of a text that has it.
        why: what is wrong with it, as Markdown.
        steps: where the two are compared in numbers.
    """

    written: str
    curve: Curve
    right: Schedule
    source: str
    why: str
    steps: tuple[int, ...]


def _rising(t: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return t / 1000


def _infinite(t: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return 1 / np.sqrt(t)


MISTAKES: Mapping[str, Mistake] = {
    "LinearDecayToZero": Mistake(
        written=r"\eta_t = \eta_0\, \frac{t}{T}",
        curve=_rising,
        right=LinearDecayToZero(1.0, steps=1000),
        source="mtdickens2024",
        why="It is called a decay, but it rises: from 0 at the first step to the peak at the last. "
        "What is left of the horizon was meant, not what has gone of it: $1 - t/T$.",
        steps=(0, 1, 500, 999, 1000),
    ),
    "InverseSqrt": Mistake(
        written=r"\eta_t = \frac{\eta_0}{\sqrt{t}}",
        curve=_infinite,
        right=InverseSqrt(1.0, timescale_steps=100),
        source="mtdickens2024",
        why="At the first step, $t = 0$, it is infinite. Counted from 1 it is finite, but the "
        "rate then falls to a tenth within a hundred steps, however long the training is. A "
        "time scale $n$ mends both: $\\sqrt{n/(n + t)}$ starts at the peak, and is lower by "
        "$\\sqrt 2$ after $n$ steps.",
        steps=(0, 1, 100, 300, 1000),
    ),
}


def markdown(name: str) -> list[str]:
    """What is printed, what is wrong with it, and both in numbers, as lines of Markdown.

    Args:
        name: name of the schedule that was meant.
    """
    mistake = MISTAKES[name]
    steps = np.array(mistake.steps)
    rows = [
        f"| {step:,} | {_spoken(wrong)} | {_spoken(right)} |"
        for step, wrong, right in zip(
            steps, mistake.curve(steps), mistake.right(steps), strict=True
        )
    ]
    return [
        f"One finds it written, for example in {{cite:t}}`{mistake.source}`, as",
        "",
        "```{math}",
        mistake.written,
        "```",
        "",
        mistake.why,
        "",
        f"| Step | As written | `{type(mistake.right).__name__}` |",
        "| ---: | ---: | ---: |",
        *rows,
        "",
    ]


def picture(name: str) -> str:
    """Both formulas in one pair of axes, as HTML."""
    mistake = MISTAKES[name]
    curves = {f"`{type(mistake.right).__name__}`": mistake.right, "as written": mistake.curve}
    return figure(Panel("Wrong and right", curves, stop=1000))


def _spoken(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "infinite"
