"""Where a claim was tested, and what would have been a difference that matters there."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Setting:
    """What was trained, how, and how long: a stranger reads a claim with it.

    Args:
        task: model and data, "LeNet on 3,500 digits".
        optimizer: "SGD", "AdamW (weight decay 0.01)".
        budget: "165 updates".

    Example:
        >>> print(Setting("LeNet on 3,500 digits", "SGD", "165 updates"))
        LeNet on 3,500 digits, SGD, 165 updates
    """

    task: str
    optimizer: str = ""
    budget: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.task, self.optimizer, self.budget) if part)


@dataclass(frozen=True)
class About:
    """What a reader needs to know of a claim besides its statement.

    Args:
        setting: what was trained, how and how long; None where nothing was trained.
        metric: the metric, a name of the table of δ (`lrlab.claims.smallest_effects`).
        replication: what the repetitions are, each independent of the others: "seeds", "sweeps",
            "cells"; never trials of one sweep or orders of one set.
        family: claims with one name are the same comparison for several things: a row group.
        like: for a claim about a source: "same" where the setting is the source's own, "analogue"
            where it is only like it.
        lost: what of the source is missing or other here (formula, range, data), one clause.
        reason: why δ is another than the table's, or zero.

    Raises:
        ValueError: if `like` is neither.

    Example:
        >>> About(Setting("LeNet", "SGD"), metric="test loss").replication
        'seeds'
    """

    setting: Setting | None = None
    metric: str = ""
    replication: str = "seeds"
    family: str = ""
    like: str | None = None
    lost: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.like not in (None, "same", "analogue"):
            raise ValueError(f"like must be 'same' or 'analogue', got like={self.like!r}")


@functools.cache
def smallest_effects() -> dict[str, dict[str, Any]]:
    """The table of δ: by metric, the smallest effect that would change what someone does.

    Returns:
        For each metric `delta`, its `unit` and the `reason`; `tasks` has other values by task.

    Example:
        >>> smallest_effects()["test loss"]["delta"]
        0.01
    """
    file = resources.files("lrlab.claims") / "smallest_effects.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def smallest_effect(metric: str, task: str = "") -> float:
    """The smallest effect of interest δ of a metric.

    Args:
        metric: a name of the table.
        task: name of a task, for which the table may have another value.

    Returns:
        δ, in the metric's unit.

    Raises:
        ValueError: if the table has no such metric.

    Example:
        >>> smallest_effect("test loss")
        0.01
    """
    table = smallest_effects()
    if metric not in table:
        raise ValueError(f"metric must be one of {', '.join(table)}, got metric={metric!r}")
    row = table[metric]
    return float(row.get("tasks", {}).get(task, row["delta"]))
