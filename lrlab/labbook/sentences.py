"""What became of each checkable sentence of the documents that the laboratory sets out from."""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.claims import Judged, rules
from lrlab.labbook.entries.errors import BadInput

if TYPE_CHECKING:
    from lrlab.labbook.ledger import Row

FILE = "book/sentences.toml"
PAPERS = "book/papers.toml"
MEASURED_ONLY = "what bears on it is measured, and no claim tests it"
_FIELDS = {"says", "claims", "open", "lost", "part", "like"}


@dataclass(frozen=True)
class Sentence:
    """One statement of a source, and the claims that put it to the test.

    Args:
        source: key of the document in the bibliography.
        says: what it states, in our words.
        claims: ids of claims; ``*`` stands for any part of one.
        open: why no claim tests it; empty where one does.
        lost: what of the source could not be had (formula, defaults, range), one clause; "nothing"
            where it says all that a test needs.
        part: of the document: a dated section, an experiment, a chapter.
        like: "same" or "analogue", where its claims don't say in which setting they test it.
    """

    source: str
    says: str
    claims: tuple[str, ...] = ()
    open: str = ""
    lost: str = ""
    part: str = ""
    like: str | None = None

    def names(self, claim: Judged) -> bool:
        """Whether it is one of the sentences of the claim's own source that the claim tests."""
        return self.source == claim.source and any(
            fnmatch.fnmatchcase(claim.id, pattern) for pattern in self.claims
        )

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
    """Read the table of sentences of the documents, `book/sentences.toml`.

    Args:
        root: the laboratory's folder.

    Returns:
        The sentences in the order of the file; none where there is no file.

    Raises:
        BadInput: if the file can't be read, or a row has other fields, does not say what is lost
            of its source, or has neither claims nor a reason to be open.
    """
    return list(_rows(Path(root), FILE))


def papers(root: str | Path) -> list[Sentence]:
    """Read the sentences of papers and books by others, `book/papers.toml`.

    Args:
        root: the laboratory's folder.

    Raises:
        BadInput: as `sentences` does.
    """
    return list(_rows(Path(root), PAPERS))


def _rows(root: Path, name: str) -> tuple[Sentence, ...]:
    file = root / name
    if not file.is_file():
        return ()
    try:
        return _parsed(name, file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{name} can't be read: {error}") from None


@functools.lru_cache(maxsize=8)  # which each entry's claims are held against
def _parsed(name: str, text: str) -> tuple[Sentence, ...]:
    return tuple(
        _sentence(name, source, row)
        for source, rows in tomllib.loads(text).items()
        for row in (rows if isinstance(rows, list) else [rows])
    )


def _sentence(name: str, source: str, row: Any) -> Sentence:
    where = f"{name}: a row of {source}"
    if not isinstance(row, dict) or not {"says", "lost"} <= row.keys() <= _FIELDS:
        raise BadInput(f"{where} needs says, lost and claims (or open): {row}")
    if not row["lost"] or bool(row.get("claims")) == bool(row.get("open")):
        raise BadInput(f"{where} needs says, lost and claims (or open): {row}")
    claims = row.get("claims", [])
    texts = [value for key, value in row.items() if key != "claims"]
    if not isinstance(claims, list) or not all(isinstance(x, str) for x in [*claims, *texts]):
        raise BadInput(f"{where} has what is no text: {row}")
    if row.get("like", "same") not in ("same", "analogue"):
        raise BadInput(f"{where} is neither same nor analogue: {row}")
    return Sentence(source, **row | {"claims": tuple(claims)})


def completed(claim: Judged, table: Sequence[Sentence]) -> Judged:
    """A claim about a source with what its sentences say of that source, where it says nothing.

    That is whether the setting is the source's own, and what of the source is lost.

    Args:
        claim: a judged claim.
        table: the sentences of all sources.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> [claim] = judge([Claim.exact("x", "x", holds=True, source="a")], notebook="demo")
        >>> completed(claim, [Sentence("a", "x", ("demo.*",), lost="its range")]).about.lost
        'its range'
    """
    said = [one for one in table if one.names(claim)]
    about = claim.about
    lost = about.lost or "; ".join(dict.fromkeys(one.lost for one in said))
    claim = replace(claim, about=replace(about, lost=lost))
    like = next((one.like for one in said if one.like), None)
    if about.like or not like:
        return claim
    verdict = rules.in_setting(claim.verdict, like)
    return replace(claim, about=replace(claim.about, like=like), verdict=verdict)


def loose_ends(
    table: Sequence[Sentence], ledger: Sequence[Row], papers: Sequence[Sentence] = ()
) -> list[str]:
    """What the table and the ledger don't say of each other.

    A pattern that fits no claim, and a claim whose source is one of the table's documents but that
    no sentence names.

    Args:
        table: the sentences of the documents.
        ledger: the claims of the entries that count.
        papers: sentences of other sources, of which only some are told.

    Returns:
        One sentence each; empty if both agree.

    Example:
        >>> loose_ends([Sentence("smith2017cyclical", "It falls.", ("demo.falls",))], [])
        ["no claim fits 'demo.falls' (smith2017cyclical: It falls.)"]
    """
    ids = [row.claim.id for row in ledger]
    missing = [
        f"no claim fits {pattern!r} ({sentence.source}: {sentence.says})"
        for sentence in (*table, *papers)
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


def unsaid(ledger: Sequence[Row]) -> list[str]:
    """What claims about sources leave out: how near their setting is, and what is lost.

    Args:
        ledger: the claims of the entries that count.

    Returns:
        One sentence each; empty if all say both.
    """
    return [
        f"{claim.id}, about {claim.source}, does not say {what}"
        for claim in (row.claim for row in ledger)
        for what, said in (
            ("whether its setting is the source's own", claim.about.like),
            ("what of the source is lost", claim.about.lost),
        )
        if claim.source and not said
    ]
