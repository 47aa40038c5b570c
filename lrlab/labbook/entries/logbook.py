"""The log: its entries, and which of them are superseded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab import events
from lrlab.labbook.entries._record import read, sha256
from lrlab.labbook.entries._source import nearest
from lrlab.labbook.entries.errors import BadInput, shortened
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

    def unexecuted(self) -> NotebookNode:
        """Read the notebook without what its cells said."""
        notebook = self.notebook()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        return notebook

    def content(self) -> dict[str, Any]:
        """Return the notebook's JSON; a notebook that reads it has it among its inputs.

        Raises:
            BadInput: if it is damaged.
        """
        try:
            data = self.path.read_bytes()
            found = _parsed(data)
        except (OSError, ValueError) as error:
            raise BadInput(f"the notebook of {self.name} can't be read: {_why(error)}") from None
        events.emit("input", what="entry", name=self.name, sha256=sha256(data))
        return found

    def claims(self) -> list[dict[str, Any]]:
        """Return the claims that the entry carries, in the order of its cells.

        Raises:
            BadInput: if it is damaged, or judged by rules that this package does not know.
        """
        from lrlab.labbook import stored_claims  # which computes, and most commands do not

        found = claims_of(self.content())
        if why := stored_claims.unknown(found):
            raise BadInput(f"the claims of {self.name} {why}")
        return found

    def unedited(self) -> bool:
        """Return whether the notebook is, byte for byte, the one that was recorded."""
        try:
            return sha256(self.path.read_bytes()) == self.record["entry_sha256"]
        except OSError:
            return False


def claims_of(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the claims that a notebook's outputs carry as metadata.

    Raises:
        ValueError: if its cells or outputs are not those of a notebook.
    """
    found = []
    try:
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                metadata = output.get("metadata", {})
                found += [metadata["lrlab_claim"]] if "lrlab_claim" in metadata else []
                found += metadata.get("lrlab_claims", [])
    except (AttributeError, KeyError, TypeError):
        raise ValueError("its cells are not those of a notebook") from None
    return found


@dataclass(frozen=True)
class Damage:
    """Something in the log that is no entry with its record.

    Args:
        name: of the entry or the record.
        what: one sentence that names it.
    """

    name: str
    what: str


class DamagedLog(BadInput):
    """The log holds what can't be read; `damages` has a sentence for each."""

    def __init__(self, damages: Sequence[Damage]) -> None:
        more = f" (and {len(damages) - 1} more)" if len(damages) > 1 else ""
        super().__init__(f"{damages[0].what}{more}")
        self.damages = damages

    @property
    def sentences(self) -> list[str]:
        """What is shown, one line for each damage."""
        return [damage.what for damage in self.damages]


def survey(root: Path) -> tuple[list[Entry], list[Damage]]:
    """Return the entries of the log, oldest first, and what in it is damaged.

    Args:
        root: the laboratory's folder.
    """
    entries, damages = [], []
    folder = log_folder(root)
    names = {path.stem for ending in ("ipynb", "json") for path in folder.glob(f"[0-9]*.{ending}")}
    for name in sorted(names):
        path = folder / f"{name}.ipynb"
        try:
            entries.append(Entry(path, _record_of(path)))
        except ValueError as error:
            damages.append(Damage(name, str(error)))
    successors = {
        entry.record["supersedes"]["entry"]: entry.name
        for entry in entries
        if entry.record["supersedes"]
    }
    ordered = sorted(
        (Entry(e.path, e.record, successors.get(e.name)) for e in entries),
        key=lambda entry: (entry.record["date"], entry.record["started"], entry.name),
    )
    return ordered, damages


def log(root: Path) -> list[Entry]:
    """Return the entries of the log, oldest first.

    Args:
        root: the laboratory's folder.

    Raises:
        DamagedLog: if an entry has no record, or if something in the log can't be read.
    """
    entries, damages = survey(root)
    if damages:
        raise DamagedLog(damages)
    return entries


def _record_of(path: Path) -> dict[str, Any]:
    """The record of an entry; ValueError, naming the entry, if either is damaged."""
    name, file = path.stem, path.with_suffix(".json")
    if not path.exists():
        raise ValueError(f"the record {name} has no entry beside it")
    if not file.exists():
        raise ValueError(f"the entry {name} has no record beside it")
    try:
        record = read(file)
    except ValueError as error:
        raise ValueError(f"the record of {name} {error}") from None
    if record["entry"] != name:
        raise ValueError(f"the entry {name} is a copy: its record names {record['entry']!r}")
    try:
        data = path.read_bytes()
        if sha256(data) != record["entry_sha256"]:
            claims_of(_parsed(data))
    except (OSError, ValueError) as error:
        raise ValueError(f"the notebook of {name} can't be read: {_why(error)}") from None
    return record


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
        if isinstance(found, dict) and all(isinstance(c, dict) for c in found["cells"]):
            return found
    except (RecursionError, KeyError, TypeError):
        pass
    raise ValueError("it is no notebook")


def _why(error: Exception) -> str:
    return error.strerror or "" if isinstance(error, OSError) else shortened(str(error), 100)


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
