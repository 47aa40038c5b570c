"""Whether entry, record and the rest of the log say the same, and whether it makes sense."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrlab.claims.rules import TESTED
from lrlab.claims.setting import smallest_effects
from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries._assemble import command, slug
from lrlab.labbook.entries.errors import BadInput

if TYPE_CHECKING:
    from lrlab.labbook.entries.logbook import Entry

_SAID_TWICE = ("notebook", "size", "parameters", "changed", "command")
_WORDS = {
    "direction": ("greater", "less"),
    "method": ("exact", "wilson"),
    "scale": ("linear", "log"),
}
_NUMBERS = ("delta", "margin", "tolerance", "threshold")


def of_entry(entry: Entry) -> Iterator[str]:
    """What an entry and its record do not agree on, one sentence each.

    Args:
        entry: the entry; both of its files can be read.
    """
    record = entry.record
    if not entry.unedited():
        yield "its bytes are not those that its record was made for"
    try:
        records.check(record)
    except ValueError as error:
        yield f"its record does not fit the schema: {error}"
        return
    if not records.unedited(record):
        yield "a field of its record was changed: they don't have the hash that it states"
    try:
        metadata = entry.content().get("metadata", {})
    except BadInput as error:
        yield str(error)
        return
    said = metadata.get("lrlab", {})
    for name in _SAID_TWICE:
        if name in said and said[name] != record[name]:
            yield f"its record has another {name} than its notebook: {_shown(record[name])}"
    if "date" in metadata and metadata["date"] != record["date"]:
        yield f"its record is of {record['date']}, its notebook of {metadata['date']}"
    yield from _by_name(entry.name, record)


def between(log: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """What entries say of one another that does not hold: pairs of an entry and a sentence.

    Args:
        log: all entries.
    """
    by_name = {entry.name: entry for entry in log}
    first: dict[str, str] = {}
    taken: dict[str, str] = {}
    for entry in log:
        digest = entry.record["entry_sha256"]
        if digest in first:
            yield entry.name, f"it is a copy of {first[digest]}"
        first.setdefault(digest, entry.name)
        if entry.record["supersedes"]:
            older = entry.record["supersedes"]["entry"]
            if older not in by_name:
                yield entry.name, f"it supersedes {older}, which the log does not have"
            elif by_name[older].record["notebook"] != entry.record["notebook"]:
                yield entry.name, f"it supersedes {older}, an entry of another notebook"
            elif log.index(by_name[older]) >= log.index(entry):
                yield entry.name, f"it supersedes {older}, which is not older"
            if older in taken:
                yield entry.name, f"it supersedes {older}, as {taken[older]} does"
            taken.setdefault(older, entry.name)


def of_claim(claim: Mapping[str, Any]) -> list[str]:
    """What in a stored claim's rule or data no constructor of claims lets pass, one sentence each.

    Args:
        claim: a claim as `Judged.to_dict` gives it.

    Example:
        >>> rule = {"direction": "lesser", "delta": 0.1}
        >>> of_claim({"kind": "effect", "rule": rule, "data": {"values": [1.0]}})
        ["its rule's direction is 'lesser', not greater or less"]
    """
    kind, rule, data = claim["kind"], claim["rule"], claim["data"]
    if kind not in (*TESTED, "exact", "descriptive"):
        return [f"its kind is {kind!r}, which is none"]
    found = [
        f"its rule's {name} is {rule[name]!r}, not {' or '.join(words)}"
        for name, words in _WORDS.items()
        if name in rule and rule[name] not in words
    ]
    found += [
        f"its rule's {name} is {rule[name]!r}, no number from 0 on"
        for name in _NUMBERS
        if name in rule and not (type(rule[name]) in (int, float) and 0 <= rule[name] < math.inf)
    ]
    if kind == "proportion" and not 0 <= data["successes"] <= data["n"]:
        found.append(f"it counts {data['successes']} of {data['n']}")
    return found


def of_delta(claim: Mapping[str, Any]) -> list[str]:
    """Whether a stored claim has a δ of its own without saying why, one sentence if so.

    Its δ is the table's for its metric (that of any of the metric's tasks), or `About.reason` says
    why it is another.

    Args:
        claim: a claim as `Judged.to_dict` gives it.

    Example:
        >>> stored = {"rule": {"margin": 0.3}, "about": {"metric": "test loss"}}
        >>> of_delta(stored)
        ["its δ is 0.3, not the table's for 'test loss' (0.01, 0.005), and it gives no reason"]
    """
    delta = claim["rule"].get("delta", claim["rule"].get("margin"))
    if delta is None or claim["about"].get("reason"):
        return []
    metric = claim["about"].get("metric")
    row = smallest_effects().get(metric)
    if row is None:
        return [f"its δ is {delta:g} without a metric of the table, and it gives no reason"]
    known = [row["delta"], *row.get("tasks", {}).values()]
    if any(math.isclose(delta, value) for value in known):
        return []
    values = ", ".join(f"{value:g}" for value in known)
    return [
        f"its δ is {delta:g}, not the table's for {metric!r} ({values}), and it gives no reason"
    ]


def _by_name(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    """What a record says beside what its name and its other fields say."""
    size, changed = record["size"], record["changed"]
    if name != f"{record['date']}-{slug(record['notebook'], size, changed)}":
        yield "its name is not the one that its record's date, notebook and parameters give"
    commands = [command(record["notebook"], size, changed, portable) for portable in (False, True)]
    if record["command"] not in commands:
        yield f"its command is not the one that makes it: {_shown(record['command'])}"
    if any(record["parameters"].get(key) != value for key, value in changed.items()):
        yield "its record says that parameters were changed, and has other values of them"
    if record.get("trained", 0) > len(record["runs"]):
        yield "its record counts more trained runs than it has"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 80 else f"{text[:79]}…"
