"""Trying what the log holds on the stand-in for another processor; nothing is computed twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.claims import rules
from lrlab.files import write
from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries import consistency
from lrlab.labbook.entries._assemble import assemble
from lrlab.labbook.entries._execute import Execution, execute
from lrlab.labbook.entries._place import held
from lrlab.labbook.entries._runner import differing, verdicts
from lrlab.labbook.entries._source import Source, read
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import log_folder, partial_folder
from lrlab.labbook.entries.logbook import Entry, find, log
from lrlab.labbook.entries.values import Value
from lrlab.labbook.releases import sealed

if TYPE_CHECKING:
    from nbformat import NotebookNode

PORTABLE, FRAGILE, UNCHECKED = "portable", "fragile", "not checked"
_SEEDS = "_seeds"  # how parameters end that say how many


@dataclass(frozen=True)
class Checked:
    """What became of an entry's check.

    Attributes:
        entry: its name.
        status: `portable` (every verdict was the same), `fragile` (one was another; it counts as
            undecided from now on) or `not checked`; only then its record stays as it was.
        details: what differed, or why it was not checked, one sentence each.
        seconds: how long it took.
        ratio: what the stand-in would have taken with an empty store over what the entry's record
            says of itself, at the same size; None where either is not known.
    """

    entry: str
    status: str
    details: list[str] = field(default_factory=list)
    seconds: float = 0.0
    ratio: float | None = None


@dataclass(frozen=True)
class _Tried:
    """Verdicts under both profiles, what the record says of the check, and what it took."""

    ours: dict[str, str | None]
    check: dict[str, Any]
    seconds: float
    ratio: float | None


def waiting(root: Path, log: Sequence[Entry]) -> list[Entry]:
    """The entries that no release holds yet and that need a check before one can.

    Args:
        root: the laboratory's folder.
        log: entries.

    Raises:
        BadInput: if the releases can't be read.
    """
    return [
        entry
        for entry in log
        if entry.record["portable_check"] is None
        and entry.record["profile"]["name"] == "portable"
        and _released(root, entry) is None
    ]


def chosen(root: Path, names: Sequence[str] = (), *, again: bool = False) -> list[Entry]:
    """The entries that are going to be checked.

    Args:
        root: the laboratory's folder.
        names: entries; each must be fit. By default those that no release holds and that lack a
            check.
        again: whether those that have one are taken too.

    Raises:
        BadInput: if one that was named is not in the log, was released, is damaged, or was made
            from what is another by now.
    """
    if not names:
        entries = log(root)
        if again:
            return [entry for entry in entries if _released(root, entry) is None]
        return waiting(root, entries)
    entries = [find(root, name) for name in dict.fromkeys(names)]
    for entry in entries:
        _fit(root, entry)
    return entries


def check(
    root: Path,
    entries: Sequence[Entry],
    *,
    smoke_over: float | None = None,
    progress: bool = True,
) -> Iterator[Checked]:
    """Execute entries on the stand-in and hold its verdicts against those that they store.

    `portable_check` and `fragile` of each record are written as soon as they are known; nothing
    else of the log changes.

    Args:
        root: the laboratory's folder.
        entries: what to check, as `chosen` gives it.
        smoke_over: an entry that takes longer, in seconds from an empty store, is tried at smoke
            size, under both profiles. It keeps its own numbers of seeds, so that verdicts can be
            decided. By default every entry is tried at its own size.
        progress: whether to show bars on the terminal.

    Yields:
        One outcome for each entry. What can't be checked is one too, and the others go on.

    Raises:
        RunFailed: if it is interrupted.
    """
    for number, entry in enumerate(entries, start=1):
        label = f"[{number}/{len(entries)}] {entry.name}" if progress else ""
        try:
            yield _checked(root, entry, smoke_over, label)
        except BadInput as error:
            yield Checked(entry.name, UNCHECKED, [str(error)])
        except RunFailed as error:
            if error.interrupted:
                raise
            where = f"; the notebook so far is {error.partial}" if error.partial else ""
            yield Checked(entry.name, UNCHECKED, [f"{error}{where}"])


def _checked(root: Path, entry: Entry, smoke_over: float | None, label: str) -> Checked:
    name, record = entry.name, entry.record
    took = record.get("seconds_from_empty") or record["seconds"]
    small = smoke_over is not None and took > smoke_over and record["size"] == "full"
    with held(entry.path):
        source = _still_fit(root, entry)
        tried = (_try_small if small else _try_whole)(root, entry, source, label)
        _still_fit(root, entry)
        fragile = differing(tried.ours, tried.check["verdicts"])
        if fragile and not small and (other := _another_input(root, record)):
            what = (
                f"{', '.join(fragile)} came out otherwise, but {other} has changed since it read it"
            )
            raise BadInput(f"{name}: {what}, so that this need not be the processor")
        record = record | {"fragile": fragile, "portable_check": tried.check}
        if record["schema"] > 1:  # the first version has no seal
            record = records.sealed(record)
        write(entry.path.with_suffix(".json"), records.to_bytes(record))
    theirs = tried.check["verdicts"]
    details = [f"{id}: {tried.ours.get(id)} here, {theirs.get(id)} there" for id in fragile]
    if small:
        details.append(f"at smoke size, where {decided(theirs)} verdicts are decided")
    return Checked(
        name, FRAGILE if fragile else PORTABLE, details, round(tried.seconds, 2), tried.ratio
    )


def decided(verdicts: dict[str, str | None]) -> str:
    """How many of some verdicts are decided; a measurement has none.

    Example:
        >>> decided({"a.b": "supported", "a.c": "inconclusive", "a.d": "described"})
        '1 of 2'
    """
    undecided = (None, rules.INCONCLUSIVE, rules.FRAGILE)
    tested = [verdict for verdict in verdicts.values() if verdict != rules.DESCRIBED]
    return f"{sum(verdict not in undecided for verdict in tested)} of {len(tested)}"


def _try_whole(root: Path, entry: Entry, source: Source, label: str) -> _Tried:
    """The entry's own cells on the stand-in; what they say here is stored."""
    stored = entry.notebook()
    there = _execute(root, entry, entry.unexecuted(), "foreign", label)
    recorded, needed = entry.record.get("seconds_from_empty"), there.seconds_from_empty
    ratio = needed / recorded if recorded and needed is not None else None
    return _Tried(
        verdicts(stored),
        {"profile": "foreign", "verdicts": verdicts(there.notebook)},
        there.seconds,
        ratio,
    )


def _try_small(root: Path, entry: Entry, source: Source, label: str) -> _Tried:
    """Its notebook at smoke size with the entry's own numbers of seeds, under both profiles."""
    changed = _at_smoke_size(source, entry.record)
    if what := source.refusal(source.values("smoke", changed), changed):
        raise BadInput(f"{entry.name} can't be tried at smoke size: {what}")
    notebook = assemble(source, "smoke", changed)
    here = _execute(root, entry, notebook, "portable", label)
    there = _execute(root, entry, notebook, "foreign", label)
    check = {
        "profile": "foreign",
        "size": "smoke",
        "changed": changed,
        "verdicts": verdicts(there.notebook),
        "portable_verdicts": verdicts(here.notebook),
    }
    needed, recorded = there.seconds_from_empty, here.seconds_from_empty
    ratio = needed / recorded if recorded and needed is not None else None
    return _Tried(verdicts(here.notebook), check, here.seconds + there.seconds, ratio)


def _at_smoke_size(source: Source, record: dict[str, Any]) -> dict[str, Value]:
    """What differs from the smoke size: what was asked for, and as many seeds as the entry has."""
    usual = source.values("smoke", {})
    seeds = {k: v for k, v in record["parameters"].items() if k.endswith(_SEEDS)}
    return {k: v for k, v in {**seeds, **record["changed"]}.items() if v != usual[k]}


def _execute(
    root: Path, entry: Entry, notebook: NotebookNode, profile: str, label: str
) -> Execution:
    label = f"{label} ({profile})" if label else ""
    kept = partial_folder(root) / f"{profile}-{entry.name}.ipynb"
    return execute(notebook, root, profile=profile, label=label, kept=kept)


def _released(root: Path, entry: Entry) -> str | None:
    try:
        return sealed(root, entry.path)
    except ValueError as error:
        raise BadInput(f"the releases can't be read: {error}") from None


def _still_fit(root: Path, entry: Entry) -> Source:
    if find(root, entry.name).record != entry.record:
        raise BadInput(f"the record of {entry.name} was changed meanwhile")
    return _fit(root, entry)


def _fit(root: Path, entry: Entry) -> Source:
    """The notebook of an entry that may be checked: its verdicts are what it would give today.

    Raises:
        BadInput: if it may not: what another execution says would tell of more than the processor.
    """
    name, record = entry.name, entry.record
    if tag := _released(root, entry):
        raise BadInput(f"the entry {name} was released with {tag} and stays as it is")
    for what in consistency.of_entry(entry):
        raise BadInput(f"the entry {name} is damaged: {what}")
    source = read(root, record["notebook"])
    renew = f"lrlab run {source.name} --replace --check-portable executes it again"
    if source.sha256 != record["notebook_sha256"]:
        raise BadInput(f"notebooks/{source.name}.py has changed since {name} was executed; {renew}")
    if source.values(record["size"], record["changed"]) != record["parameters"]:
        raise BadInput(f"the parameters of {name} are not those of its notebook; {renew}")
    today = records.versions()
    for package in sorted(today.keys() | record["versions"].keys()):
        then, now = record["versions"].get(package, "none"), today.get(package, "none")
        if then != now:
            raise BadInput(f"{name} was executed with {package} {then}, here is {now}; {renew}")
    if any(claim.get("rules", 1) != rules.VERSION for claim in entry.claims()):
        raise BadInput(f"{name} was judged by an older version of the rules; {renew}")
    return source


def _another_input(root: Path, record: dict[str, Any]) -> str | None:
    """An entry or file that is not what an entry read when it was executed."""
    for one in record.get("inputs", []):
        path = root / one["name"]
        if one["kind"] == "entry":
            path = log_folder(root) / f"{one['name']}.ipynb"
        found = b""
        with contextlib.suppress(OSError):
            found = path.read_bytes()
        if records.sha256(found) != one["sha256"]:
            return one["name"]
    return None
