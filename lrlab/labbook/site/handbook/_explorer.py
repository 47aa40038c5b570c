"""The explorer's markup: what the page shows where no script runs, and what a script builds on."""

from __future__ import annotations

from html import escape

from lrlab.labbook.site.handbook import _drawing as drawing
from lrlab.schedules import Cosine, Schedule, Warmup

# What the sliders show at first.
START: Schedule = Warmup(Cosine(0.1, steps=900), warmup_steps=100)

_LRLAB = """\
from lrlab.schedules import Cosine, Warmup, as_torch

schedule = Warmup(Cosine(peak_lr=0.1, steps=900), warmup_steps=100)
scheduler = as_torch(optimizer, schedule)  # step() after each update
"""
_TORCH = """\
import math

from torch.optim.lr_scheduler import LambdaLR


def rate(t):
    t = min(t, 1000)
    if t < 100:
        return 0.1 * t / 100
    return 0.1 * (1 + math.cos(math.pi * (t - 100) / 900)) / 2


# The optimizer has lr=1.0: LambdaLR multiplies it by the rate.
scheduler = LambdaLR(optimizer, rate)  # step() after each update
"""


def markup() -> str:
    """The explorer as HTML: a picture and code, which the script replaces by moving ones."""
    panel = drawing.Panel("A cosine behind a warmup", {"learning rate": START}, stop=1000)
    code = "".join(
        f"<h2>{title}</h2>"
        '<div class="highlight-python notranslate"><div class="highlight">'
        f'<pre tabindex="0" data-code="{name}">{escape(text, quote=False)}</pre></div></div>'
        for name, title, text in (
            ("lrlab", "With lrlab", _LRLAB),
            ("torch", "With PyTorch alone", _TORCH),
        )
    )
    return (
        '<div class="lrlab-explorer">'
        "<noscript><p>The sliders need JavaScript. Without it, this is a cosine over 1,000 steps "
        "behind a warmup of 100, and the code that makes it.</p></noscript>"
        f'<div class="lrlab-chart">{drawing.figure(panel)}</div>{code}</div>'
    )
