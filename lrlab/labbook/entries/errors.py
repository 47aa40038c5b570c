"""The two ways in which a command ends early."""

from __future__ import annotations

from pathlib import Path


class BadInput(ValueError):
    """What was asked for can't be done; nothing has been written. The message is one sentence."""


class RunFailed(Exception):
    """A notebook failed or was interrupted; the log is untouched.

    Args:
        message: what happened, in one sentence.
        partial: the notebook as far as it came, if it was kept.
        interrupted: whether it was ended from outside.
    """

    def __init__(
        self, message: str, partial: Path | None = None, *, interrupted: bool = False
    ) -> None:
        super().__init__(message)
        self.partial = partial
        self.interrupted = interrupted
