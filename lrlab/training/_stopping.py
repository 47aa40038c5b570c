"""When a run is stopped early."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lrlab.checks import Checked


class Stop(Protocol):
    """Decides after each evaluation whether a run ends; must depend on its argument alone.

    Example:
        >>> from lrlab import schedules, tasks, train
        >>> from lrlab.recipe import Recipe
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=9, batch_size=8, eval_every=2)
        >>> def after_two(evals):
        ...     return evals["step"][-1] >= 2
        >>> train(tasks.get("mnist", n_train=32), recipe, stop=after_two).status
        'stopped'
    """

    def __call__(self, evals: Mapping[str, Sequence[float]]) -> bool:
        """Return True to stop; `evals` holds all evaluations so far by metric."""


@dataclasses.dataclass(frozen=True)
class EarlyStopping(Checked):
    """Stop when a metric has not improved for a number of evaluations.

    (The rule UP of Prechelt, 1998, is another: it counts rises in a row.)

    Args:
        metric: the metric to watch, smaller is better.
        patience: evaluations without improvement that are waited for, at least 1.
        min_delta: an improvement is a fall by more than this.

    Raises:
        ValueError: if patience or min_delta makes no sense.

    Example:
        >>> stop = EarlyStopping("validation_loss", patience=2)
        >>> stop({"validation_loss": [3.0, 2.0, 2.5]})
        False
        >>> stop({"validation_loss": [3.0, 2.0, 2.5, 2.1]})
        True
    """

    metric: str = "validation_loss"
    patience: int = 5
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        self._check_int("patience")
        self._check_float("min_delta")

    def __call__(self, evals: Mapping[str, Sequence[float]]) -> bool:
        """Return whether the metric has failed to improve for `patience` evaluations."""
        best, since = float("inf"), 0
        for value in evals[self.metric]:
            if value < best - self.min_delta:
                best, since = value, 0
            else:
                since += 1
        return since >= self.patience

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict that identifies the rule."""
        return {"stop": type(self).__name__} | dataclasses.asdict(self)
