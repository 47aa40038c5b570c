"""Training until a metric is reached, and how many updates that took."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lrlab.training.record import Run


@dataclasses.dataclass(frozen=True)
class Target:
    """Stop when a metric falls to a target (a `lrlab.training._stopping.Stop`).

    Args:
        metric: the metric to watch, smaller is better.
        value: the target.

    Raises:
        ValueError: if the target is not finite.

    Example:
        >>> stop = Target("train_loss", 1.0)
        >>> stop({"train_loss": [2.0, 1.5]}), stop({"train_loss": [2.0, 0.9]})
        (False, True)
    """

    metric: str = "train_loss"
    value: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"value must be finite, got value={self.value}")

    def __call__(self, evals: Mapping[str, Sequence[float]]) -> bool:
        """Return whether the last evaluation is at or below the target."""
        return evals[self.metric][-1] <= self.value

    def updates(self, run: Run) -> float:
        """Return after how many updates the target was reached.

        Between two evaluations the metric is taken to be linear.

        Args:
            run: a run that was evaluated often enough.

        Returns:
            Number of updates; infinity if the target was not reached.
        """
        step, metric = (np.asarray(run.evals[name], dtype=float) for name in ("step", self.metric))
        below = np.flatnonzero(metric <= self.value)
        if not below.size:
            return math.inf
        k = int(below[0])
        if k == 0:
            return float(step[0])
        share = (metric[k - 1] - self.value) / (metric[k - 1] - metric[k])
        return float(step[k - 1] + share * (step[k] - step[k - 1]))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict that identifies the rule."""
        return {"stop": type(self).__name__} | dataclasses.asdict(self)
