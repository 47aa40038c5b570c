"""Losses over schedules, lengths and peaks, for the entry and for its benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lrlab import Job, Recipe
from lrlab.experiments.prefixes import train_branches
from lrlab.optimizers import Optimizer
from lrlab.schedules import Constant, Cosine, Linear, Schedule, Warmup, WarmupStableDecay
from lrlab.tasks import Task
from lrlab.training.results import Results

NAMES = ("constant", "cosine", "linear", "WSD")
COOLDOWN = 0.2  # share of the updates, of warmup-stable-decay
Losses = dict[str, np.ndarray]


def spread_lengths(shortest: int, factor: int = 64, count: int = 8) -> list[int]:
    """Return numbers of updates with equal ratios, from the shortest to `factor` times as many.

    Example:
        >>> spread_lengths(20)
        [20, 36, 66, 119, 215, 390, 707, 1280]
    """
    return [round(shortest * factor ** (k / (count - 1))) for k in range(count)]


@dataclasses.dataclass(frozen=True)
class Study:
    """What is trained at many peaks and lengths.

    Args:
        task: data, model and loss.
        optimizer: the update rule.
        batch_size: examples in a batch.
        warmup_steps: of all schedules, the same number at every length.

    Example:
        >>> from lrlab import tasks
        >>> from lrlab.optimizers import SGD
        >>> study = Study(tasks.get("mnist1d"), SGD(), 8)
        >>> study.schedule("WSD", 0.5, 10)([0, 7, 9]).tolist()
        [0.5, 0.5, 0.25]
    """

    task: Task
    optimizer: Optimizer
    batch_size: int
    warmup_steps: int = 0

    def schedule(self, name: str, peak: float, steps: int) -> Schedule:
        """Return a schedule of so many updates, one of `NAMES`, the rise included."""
        rise = self.warmup_steps
        rest = steps - rise
        cooldown = round(COOLDOWN * steps)
        parts: dict[str, Schedule] = {
            "constant": Constant(peak),
            "cosine": Cosine(peak, steps=rest),
            "linear": Linear(peak, end_lr=0.0, steps=rest),
            "WSD": WarmupStableDecay(
                peak, steps=rest, warmup_steps=0, cooldown_steps=cooldown, start_lr=peak
            ),
        }
        if not rise:
            return parts[name]
        return Warmup(parts[name], warmup_steps=rise, start_lr=peak / (rise + 1))

    def job(self, name: str, steps: int, peak: float, seed: int) -> Job:
        """Return one run, evaluated at its start and its end."""
        recipe = Recipe(
            schedule=self.schedule(name, peak, steps),
            steps=steps,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            seed=seed,
        )
        return Job(self.task, recipe)

    def jobs(
        self, names: Sequence[str], lengths: Sequence[int], peaks: Sequence[float], seeds: range
    ) -> dict[Any, Job]:
        """Return the runs by (name, seed, length, peak)."""
        return {
            (name, seed, steps, peak): self.job(name, steps, peak, seed)
            for name in names
            for seed in seeds
            for steps in lengths
            for peak in peaks
        }


@dataclasses.dataclass(frozen=True)
class Table:
    """Final losses of a study.

    Args:
        peaks: the grid, rising by equal ratios, shape (peaks,).
        lengths: numbers of updates, shape (lengths,).
        validation: by schedule, shape (seeds, lengths, peaks).
        test: likewise.
        diverged: number of runs that diverged.
        runs: number of runs.
    """

    peaks: Sequence[float]
    lengths: Sequence[int]
    validation: Losses
    test: Losses
    diverged: int
    runs: int

    @property
    def edges(self) -> tuple[bool, bool]:
        """Whether a mean curve is lowest at the lower end of the grid, and at the upper one."""
        lowest = [np.log(v).mean(axis=0).argmin(axis=-1) for v in self.validation.values()]
        found = np.concatenate(lowest)
        return bool((found == 0).any()), bool((found == len(self.peaks) - 1).any())


def measure(
    study: Study,
    names: Sequence[str],
    lengths: Sequence[int],
    peaks: Sequence[float],
    seeds: range,
    *,
    more: int = 3,
    progress: bool = True,
) -> Table:
    """Train a study, and go on at an end of the grid where a curve is lowest there.

    Args:
        study: what is trained.
        names: schedules, of `NAMES`.
        lengths: numbers of updates.
        peaks: at first, rising by equal ratios.
        seeds: of the runs.
        more: peaks that may be added at each end.
        progress: whether to show a bar.
    """
    grid, ratio = list(peaks), peaks[1] / peaks[0]
    added = [0, 0]
    while True:
        jobs = study.jobs(names, lengths, grid, seeds)
        table = tabled(train_branches(jobs, progress=progress), grid, lengths)
        low, high = (end and n < more for end, n in zip(table.edges, added, strict=True))
        if not (low or high):
            return table
        added = [added[0] + low, added[1] + high]
        grid = [grid[0] / ratio] * low + grid + [grid[-1] * ratio] * high


def tabled(runs: Results, peaks: Sequence[float], lengths: Sequence[int]) -> Table:
    """Return the final losses of runs with keys of (name, seed, length, peak)."""
    parts = [runs.arrays(f"{part}_loss") for part in ("validation", "test")]
    return Table(peaks, lengths, parts[0], parts[1], runs.num_diverged, len(runs))


def exponents(lengths: ArrayLike, best: ArrayLike) -> np.ndarray:
    r"""Return the power p with which the best peak falls, $\eta^* \propto T^{-p}$, by seed.

    Args:
        lengths: numbers of updates T, shape (lengths,).
        best: best peaks, shape (seeds, lengths).

    Returns:
        The slopes of least squares through the logarithms, with the sign turned, shape (seeds,).

    Example:
        >>> exponents([10, 100], [[1.0, 0.1], [1.0, 1.0]]).round(6).tolist()
        [1.0, -0.0]
    """
    x = np.log(np.asarray(lengths, dtype=float))
    x -= x.mean()
    return -(np.log(best) @ x) / (x @ x)


def loss_at(peaks: ArrayLike, losses: ArrayLike, peak: float) -> float:
    """Return the log of a loss at a peak between those of the grid, by interpolation in logs.

    Args:
        peaks: the grid, rising, shape (peaks,).
        losses: shape (peaks,).
        peak: beyond the grid, the value at its end counts.

    Example:
        >>> round(float(np.exp(loss_at([1.0, 4.0], [1.0, 4.0], 2.0))), 6)
        2.0
    """
    return float(np.interp(np.log(peak), np.log(peaks), np.log(losses)))


def from_json(cell: Mapping[str, Any]) -> Table:
    """Return what `benchmarks/peak_against_length.py` keeps of a study."""
    parts = [{k: np.array(v) for k, v in cell[p].items()} for p in ("validation", "test")]
    counts = cell["diverged"], cell["runs"]
    return Table(cell["peaks"], cell["lengths"], parts[0], parts[1], *counts)
