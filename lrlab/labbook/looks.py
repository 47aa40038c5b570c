"""Every look at an experiment's result, on the record: `book/log/looks.jsonl`.

A look is a full-size execution of a notebook with its declared parameters, whose data, δ, rules or
set of claims differ from that notebook's last line; an identical execution is none. Each line holds
the hash of the line before it, so that none can be dropped or changed without a trace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lrlab.files import write

_JUDGED = ("kind", "data", "rule")


@dataclass(frozen=True)
class Look:
    """One look: what was judged, when, and what came of it.

    Args:
        notebook: the notebook.
        notebook_sha256: hash of its source.
        entry: name of the entry that was made, whether it stayed or not.
        date: the day, ISO 8601.
        commit: the commit that it came from, None where that is not known.
        claims_sha256: hash of all that was judged: ids, kinds, data, rules and their version.
        predictions_sha256: hash of the predictions in the notebook's header, None without any.
        n: by claim, the number of repetitions, None for an exact claim.
        verdicts: by claim, the verdict.
        previous: hash of the line before this one; empty in the first line.
    """

    notebook: str
    notebook_sha256: str
    entry: str
    date: str
    commit: str | None
    claims_sha256: str
    predictions_sha256: str | None
    n: dict[str, int | None]
    verdicts: dict[str, str]
    previous: str = ""

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


def look(record: Mapping[str, Any], claims: Sequence[Mapping[str, Any]], predictions: Any) -> Look:
    """The look that an entry is.

    Args:
        record: the entry's record.
        claims: the claims that the entry carries.
        predictions: what the notebook's header predicted, None without predictions.
    """
    return Look(
        notebook=record["notebook"],
        notebook_sha256=record["notebook_sha256"],
        entry=record["entry"],
        date=record["date"],
        commit=record["commit"],
        claims_sha256=_hash(
            [[c["id"], c.get("rules", 1), *(c.get(key) for key in _JUDGED)] for c in claims]
        ),
        predictions_sha256=None if predictions is None else _hash(predictions),
        n={c["id"]: c.get("n") for c in claims},
        verdicts={c["id"]: c["verdict"] for c in claims},
    )


def read(root: Path) -> list[Look]:
    """All looks, oldest first; none where there is no file.

    Raises:
        ValueError: naming the line that is not a look.
    """
    file = _file(root)
    found = []
    for number, text in enumerate(_lines(file), start=1):
        try:
            found.append(Look(**json.loads(text)))
        except (ValueError, TypeError):
            raise ValueError(f"{file.name}, line {number}: not a look") from None
    return found


def append(root: Path, new: Iterable[Look]) -> list[Look]:
    """Put looks at the end of the file; those that saw nothing new are left out.

    Args:
        root: the laboratory's folder.
        new: looks, oldest first.

    Returns:
        The looks that were added.
    """
    kept, added = read(root), []
    last = {old.notebook: old.claims_sha256 for old in kept}
    previous = _sha256(kept[-1].line()) if kept else ""
    for one in new:
        if last.get(one.notebook) == one.claims_sha256:
            continue
        chained = replace(one, previous=previous)
        previous = _sha256(chained.line())
        last[one.notebook] = one.claims_sha256
        added.append(chained)
    if added:
        text = "".join(f"{one.line()}\n" for one in [*kept, *added])
        write(_file(root), text.encode())
    return added


def problems(root: Path) -> list[str]:
    """What does not hold of the file: a line that is no look, or a broken chain."""
    try:
        found = read(root)
    except ValueError as error:
        return [str(error)]
    texts = _lines(_file(root))
    broken = [
        f"looks.jsonl, line {i + 2}: the line before it was changed or is missing"
        for i, (text, after) in enumerate(zip(texts, found[1:], strict=False))
        if after.previous != _sha256(text)
    ]
    first = found and found[0].previous != ""
    return [*(["looks.jsonl, line 1: lines before it are missing"] if first else []), *broken]


def told(looks: Sequence[Look]) -> str:
    """How often a notebook was looked at, with which n.

    Example:
        >>> told([])
        'no look is on the record'
    """
    if not looks:
        return "no look is on the record"
    times = {1: "once", 2: "twice"}.get(len(looks), f"{len(looks)} times")
    largest = [f"{max(sizes):,}" for one in looks if (sizes := [n for n in one.n.values() if n])]
    n = f", with n up to {', then '.join(_without_repeats(largest))}" if largest else ""
    return f"looked at {times}{n}"


def changed(looks: Sequence[Look]) -> dict[str, list[str]]:
    """By claim, its verdicts over the looks, for the claims that had more than one."""
    seen: dict[str, list[str]] = {}
    for one in looks:
        for id, verdict in one.verdicts.items():
            seen.setdefault(id, []).append(verdict)
    steps = {id: _without_repeats(verdicts) for id, verdicts in seen.items()}
    return {id: found for id, found in steps.items() if len(found) > 1}


def written_before(looks: Sequence[Look], predictions: Any) -> bool:
    """Whether these are the predictions that the first of one notebook's looks was bound to."""
    return bool(looks) and looks[0].predictions_sha256 == _hash(predictions)


def dropped(looks: Sequence[Look]) -> dict[str, str]:
    """By claim, the last verdict of those that the last look has no more."""
    seen = {id: verdict for one in looks for id, verdict in one.verdicts.items()}
    return {id: verdict for id, verdict in seen.items() if id not in looks[-1].verdicts}


def kind_of_change(verdicts: Sequence[str]) -> str:
    """What became of a verdict over the looks: "other", "untested" or "renamed".

    Renamed is what says the same in the words for a source's claim in a setting that is only like
    its own.

    Example:
        >>> kind_of_change(["supported", "seen here"])
        'renamed'
        >>> kind_of_change(["supported", "described"]), kind_of_change(["supported", "different"])
        ('untested', 'other')
    """
    from lrlab.claims import rules  # which computes, and most commands do not

    if verdicts[-1] == rules.DESCRIBED:
        return "untested"
    own = (rules.SEEN, rules.NOT_SEEN)
    same = {v if v in own else rules.in_setting(v, "analogue") for v in verdicts}
    return "renamed" if len(same) == 1 else "other"


def _without_repeats(items: Sequence[str]) -> list[str]:
    return [item for i, item in enumerate(items) if i == 0 or item != items[i - 1]]


def _file(root: Path) -> Path:
    return Path(root) / "book" / "log" / "looks.jsonl"


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _hash(value: Any) -> str:
    return _sha256(json.dumps(value, sort_keys=True, ensure_ascii=False))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
