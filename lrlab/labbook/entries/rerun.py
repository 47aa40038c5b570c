"""Executing an entry's own cells again, with today's package and an empty store of runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.labbook.entries._execute import execute
from lrlab.labbook.entries._normalise import Unfit, normalise
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import partial_folder
from lrlab.labbook.entries.logbook import Entry, claims_of, find, log

IDENTICAL, WITHIN, DRIFTED = "identical", "within tolerance", "drifted"


@dataclass(frozen=True)
class Outcome:
    """How an entry stands after its cells were executed again.

    Attributes:
        entry: its name.
        status: `identical` (byte for byte), `within tolerance` (verdicts equal, and the new
            estimate of every claim inside its recorded interval) or `drifted`.
        details: what differs, one sentence each.
        seconds: how long it took, with runs that an earlier entry of the same call had trained.
    """

    entry: str
    status: str
    details: list[str]
    seconds: float = 0.0


def rerun(root: Path, names: Sequence[str] = (), *, progress: bool = True) -> Iterator[Outcome]:
    """Execute entries again and compare: their cells, their parameters, today's package.

    The store of runs is empty at the beginning, and the entries share it.

    Args:
        root: the laboratory's folder.
        names: the entries; all that are not superseded by default.
        progress: whether to show bars on the terminal.

    Yields:
        One outcome for each entry, as soon as it is known.

    Raises:
        BadInput: if the log lacks one of the entries.
        RunFailed: if it is interrupted.
    """
    entries = [find(root, name) for name in names]
    if not names:
        entries = [entry for entry in log(root) if entry.superseded_by is None]
    with tempfile.TemporaryDirectory(prefix="lrlab-store-") as cache:
        for entry in entries:
            yield _outcome(root, entry, Path(cache), progress)


def _outcome(root: Path, entry: Entry, cache: Path, progress: bool) -> Outcome:
    if not entry.path.exists():
        return Outcome(entry.name, DRIFTED, ["the entry is gone"])
    if not entry.unedited():
        return Outcome(entry.name, DRIFTED, ["the notebook was edited after it was recorded"])
    keep = partial_folder(root) / f"rerun-{entry.name}.ipynb"
    notebook = entry.unexecuted()
    metadata = notebook.metadata
    try:
        recorded = entry.claims()
        execution = execute(
            notebook,
            root,
            cache=cache,
            label=entry.name if progress else "",
            kept=keep,
        )
        data = normalise(execution.notebook, metadata, root)
    except (BadInput, Unfit) as error:
        return Outcome(entry.name, DRIFTED, [str(error)])
    except RunFailed as error:
        if error.interrupted:
            raise
        return Outcome(entry.name, DRIFTED, [f"{error}; the notebook so far is {error.partial}"])
    old, new = json.loads(entry.path.read_bytes()), json.loads(data)
    if data == entry.path.read_bytes():
        return Outcome(entry.name, IDENTICAL, [], execution.seconds)
    drift = compare(recorded, claims_of(new))
    pairs = enumerate(zip(old["cells"], new["cells"], strict=True))
    cells = [str(number) for number, (before, after) in pairs if before != after]
    note = f"other outputs in cell {', '.join(cells)}"
    status = DRIFTED if drift else WITHIN
    return Outcome(entry.name, status, [*drift, note], execution.seconds)


def compare(recorded: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Hold new claims against recorded ones.

    Args:
        recorded: the claims of the entry.
        found: the claims of the new execution.

    Returns:
        What does not hold, one sentence each; empty if verdicts are equal and every new estimate
        lies inside the recorded interval. An entry without claims has nothing to be held against,
        so that a difference anywhere in it counts.

    Example:
        >>> old = {"id": "a.b", "verdict": "supported", "estimate": 1.0, "low": 0.5, "high": 1.5}
        >>> compare([old], [old | {"estimate": 2.0}])
        ['a.b: the estimate 2 is outside the recorded interval [0.5, 1.5]']
    """
    if not recorded and not found:
        return ["there is no claim to hold the new outputs against"]
    old = {claim["id"]: claim for claim in recorded}
    new = {claim["id"]: claim for claim in found}
    drift = [f"{name}: the claim is gone" for name in old if name not in new]
    drift += [f"{name}: the claim is new" for name in new if name not in old]
    for name in (name for name in old if name in new):
        before, after = old[name], new[name]
        if before["verdict"] != after["verdict"]:
            drift.append(f"{name}: the verdict was {before['verdict']}, now {after['verdict']}")
        low, high, estimate = before.get("low"), before.get("high"), after.get("estimate")
        if low is not None and not (estimate is not None and low <= estimate <= high):
            now = "missing" if estimate is None else f"{estimate:.6g}"
            drift.append(
                f"{name}: the estimate {now} is outside the recorded interval "
                f"[{low:.6g}, {high:.6g}]"
            )
    return drift
