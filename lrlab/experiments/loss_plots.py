"""What mean and variance of a training loss over time say of the mistake behind them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

CAUSES = (
    "bad initialisation",
    "not shuffled",
    "no zero_grad",
    "rate too high",
    "rate too low",
    "healthy",
)
"""What `diagnose` can answer."""

FIRST = 1.4  # a first loss so many times that of guessing is no guessing
REPEATS = 0.3  # rank correlation of batches an epoch apart; random order gives about 0
RISING = 1.25  # last third over middle third, of a loss that still rises
ABOVE = 1.05  # a window's mean so many times guessing is above it
LOST = 0.5  # share of what the loss had fallen that it has risen again
FLAT = 0.02  # of guessing: a smaller fall may be none
CLEAR = 4.0  # standard errors of a fall that is there
LITTLE = 0.15  # of guessing: a smaller fall is little


@dataclasses.dataclass(frozen=True, eq=False)
class LossSummary:
    """A training loss in windows of equal length, in units of the loss of guessing.

    Args:
        mean: mean loss of the batches of each window, shape (windows,); infinite from where the
            training diverged.
        std: their standard deviation, shape (windows,).
        first: loss of the first batch.
        repeats: rank correlation of how far each batch's loss lies from those of its neighbours
            with the same one epoch later; 0 where it can't be known.
        rise: mean of the last third over that of the middle third.
        fall: mean of the first third less that of the last, in standard errors of the difference.
    """

    mean: np.ndarray
    std: np.ndarray
    first: float
    repeats: float
    rise: float
    fall: float


def summarise(
    losses: ArrayLike,
    *,
    guess: float,
    epoch_steps: int,
    steps: int | None = None,
    windows: int = 10,
) -> LossSummary:
    r"""Cut a training loss into windows and measure each.

    With $\ell_t$ the loss of batch t over the loss of guessing, and E updates in an epoch,
    `repeats` is Spearman's correlation of $\ell_{t-1} - 2\ell_t + \ell_{t+1}$ at t and at t + E:
    batches that come again in the same order are hard and easy in the same order, however far the
    loss has fallen meanwhile.

    Args:
        losses: loss on each batch before its update, shape (updates,).
        guess: the loss of guessing, in the same unit, positive.
        epoch_steps: updates in an epoch.
        steps: updates that were planned, where a diverged training has fewer; None: as many.
        windows: number of windows, at least 3.

    Raises:
        ValueError: if there are fewer than two updates in a window, or a number makes no sense.

    Example:
        >>> batches = np.array([0.1, -0.1, 0.3, -0.2, 0.05])  # the same ones in every epoch
        >>> losses = np.linspace(2.3, 0.5, 60) + np.tile(batches, 12)
        >>> summary = summarise(losses, guess=2.3, epoch_steps=5)
        >>> summary.mean.round(2)[[0, -1]].tolist(), round(summary.repeats, 2)
        ([0.98, 0.27], 0.98)
    """
    found = np.asarray(losses, dtype=float)
    total = len(found) if steps is None else steps
    if found.ndim != 1 or windows < 3 or not 2 * windows <= total or not len(found) <= total:
        raise ValueError(
            f"need two updates in each of 3 windows or more, got {len(found)} losses of "
            f"{total} updates and windows={windows}"
        )
    if not guess > 0 or epoch_steps < 1:
        raise ValueError(f"guess and epoch_steps must be positive, got {guess} and {epoch_steps}")
    x = np.full(total, np.inf)
    x[: len(found)] = np.where(np.isfinite(found), found, np.inf) / guess
    if not np.isfinite(x).all():
        x[int(np.argmin(np.isfinite(x))) :] = np.inf
    parts, (a, b, c) = np.array_split(x, windows), np.array_split(x, 3)
    return LossSummary(
        mean=np.array([part.mean() for part in parts]),
        std=np.array([part.std(ddof=1) if np.isfinite(part).all() else np.inf for part in parts]),
        first=float(x[0]),
        repeats=_repeats(x[np.isfinite(x)], epoch_steps),
        rise=float(c.mean() / b.mean()) if np.isfinite(b).all() and b.mean() else math.inf,
        fall=_fall(a, c),
    )


def diagnose(summary: LossSummary, *, windows_only: bool = False) -> str:
    """Name the most probable of `CAUSES`: the first condition that holds.

    1. The first loss is far above guessing: bad initialisation.
    2. What batches cost repeats itself from epoch to epoch: not shuffled.
    3. The loss diverges after the first window, or it ends above guessing and still rises: no
       `zero_grad`.
    4. A window lies above guessing, or most of the fall is lost again: rate too high.
    5. There is no fall: bad initialisation.
    6. There is little: rate too low.
    7. Else healthy.

    Two mistakes at once are not told apart, nor is a cause from another that acts like it.

    Args:
        summary: of a training with all its batches, made by `summarise`.
        windows_only: leave out the first two conditions, which mean and spread of the windows can't
            show.

    Returns:
        One of `CAUSES`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> flat = 2.3 + 0.02 * rng.standard_normal(200)
        >>> diagnose(summarise(flat, guess=2.3, epoch_steps=50))
        'bad initialisation'
        >>> diagnose(summarise(flat - np.linspace(0, 1.5, 200), guess=2.3, epoch_steps=50))
        'healthy'
    """
    mean, end, low = summary.mean, summary.mean[-1], summary.mean.min()
    if not windows_only and summary.first > FIRST:
        return "bad initialisation"
    if not windows_only and summary.repeats > REPEATS:
        return "not shuffled"
    late = np.isfinite(mean[0]) and not np.isfinite(end)
    if late or (np.isfinite(end) and end > ABOVE and summary.rise > RISING):
        return "no zero_grad"
    if mean.max() > ABOVE or (low < 1 - FLAT and end - low > LOST * (1 - low)):
        return "rate too high"
    if summary.fall < CLEAR and 1 - end < FLAT:
        return "bad initialisation"
    return "rate too low" if 1 - end < LITTLE else "healthy"


def _repeats(x: np.ndarray, epoch_steps: int) -> float:
    from scipy import stats

    beside = np.diff(x, 2)
    early, later = beside[:-epoch_steps], beside[epoch_steps:]
    if len(early) < 20 or np.ptp(early) == 0 or np.ptp(later) == 0:
        return 0.0
    r = float(stats.spearmanr(early, later).statistic)
    return r if math.isfinite(r) else 0.0


def _fall(first: np.ndarray, last: np.ndarray) -> float:
    if not (np.isfinite(first).all() and np.isfinite(last).all()):
        return -math.inf
    error = math.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last))
    difference = float(first.mean() - last.mean())
    return difference / error if error > 0 else math.copysign(math.inf, difference or -1)
