"""The suggestion rules of other packages, each on the raw trace of one ramp.

Written from what the packages do: their own smoothing, their own criterion to stop, their own
trimming, their own rule, as they would act on these losses. Each returns a rate, or None where the
package fails or has no answer. Where losses stop being finite the packages go on until the end of
the ramp, so that a trace is filled up with NaN to its planned length first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrlab.range_test import Trace, smooth

Rule = Callable[[Trace], float | None]


def fastai_valley(trace: Trace) -> float | None:
    """The middle third's middle of the longest decreasing subsequence (fastai 2.8, its default)."""
    lr, loss = _fastai(trace)
    if len(loss) < 2:
        return None
    length = np.ones(len(loss), dtype=int)
    for i in range(1, len(loss)):
        above = length[:i][loss[:i] > loss[i]]
        length[i] = 1 + (above.max() if above.size else 0)
    end = int(length.argmax())
    third = length[end] / 3
    return float(lr[end - length[end] + int(third) + int(third / 2)])


def fastai_slide(trace: Trace) -> float | None:
    """Going down from the end: where slopes 15 steps apart differ by at most 0.005 (fastai 2.8)."""
    apart, threshold = 15, 0.005
    lr, loss = _fastai(trace)
    if len(loss) < apart + 1:
        return None
    slope = np.gradient(loss)
    left = len(loss) - 1 - apart
    found = lr[left]
    while left >= 0 and abs(slope[left + apart] - slope[left]) > threshold:
        found = lr[left]
        left -= 1
    return float(found)


def fastai_minimum(trace: Trace) -> float | None:
    """A tenth of the rate at the lowest loss (fastai 2.8)."""
    lr, loss = _fastai(trace)
    return float(lr[loss.argmin()]) / 10 if len(loss) else None


def fastai_steep(trace: Trace) -> float | None:
    """The rate where the loss falls fastest by the logarithm of the rate (fastai 2.8)."""
    lr, loss = _fastai(trace)
    if len(loss) < 2:
        return None
    return float(lr[(np.diff(loss) / np.diff(np.log(lr))).argmin()])


def lightning(trace: Trace) -> float | None:
    """The rate where the loss falls fastest by the rate itself (Lightning 2.6).

    Its mean's bias correction is off by one, its numbers are of single precision.
    """
    loss = _debiased_mean(_filled(trace), beta=0.98, lag=1)
    lr, loss = _stopped(trace, loss, factor=4.0, first=1)
    lr, loss = lr[10:-1].astype(np.float32), loss[10:-1].astype(np.float32)
    lr, loss = lr[np.isfinite(loss)], loss[np.isfinite(loss)]
    if len(loss) < 3:
        return None
    return float(lr[np.gradient(loss, lr).argmin()])


def torch_lr_finder(trace: Trace) -> float | None:
    """The rate where the loss falls fastest by the step (torch-lr-finder 0.2)."""
    raw = _filled(trace)
    loss = np.empty_like(raw)
    loss[0] = raw[0]
    for i in range(1, len(raw)):
        loss[i] = 0.05 * raw[i] + 0.95 * loss[i - 1]
    lr, loss = _stopped(trace, loss, factor=5.0)
    lr, loss = lr[10:-5], loss[10:-5]
    return float(lr[np.gradient(loss).argmin()]) if len(loss) >= 2 else None


def smith(trace: Trace) -> float | None:
    """Half of the largest rate before the loss first rises (Smith, 2017; Bengio, 2012).

    Smith reads an upper bound off the plot: where the loss first rises by more than its noise after
    it began to fall. Bengio's rule of thumb, which Smith uses for the bounds of his cycles, has the
    best constant rate within a factor of two of the largest one that converges.
    """
    lr, loss, noise = smooth(trace)
    if not len(loss):
        return None
    lowest = np.minimum.accumulate(loss)
    fell = lowest < loss[0] - 3 * noise
    rose = fell & (loss > lowest + 3 * noise)
    last = int(rose.argmax()) if rose.any() else len(lr)
    if not fell[:last].any():
        return None
    return float(lr[loss[:last].argmin()]) / 2


RIVALS: dict[str, Rule] = {
    "fastai-valley": fastai_valley,
    "fastai-slide": fastai_slide,
    "fastai-minimum": fastai_minimum,
    "fastai-steep": fastai_steep,
    "lightning": lightning,
    "torch-lr-finder": torch_lr_finder,
    "smith": smith,
}


def _fastai(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Return rates and losses as fastai keeps them: smoothed, stopped, trimmed, without NaN."""
    loss = _debiased_mean(_filled(trace), beta=0.98, lag=0)
    lr, loss = _stopped(trace, loss, factor=4.0)
    first = trace.planned // 10
    lr, loss = lr[first:-5], loss[first:-5]
    bad = np.flatnonzero(np.isnan(loss))
    return (lr[: bad[0]], loss[: bad[0]]) if bad.size else (lr, loss)


def _filled(trace: Trace) -> np.ndarray:
    missing = trace.planned - len(trace.loss)
    return np.concatenate([trace.loss, np.full(missing, np.nan)])


def _debiased_mean(values: np.ndarray, beta: float, lag: int) -> np.ndarray:
    """Return m_t / (1 − β^(t + 1 + lag)) for the exponential mean m_t of values 0 to t."""
    mean, means = 0.0, np.empty_like(values)
    for i, value in enumerate(values):
        mean = beta * mean + (1 - beta) * value
        means[i] = mean
    return means / (1 - beta ** (np.arange(len(values)) + 1.0 + lag))


def _stopped(
    trace: Trace, loss: np.ndarray, factor: float, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Cut behind the first loss above `factor` times the best so far (from step `first` on)."""
    best = np.fmin.accumulate(loss)
    with np.errstate(invalid="ignore"):
        over = np.flatnonzero(loss[first:] > factor * best[first:])
    n = min(over[0] + first + 1 if over.size else len(loss), len(loss))
    return trace.planned_lr[:n], loss[:n]
