"""What became of each checkable sentence of the documents that the laboratory sets out from."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lrlab.labbook.ledger import Row

FILE = "book/sentences.toml"
MEASURED_ONLY = "what bears on it is measured, and no claim tests it"
_FIELDS = {"says", "claims", "open", "lost", "part"}


@dataclass(frozen=True)
class Sentence:
    """One statement of a source, and the claims that put it to the test.

    Args:
        source: key of the document in the bibliography.
        says: what it states, in our words.
        claims: ids of claims; ``*`` stands for any part of one.
        open: why no claim tests it; empty where one does.
        lost: what of the source could not be had (formula, defaults, range), one clause.
        part: of the document: a dated section, an experiment, a chapter.
    """

    source: str
    says: str
    claims: tuple[str, ...] = ()
    open: str = ""
    lost: str = ""
    part: str = ""

    def rows(self, ledger: Sequence[Row]) -> list[Row]:
        """The claims of a ledger that test the sentence, in the order of `claims`."""
        found = {
            row.claim.id: row
            for pattern in self.claims
            for row in ledger
            if fnmatch.fnmatchcase(row.claim.id, pattern)
        }
        return list(found.values())


def untested(rows: Sequence[Row]) -> bool:
    """Whether all that a sentence leads to is measured: no claim decides it, so that it is open."""
    return bool(rows) and all(row.claim.kind == "descriptive" for row in rows)


def sentences(root: str | Path) -> list[Sentence]:
    """Read the table of sentences, `book/sentences.toml`.

    Args:
        root: the laboratory's folder.

    Returns:
        The sentences in the order of the file; none where there is no file.

    Raises:
        ValueError: if a row has other fields, or neither claims nor a reason to be open.
    """
    file = Path(root) / FILE
    if not file.is_file():
        return []
    found = []
    for source, rows in tomllib.loads(file.read_text("utf-8")).items():
        for row in rows:
            decided = bool(row.get("claims")) != bool(row.get("open"))
            if not row.keys() <= _FIELDS or "says" not in row or not decided:
                raise ValueError(
                    f"{FILE}: a row of {source} needs says and claims (or open): {row}"
                )
            claims = tuple(row.get("claims", ()))
            found.append(Sentence(source, **row | {"claims": claims}))
    return found


def loose_ends(table: Sequence[Sentence], ledger: Sequence[Row]) -> list[str]:
    """What the table and the ledger don't say of each other.

    A pattern that fits no claim, and a claim whose source is one of the table's documents but that
    no sentence names.

    Args:
        table: the sentences.
        ledger: the claims of the entries that count.

    Returns:
        One sentence each; empty if both agree.

    Example:
        >>> loose_ends([Sentence("smith2017cyclical", "It falls.", ("demo.falls",))], [])
        ["no claim fits 'demo.falls' (smith2017cyclical: It falls.)"]
    """
    ids = [row.claim.id for row in ledger]
    missing = [
        f"no claim fits {pattern!r} ({sentence.source}: {sentence.says})"
        for sentence in table
        for pattern in sentence.claims
        if not fnmatch.filter(ids, pattern)
    ]
    named = {row.claim.id for sentence in table for row in sentence.rows(ledger)}
    sources = {sentence.source for sentence in table}
    unnamed = [
        f"{row.claim.id} tests a statement of {row.claim.source} that the table does not have"
        for row in ledger
        if row.claim.source in sources and row.claim.id not in named
    ]
    return missing + unnamed
