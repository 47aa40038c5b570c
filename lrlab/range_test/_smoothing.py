"""Smoothing without lag: means over the rates around a rate, in equal parts below and above it.

An exponential mean reports a fall late, at a rate that is too large. The mean here is symmetric in
the logarithm of the rate, and its kernel ends at a stated distance: where a loss crosses a level
once, the smoothed loss crosses it within `REACH` decades of there, a factor of 10^0.15 = 1.41.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrlab.range_test._ramp import Trace

REACH = 0.15
"""How far the kernel reaches to either side [decades of the rate]."""


def kernel_mean(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, reach: float = REACH
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean of y around each point of `at`, and the factor of its noise.

    The weights are Epanechnikov's, $1 - (x - a)^2 / h^2$ for \|x − a\| < h. Near an end of
    the data the kernel is made as narrow on the inner side as it has to be on the outer one, so
    that it stays symmetric. Where no point is in reach, the nearest one counts.

    Args:
        x: increasing positions, shape (n,).
        y: values, shape (n,); NaN makes NaN.
        at: positions of the means, shape (m,).
        reach: half-width h of the kernel, in the unit of x.

    Returns:
        Means, shape (m,), and standard deviations of a mean for independent noise of standard
        deviation 1, shape (m,).

    Example:
        >>> x = np.linspace(0, 1, 101)
        >>> mean, factor = kernel_mean(x, 2 * x, np.array([0.3]))
        >>> mean.round(6).tolist()
        [0.6]
    """
    room = np.minimum(at - x[0], x[-1] - at)
    h = np.clip(room, 1e-12, reach)[:, None]
    weights = np.maximum(0.0, 1 - ((x - at[:, None]) / h) ** 2)
    nearest = np.abs(x - at[:, None]).argmin(axis=1)
    empty = weights.sum(axis=1) <= 0
    weights[empty, nearest[empty]] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        means = np.where(weights > 0, weights * y, 0.0).sum(axis=1)
    return means, np.sqrt((weights**2).sum(axis=1))


def effect(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Return each update's rate and the loss that followed it, shapes (n − 1,), finite ones only.

    The loss of a step is measured before its update: what a rate did is seen in the next loss.
    """
    finite = np.isfinite(trace.loss[1:])
    n = len(finite) if finite.all() else int(finite.argmin())
    return trace.lr[:n], trace.loss[1 : n + 1]


def smooth(trace: Trace) -> tuple[np.ndarray, np.ndarray, float]:
    """Return rates, smoothed losses and their noise for one ramp.

    Returns:
        Rates, shape (m,), smoothed losses, shape (m,), and the median standard error of a smoothed
        loss, from the differences of neighbouring losses before the trace's lowest point.

    Args:
        trace: one ramp.

    Example:
        >>> from lrlab.range_test import Trace
        >>> rates = np.geomspace(1e-4, 1.0, 60)
        >>> losses = 2.0 - np.tanh(10 * rates)
        >>> trace = Trace(rates, losses, np.ones(60), 0, rates, "completed")
        >>> at, smoothed, noise = smooth(trace)
        >>> bool(np.abs(np.interp(0.1, at, smoothed) - (2.0 - np.tanh(1.0))) < 0.1)
        True
    """
    lr, loss = effect(trace)
    if len(lr) < 3:
        return lr, loss, math.nan
    x = np.log10(lr)
    means, factor = kernel_mean(x, loss, x)
    early = loss[: max(3, int(means.argmin()) + 1)]
    noise = float(np.diff(early).std()) / math.sqrt(2)
    return lr, means, noise * float(np.median(factor))


def pooled(traces: Sequence[Trace]) -> tuple[np.ndarray, np.ndarray]:
    """Return the planned rates and the median over seeds of the smoothed losses.

    A seed whose trace has ended counts as infinitely high from there on.

    Returns:
        Rates, shape (m,), and losses, shape (m,), infinite where half of the seeds have ended.
    """
    lr = traces[0].planned_lr[:-1]
    losses = np.full((len(traces), len(lr)), np.inf)
    for row, trace in zip(losses, traces, strict=True):
        means = smooth(trace)[1]
        row[: len(means)] = means
    return lr, np.median(losses, axis=0)
