"""Drafts of figures, for kernels whose pictures nobody looks at."""

from typing import Any

_DPI = 40


def draw_once() -> None:
    """Have figures saved from now on as they are, small: without finding room for each label.

    All that is on them is drawn, so that what can't be drawn fails as ever; but it is drawn once,
    and not several times to measure how much room its labels need.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    plain = {"figure.constrained_layout.use": False, "figure.autolayout": False}
    save = Figure.savefig

    def draft(figure: Figure, *arguments: Any, **options: Any) -> None:
        with rc_context(plain | {"savefig.bbox": "standard"}):
            figure.set_layout_engine(None)
            save(figure, *arguments, **options | {"dpi": _DPI, "bbox_inches": None})

    Figure.savefig = draft
