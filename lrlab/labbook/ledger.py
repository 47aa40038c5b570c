"""The claims of all entries that count, and their check against the log and the last release."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.claims import Judged, rules
from lrlab.labbook import looks, releases, stored_claims
from lrlab.labbook.entries import consistency, laboratory
from lrlab.labbook.entries.errors import BadInput, shortened
from lrlab.labbook.entries.logbook import log, survey
from lrlab.labbook.sentences import completed, papers, sentences

if TYPE_CHECKING:
    from lrlab.labbook.entries.logbook import Entry


@dataclass(frozen=True)
class Row:
    """One claim of an entry that counts.

    Args:
        claim: the claim.
        entry: the entry's name, `<date>-<slug>`.
        date: the entry's date, ISO 8601.
        supersedes: the entry's `supersedes` record, if it has one.
    """

    claim: Judged
    entry: str
    date: str
    supersedes: Mapping[str, str] | None = None

    @property
    def names(self) -> set[str]:
        """What it can be asked for by: the name of its notebook, of its entry, and its own."""
        return {self.claim.id.partition(".")[0], self.entry, self.claim.id}


@dataclass(frozen=True)
class Problem:
    """Something in the log that does not hold.

    Args:
        where: the claim or the entry it is about.
        what: one sentence.

    Example:
        >>> print(Problem("onecycle.recovers", "its verdict changed"))
        onecycle.recovers: its verdict changed
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def ledger(root: str | Path) -> list[Row]:
    """All claims of the entries that count, newest entry first.

    An entry counts if it is the newest of its notebook among those that no other supersedes and
    that were run at full size with default parameters.

    Args:
        root: the laboratory's folder.

    Returns:
        One row a claim, in the order of the entry's page.
    """
    return rows(log(Path(root)))


def rows(log: Sequence[Entry]) -> list[Row]:
    """All claims of those entries of a log that count, newest entry first."""
    return [
        Row(claim, entry.name, entry.record["date"], entry.record["supersedes"])
        for entry in counting(log)
        for claim in joined(entry)
    ]


def joined(entry: Entry) -> list[Judged]:
    """The claims of an entry, with what its record and the sentences of their sources say of them.

    A verdict that was another on the stand-in for a foreign processor is fragile; that is found
    after the entry was made, so that it is a field of the record. What of a source is lost is a
    fact of its sentence, which a claim need not repeat.

    Raises:
        BadInput: if its claims are none, or judged by rules that this package does not know.
    """
    elsewhere, root = set(entry.record["fragile"]), laboratory.of_entry(entry.path)
    table = [*sentences(root), *papers(root)]
    try:
        found = [completed(Judged.from_dict(claim), table) for claim in entry.claims()]
    except (AttributeError, KeyError, TypeError) as error:
        what = f"the claims of {entry.name} can't be read: {shortened(str(error), 100)}"
        raise BadInput(what) from None
    return [_another_elsewhere(claim) if claim.id in elsewhere else claim for claim in found]


def _another_elsewhere(claim: Judged) -> Judged:
    """The same claim, undecided since another processor gave it another verdict."""
    reason = "it was another under the profile of a foreign processor"
    return replace(claim, verdict=rules.FRAGILE, fragile=[*claim.fragile, reason])


def counting(log: Sequence[Entry]) -> list[Entry]:
    """The entries whose verdicts stand: of each notebook the newest that counts, newest first."""
    newest = {
        entry.record["notebook"]: entry
        for entry in sorted(log, key=_age)
        if entry.record["size"] == "full" and not (entry.record["changed"] or entry.superseded_by)
    }
    return sorted(newest.values(), key=_age, reverse=True)


def _age(entry: Entry) -> tuple[str, str]:
    return entry.record["date"], entry.record["started"]


def check(root: str | Path) -> list[Problem]:
    """Hold the log against itself and against the previous release.

    Every entry and record can be read and belong together: the entry's bytes have the hash that its
    record states, the record's fields the hash that it states of them (the first version of records
    has none), and what both say is the same. Every claim must be what its rule makes of its stored
    values, alone and among its entry's others, and take its δ from the table or say why not; and no
    claim of a release may be gone, have another verdict or an estimate outside its recorded
    interval, unless a newer entry supersedes the older one and says why. A released entry is
    append-only.

    Args:
        root: the laboratory's folder.

    Returns:
        What does not hold; empty if all does.
    """
    root = Path(root)
    log, damages = survey(root)
    problems = [Problem(damage.name, damage.what) for damage in damages]
    problems += [Problem(name, what) for name, what in consistency.between(log)]
    for entry in log:
        problems += [Problem(entry.name, what) for what in consistency.of_entry(entry)]
        try:
            problems += _of_claims(entry.name, entry.claims())
        except BadInput as error:
            problems.append(Problem(entry.name, str(error)))
    problems += [Problem("the log", what) for what in looks.problems(root)]
    return problems + _against_release(root, log)


def _of_claims(name: str, claims: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Claims of an entry that are not what their rules make of their values."""
    problems, sound = [], []
    for claim in claims:
        try:
            problems += [
                Problem(claim["id"], f"entry {name}: {what}")
                for what in consistency.of_claim(claim) or consistency.of_delta(claim)
            ]
            sound.append((claim, stored_claims.recompute(claim)))
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            where = claim.get("id", name) if isinstance(claim, dict) else name
            what = f"entry {name}: it can't be judged: {shortened(str(error), 100)}"
            problems.append(Problem(str(where), what))
    if problems:
        return problems
    for (claim, verdict), again in zip(sound, stored_claims.rejudge(claims), strict=True):
        differs = _different(claim, again.to_dict())
        if verdict != claim["verdict"]:
            what = f"entry {name} says {claim['verdict']!r}, its rule gives {verdict!r}"
            problems.append(Problem(claim["id"], what))
        elif differs:
            what = f"entry {name} stores another {', '.join(differs)} than its values give"
            problems.append(Problem(claim["id"], what))
    return problems


def _different(stored: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Fields that differ by more than another machine's arithmetic may change the last digits."""
    return [
        key
        for key in sorted(stored.keys() | again.keys())
        if stored.get(key) != again.get(key)
        and not (
            isinstance(stored.get(key), float)
            and isinstance(again.get(key), float)
            and math.isclose(stored[key], again[key], rel_tol=1e-9, abs_tol=1e-12)
        )
    ]


def _against_release(root: Path, log: Sequence[Entry]) -> list[Problem]:
    problems = [Problem(file, what) for file, what in releases.problems(root)]
    try:
        released = releases.read(root)
    except ValueError:
        return problems  # which say so
    sealed = {Path(name).stem for one in released for name in one.files}
    if not sealed:
        return problems
    try:
        before = rows([entry for entry in log if entry.name in sealed])
        return problems + _changed(before, rows(log), released[-1].version)
    except BadInput:
        return problems  # what can't be read was named before


def _changed(before: Sequence[Row], now: Sequence[Row], release: str) -> list[Problem]:
    """Claims of a release that are gone or different now, without a reason given."""
    today = {row.claim.id: row for row in now}
    explained = {row.supersedes["entry"] for row in now if row.supersedes}
    problems = []
    for row in before:
        old = row.claim
        if row.entry in explained:
            continue
        new = today[old.id].claim if old.id in today else None
        if new is None:
            problems.append(Problem(old.id, f"it was in {release} and is gone"))
        elif new.verdict != old.verdict:
            what = f"{old.verdict!r} in {release}, {new.verdict!r} now"
            problems.append(Problem(old.id, f"{what}, and no superseding entry says why"))
        elif old.low is not None and not old.low <= new.estimate <= old.high:
            what = f"{new.estimate:.4g} is outside {release}'s [{old.low:.4g}, {old.high:.4g}]"
            problems.append(Problem(old.id, f"{what}, and no superseding entry says why"))
    return problems


def totals(rows: Sequence[Row]) -> dict[str, int]:
    """Number of claims by verdict, in a fixed order, zeros included."""
    return counted([row.claim.to_dict() for row in rows])


def summary(rows: Sequence[Row]) -> str:
    """How many claims there are, in a line: those that were tested by verdict, the others apart.

    Example:
        >>> summary([])
        '0 tested claims, 0 measurements, 0 checks'
    """
    kinds = [row.claim.kind for row in rows]
    tested = [row for row in rows if row.claim.kind in rules.TESTED]
    counts = ", ".join(f"{n} {verdict}" for verdict, n in totals(tested).items() if n)
    return (
        f"{len(tested)} tested claims{f' ({counts})' if counts else ''}, "
        f"{kinds.count('descriptive')} measurements, {kinds.count('exact')} checks"
    )


def in_words(claims: Iterable[Judged]) -> str:
    """How many claims have which verdict, in a line; what has none is called measured."""
    counts = counted([claim.to_dict() for claim in claims])
    named = {rules.DESCRIBED: "measured"}
    return " · ".join(f"{n} {named.get(verdict, verdict)}" for verdict, n in counts.items() if n)


def counted(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Number of stored claims by verdict, in a fixed order, zeros included."""
    verdicts = [claim["verdict"] for claim in found]
    return {verdict: verdicts.count(verdict) for verdict in rules.VERDICTS}
