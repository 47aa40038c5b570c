"""The two ways in which a command ends early."""

from __future__ import annotations

from pathlib import Path

_LONGEST = 500  # characters of a sentence that someone reads


def shortened(text: str, longest: int = _LONGEST) -> str:
    r"""Return a text as one line that can be read, with its middle left out where it is long.

    Example:
        >>> shortened("one\n two")
        'one two'
        >>> shortened("a" * 50 + "z", longest=20)
        'aaaaaaaaaaaa … aaaaz'
    """
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    end = longest // 4
    return " ".join(f"{line[: longest - end - 3]} … {line[-end:]}".split())


class BadInput(ValueError):
    """What was asked for can't be done; nothing has been written. The message is one sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(shortened(message))

    @property
    def sentences(self) -> list[str]:
        """What is shown, one line each."""
        return [str(self)]


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
        super().__init__(shortened(message))
        self.partial = partial
        self.interrupted = interrupted
