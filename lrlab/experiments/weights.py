"""The colours of quantiles that have a sign."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.colors


def diverging(position: float) -> tuple[float, float, float, float]:
    """Return a colour for a signed position: blue below 0, grey at it, orange above.

    Args:
        position: in [−1, 1].

    Example:
        >>> diverging(0.0) != diverging(1.0) != diverging(-1.0)
        True
    """
    ends = ("#0A4A8A", "#5B9BD5", "#555555", "#E69F00", "#A63E00")
    return mpl.colors.LinearSegmentedColormap.from_list("signed", ends)((position + 1) / 2)
