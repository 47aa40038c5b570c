"""Everything that a run needs to go on, bit for bit."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import torch

from lrlab.files import written_atomically


@dataclasses.dataclass(frozen=True, eq=False)
class Checkpoint:
    """The whole state of a run between two updates.

    Args:
        step: number of updates done.
        identity: task, recipe and probes of the run, JSON-able; a checkpoint goes on only with
            the same.
        state: weights, optimizer, generators, position in the data, controller, history.

    Example:
        >>> Checkpoint(step=3, identity={}, state={}).step
        3
    """

    step: int
    identity: dict[str, Any]
    state: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the checkpoint to a file, all of it or nothing."""
        with written_atomically(path) as temporary:
            torch.save(vars(self), temporary)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint. Only tensors and plain values are read, never code.

        Raises:
            ValueError: if the file is not a checkpoint.
        """
        try:
            return cls(**torch.load(path, weights_only=True))
        except (OSError, EOFError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
            raise ValueError(f"{path.name} is not a checkpoint") from error
