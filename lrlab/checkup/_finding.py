"""What a checkup can find: the evidence, the probable cause, and what to do."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib import resources

_CAUSES: dict[str, dict[str, str]] = tomllib.loads(
    (resources.files("lrlab.checkup") / "causes.toml").read_text("utf-8")
)
KINDS = tuple(_CAUSES)
"""The kinds of findings."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is probably wrong.

    Args:
        kind: one of `KINDS`.
        step: number of the step of the recipe that found it, 1 to 7.
        evidence: what was measured, a sentence with numbers.

    Raises:
        ValueError: if there is no such kind.

    Example:
        >>> Finding("order", 1, "Batches differ.").cause
        'the data are not shuffled'
    """

    kind: str
    step: int
    evidence: str

    def __post_init__(self) -> None:
        if self.kind not in _CAUSES:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got kind={self.kind!r}")

    @property
    def cause(self) -> str:
        """The probable cause; it says so where several can't be told apart."""
        return _CAUSES[self.kind]["cause"]

    @property
    def remedy(self) -> str:
        """What to do."""
        return _CAUSES[self.kind]["remedy"]

    def __str__(self) -> str:
        return f"{self.evidence} Probably: {self.cause}. Do: {self.remedy}."
