"""The log: its entries, and which of them are superseded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries._record import check, sha256
from lrlab.labbook.entries._source import nearest
from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.entries.laboratory import log_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True)
class Entry:
    """An executed notebook and its record.

    Attributes:
        path: the notebook's file.
        record: what its record says.
        superseded_by: the name of the entry that took its place, if one did.
    """

    path: Path
    record: dict[str, Any]
    superseded_by: str | None = None

    @property
    def name(self) -> str:
        """The entry's name: its date, its notebook and what differs."""
        return self.path.name.removesuffix(".ipynb")

    def notebook(self) -> NotebookNode:
        """Read the executed notebook."""
        import nbformat

        return nbformat.read(self.path, as_version=4)

    def claims(self) -> list[dict[str, Any]]:
        """Return the claims that the entry carries, in the order of its cells."""
        return claims_of(json.loads(self.path.read_bytes()))

    def unedited(self) -> bool:
        """Return whether the notebook is, byte for byte, the one that was recorded."""
        return sha256(self.path.read_bytes()) == self.record["entry_sha256"]


def claims_of(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the claims that a notebook's outputs carry as metadata."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            metadata = output.get("metadata", {})
            found += [metadata["lrlab_claim"]] if "lrlab_claim" in metadata else []
            found += metadata.get("lrlab_claims", [])
    return found


def log(root: Path) -> list[Entry]:
    """Return the entries of the log, oldest first.

    Args:
        root: the laboratory's folder.

    Raises:
        BadInput: if an entry has no record, or one that does not fit the schema.
    """
    entries = []
    for path in log_folder(root).glob("[0-9]*.ipynb"):
        file = path.with_suffix(".json")
        if not file.exists():
            raise BadInput(f"the entry {path.stem} has no record beside it")
        record = json.loads(file.read_text(encoding="utf-8"))
        try:
            check(record)
        except ValueError as error:
            raise BadInput(f"the record of {path.stem} is not valid: {error}") from None
        entries.append(Entry(path, record))
    successors = {
        entry.record["supersedes"]["entry"]: entry.name
        for entry in entries
        if entry.record["supersedes"]
    }
    return sorted(
        (Entry(e.path, e.record, successors.get(e.name)) for e in entries),
        key=lambda entry: (entry.record["date"], entry.record["started"], entry.name),
    )


def find(root: Path, name: str) -> Entry:
    """Return the entry of this name.

    Raises:
        BadInput: if the log has none.
    """
    entries = {entry.name: entry for entry in log(root)}
    name = Path(name).name.removesuffix(".ipynb")
    if name not in entries:
        raise BadInput(f"the log has no entry {name!r}{nearest(name, entries)}")
    return entries[name]
