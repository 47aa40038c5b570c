"""Rows of images, one for each condition."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lrlab.plots import style


def images(rows: Mapping[str, ArrayLike], *, width: float = 7.2) -> Figure:
    """Return a figure with a row of images for each condition.

    Args:
        rows: images by condition, each of shape (images, side, side), equally many, dark is high.
        width: of the figure in inches.

    Example:
        >>> len(images({"real": np.zeros((3, 8, 8)), "generated": np.zeros((3, 8, 8))}).axes)
        2
    """
    shape = np.asarray(next(iter(rows.values()))).shape
    with style():
        fig = Figure(figsize=(width, len(rows) * (width / shape[0] * 0.82 + 0.22)))
        axes = fig.subplots(len(rows), 1, squeeze=False)[:, 0]
    for ax, (name, pictures) in zip(axes, rows.items(), strict=True):
        framed = np.pad(np.asarray(pictures), ((0, 0), (1, 1), (1, 1)), constant_values=-1)
        ax.imshow(np.hstack(list(framed)), cmap="gray_r", interpolation="nearest")
        ax.set_title(name)
        ax.axis("off")
    return fig
