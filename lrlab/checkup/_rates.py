"""A search for the rate, and what it says of the recipe's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject

TOO_LOW, LITTLE_LOW = 30.0, 0.2  # a rate so far below the best, with so little of its drop
TOO_HIGH, LITTLE_HIGH = 5.0, 0.6  # and so far above it
FALLEN = 2.0  # spreads of the first loss from batch to batch: a smaller drop is none


@dataclasses.dataclass(frozen=True)
class Search:
    """Short trainings at constant rates, all from the same start on the same batches.

    Args:
        rates: in rising order.
        curves: losses of each, before each update; shorter where it stopped being finite.
        updates: that each was given.
        first: the loss at the start, on the first batch of the search.
    """

    rates: np.ndarray
    curves: tuple[np.ndarray, ...]
    updates: int
    first: float

    @property
    def ends(self) -> np.ndarray:
        """Mean loss over the last third of each curve; infinite where it diverged."""
        tail = max(3, self.updates // 3)
        whole = [len(c) == self.updates and np.isfinite(c).all() for c in self.curves]
        curves = zip(self.curves, whole, strict=True)
        return np.array([float(c[-tail:].mean()) if kept else math.inf for c, kept in curves])

    @property
    def best(self) -> float:
        """The rate with the lowest end."""
        return float(self.rates[int(np.argmin(self.ends))])

    def drop(self, rate: float) -> float:
        """How far the loss falls at a rate that was tried; 0 where it rises."""
        end = self.ends[int(np.argmin(np.abs(np.log(self.rates / rate))))]
        return max(0.0, self.first - float(end))


def search_rates(subject: Subject, budget: int, span: int) -> Search:
    """Coarse search: the recipe's rate times powers of ten; then twice finer around the best.

    Args:
        subject: what is examined.
        budget: updates of each training.
        span: largest power of ten, up and down.
    """
    curves: dict[float, np.ndarray] = {}

    def try_rates(rates: Sequence[float]) -> None:
        curves.update({r: _short(subject, r, budget) for r in rates if r not in curves})

    def result() -> Search:
        rates = sorted(curves)
        first = float(np.mean([curve[0] for curve in curves.values()]))
        return Search(np.array(rates), tuple(curves[r] for r in rates), budget, first)

    rate = subject.rate if subject.rate > 0 else 1e-3
    try_rates([rate * 10.0**k for k in range(-span, span + 1)])
    for factor in (math.sqrt(10), math.sqrt(math.sqrt(10))):
        best = result().best
        try_rates([best / factor, best * factor])
    return result()


def _short(subject: Subject, rate: float, budget: int) -> np.ndarray:
    state = subject.state()
    state.to_training_mode()
    noise = subject.noise("search")
    losses: list[float] = []
    for update in range(budget):
        batch = subject.batches[update % len(subject.batches)]
        losses.append(subject.update(state, batch, rate, noise))
        if not math.isfinite(losses[-1]):
            break
    return np.array(losses)


def falls(subject: Subject, found: Search) -> bool:
    """Say whether the loss falls at the best rate by more than batches differ."""
    return found.drop(found.best) > FALLEN * subject.spread


def judge_rate(subject: Subject, found: Search) -> list[Finding]:
    """Compare the recipe's rate with the best of the search.

    Args:
        subject: what is examined.
        found: the search.
    """
    best, top = found.best, found.drop(found.best)
    if not falls(subject, found):
        tried = f"{found.rates[0]:.2g} to {found.rates[-1]:.2g}"
        return [Finding("no-rate", 3, f"At no rate from {tried} does the loss fall.")]
    share = found.drop(subject.rate) / top
    ratio = best / subject.rate
    evidence = (
        f"In {found.updates} updates the loss falls by {100 * share:.0f} % of what it falls at "
        f"{best:.2g}; the recipe's rate is {subject.rate:.2g}."
    )
    if share < LITTLE_LOW and ratio >= TOO_LOW:
        return [Finding("rate-low", 4, evidence)]
    if share < LITTLE_HIGH and ratio <= 1 / TOO_HIGH:
        return [Finding("rate-high", 4, evidence)]
    return []
