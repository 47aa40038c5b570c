"""Everything that a run needs to go on, bit for bit."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import torch

from lrlab.files import read_sealed, write_sealed


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

    def save(self, path: Path, key: str | None = None) -> None:
        """Write the checkpoint to a file, all of it or nothing, bound to the key of its run."""
        content = io.BytesIO()
        torch.save({"key": key} | vars(self), content)
        write_sealed(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, key: str | None = None) -> Checkpoint:
        """Read a checkpoint. Only tensors and plain values are read, never code.

        Args:
            path: the file.
            key: of the run that it must belong to; None takes that of any.

        Raises:
            ValueError: if the file is not a checkpoint, is damaged, or belongs to another run.
        """
        payload = read_sealed(path)
        try:
            found = torch.load(io.BytesIO(payload), weights_only=True)
            owner, checkpoint = found.pop("key"), cls(**found)
        except Exception as error:  # whatever torch makes of a file that `save` did not write
            raise ValueError(f"{path.name} is not a checkpoint") from error
        if key is not None and owner != key:
            raise ValueError(f"{path.name} belongs to another run")
        return checkpoint
