"""Runs by key: what a result is named after travels with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from lrlab.training.record import Run

_SEVERAL = (range, list, set)
Metric = str | Callable[[Run], Any]


class Results(Mapping[Hashable, Run]):
    """Runs by the keys of their jobs, in the order in which these were given.

    A key is anything hashable; of tuples, such as (schedule, seed), parts can be selected.
    A metric is a name, for which `Run.final` gives the value (a run that diverged counts as
    guessing), or a function of a run.

    Args:
        runs: by key.

    Example:
        >>> from lrlab import Job, Recipe, schedules, tasks, train_many
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> task = tasks.get("mnist", n_train=32)
        >>> runs = train_many(
        ...     {(lr, seed): Job(task, recipe.replace(schedule=schedules.Constant(lr), seed=seed))
        ...      for lr in (0.1, 1e9) for seed in range(3)},
        ...     n_jobs=1, store=None, progress=False,
        ... )
        >>> len(runs.of(0.1)), runs[0.1, 2].seed, runs.note()
        (3, 2, '3 of 6 runs diverged')
        >>> runs.arrays("test_accuracy")[1e9]
        array([0.1, 0.1, 0.1])
    """

    def __init__(self, runs: Mapping[Any, Run]) -> None:
        self._runs = dict(runs)

    def __getitem__(self, key: Any) -> Run:
        return self._runs[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def of(self, *parts: Any) -> Results:
        """Return the runs whose keys begin with these parts, by the rest of their keys.

        A rest of one part stands for itself, without a tuple. An ellipsis fits every part; a range,
        a list or a set fits those in it; what fits in one of these ways stays in the key.

        Raises:
            KeyError: if there is none.
        """
        found = {}
        for key, run in self._runs.items():
            here = key if isinstance(key, tuple) else (key,)
            pairs = list(zip(parts, here, strict=False))
            if all(_fits(part, value) for part, value in pairs):
                kept = [v for p, v in pairs if p is ... or isinstance(p, _SEVERAL)]
                rest = (*kept, *here[len(parts) :])
                found[rest[0] if len(rest) == 1 else rest] = run
        if not found:
            raise KeyError(f"no run has a key that begins with {parts}")
        return Results(found)

    def groups(self) -> dict[Any, Results]:
        """Return the runs by the first part of their keys, each group by the rest of them.

        Raises:
            ValueError: if a key is no tuple.
        """
        if plain := [key for key in self._runs if not isinstance(key, tuple)]:
            raise ValueError(f"groups need keys of several parts, got {plain[0]!r}")
        return {part: self.of(part) for part in dict.fromkeys(key[0] for key in self._runs)}

    def final(self, metric: Metric) -> dict[Any, Any]:
        """Return a metric of each run, by key."""
        take = metric if callable(metric) else lambda run: run.final(metric)
        return {key: take(run) for key, run in self._runs.items()}

    def array(self, metric: Metric) -> np.ndarray:
        """Return a metric of all runs, one axis for each part of the keys.

        Returns:
            Float64 of shape (n,), or for keys (a, b, …) of shape (number of a, number of b, …, …),
            in the order in which each part first appears.

        Raises:
            ValueError: naming a combination of parts that is no key.
        """
        found = self.final(metric)
        tuples = {key if isinstance(key, tuple) else (key,): value for key, value in found.items()}
        axes = [list(dict.fromkeys(parts)) for parts in zip(*tuples, strict=True)]
        keys = list(itertools.product(*axes))
        if missing := [key for key in keys if key not in tuples]:
            raise ValueError(f"the keys are no full grid: there is no run {missing[0]}")
        values = np.array([tuples[key] for key in keys], dtype=float)
        return values.reshape(*map(len, axes), *values.shape[1:])

    def curves(self, metric: Metric) -> np.ndarray:
        """Return a metric at each evaluation of the runs that did not diverge.

        Args:
            metric: a name in `Run.evals`, or a function of a run that gives a series.

        Returns:
            Shape (runs that did not diverge, evaluations).
        """
        take = metric if callable(metric) else lambda run: run.evals[metric]
        return np.array([take(run) for run in self._runs.values() if not run.diverged])

    def arrays(self, metric: Metric) -> dict[Any, np.ndarray]:
        """Return `array` of each group, by the first part of the keys."""
        return {part: group.array(metric) for part, group in self.groups().items()}

    @property
    def num_diverged(self) -> int:
        """How many of the runs diverged."""
        return sum(run.diverged for run in self._runs.values())

    def note(self) -> str:
        """Return how many runs diverged, in words; it belongs beside every figure of them."""
        return f"{self.num_diverged or 'none'} of {len(self)} runs diverged"


def _fits(part: Any, value: Any) -> bool:
    return part is ... or (value in part if isinstance(part, _SEVERAL) else part == value)
