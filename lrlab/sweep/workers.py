"""What a sweep needs of those that bring its trials on, whatever a trial is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

__all__ = ["Progress", "Workers"]

Params = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a trial has come.

    Args:
        values: the metric at each evaluation so far; the start is not counted.
        steps: updates done there.
        diverged: whether it ended because the loss or the metric was not finite.
        seconds: training time so far.
        run_key: key of the run in the store.
        ended: whether there is nothing left to train, for runs whose length is not known before.
        failed: why it can't go on, in one sentence.
        start: seconds until a script first said something.
    """

    values: tuple[float, ...]
    steps: tuple[int, ...]
    diverged: bool = False
    seconds: float = math.nan
    run_key: str | None = None
    ended: bool = False
    failed: str | None = None
    start: float = math.nan


class Workers(Protocol):
    """Bring the trials of a wave up to a stage, several at a time."""

    def advance(self, waiting: Mapping[int, Params], stage: int) -> Iterator[tuple[int, Progress]]:
        """Yield trial by trial how far it came, in any order."""

    def end(self, number: int) -> None:
        """Let go of a trial that the rule has stopped."""

    def close(self, *, clean: bool = True) -> None:
        """Let go of everything, at once unless the end is a clean one."""
