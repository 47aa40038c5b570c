"""From a notebook and parameters to a dated, executed, normalised entry with its record."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries._assemble import assemble, command, date_metadata, slug
from lrlab.labbook.entries._execute import Execution, execute
from lrlab.labbook.entries._normalise import (
    Unfit,
    machine_details,
    normalise,
    refuse_machine,
    to_bytes,
)
from lrlab.labbook.entries._place import alone, held, is_record, keep, put
from lrlab.labbook.entries._source import Source, read
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import log_folder, partial_folder
from lrlab.labbook.entries.logbook import Entry, claims_of, find
from lrlab.labbook.entries.values import Value
from lrlab.labbook.looks import append, look
from lrlab.labbook.looks import read as looks
from lrlab.labbook.releases import sealed

if TYPE_CHECKING:
    from nbformat import NotebookNode

_FIRST_SEED, _OTHER_SEEDS = "first_seed", 500_000


@dataclass(frozen=True)
class Request:
    """What `lrlab run` was asked for.

    Attributes:
        root: the laboratory's folder.
        notebook: the notebook's name.
        texts: pairs of parameter name and text, as typed.
        size: `full` or `smoke`.
        out: a folder, or a file ending in `.ipynb`, instead of the log.
        replace: whether an entry of this name is renewed.
        check_portable: whether the verdicts are tried under the foreign profile too.
        supersedes: the name of the entry whose place the new one takes.
        reason: why.
    """

    root: Path
    notebook: str
    texts: list[tuple[str, str]] = field(default_factory=list)
    size: str = "full"
    out: Path | None = None
    replace: bool = False
    check_portable: bool = False
    supersedes: str | None = None
    reason: str | None = None


def run(request: Request, *, progress: bool = True) -> Entry:
    """Execute a notebook and write the entry with its record.

    Args:
        request: what was asked for.
        progress: whether to show a bar on the terminal.

    Returns:
        The new entry.

    Raises:
        BadInput: if it can't be done as asked; nothing has been written.
        RunFailed: if a cell failed, the run was interrupted, or the result can't be published.
    """
    _check_texts(request)
    source = read(request.root, request.notebook)
    changed = source.ask(request.texts, request.size)
    if request.out is not None:
        changed = _on_other_seeds(source, changed)
    day = datetime.date.today().isoformat()
    name = f"{day}-{slug(source.name, request.size, changed)}"
    path = _target(request, name)
    with held(path):
        _refuse_taken(request, path)
        return _run(request, source, changed, path, day, progress)


def _run(
    request: Request,
    source: Source,
    changed: dict[str, Value],
    path: Path,
    day: str,
    progress: bool,
) -> Entry:
    supersedes = _supersedes(request, path)
    counts = request.out is None and request.size == "full" and not changed
    if counts:
        _readable_looks(request.root)
    notebook = assemble(source, request.size, changed, request.check_portable)
    metadata = dict(notebook.metadata)
    if request.out is None:
        metadata |= date_metadata(source, request.size, changed, day)
    try:
        refuse_machine(notebook, request.root)
    except Unfit as error:
        raise BadInput(f"what would be executed can't be published: {error}") from None
    label = source.name if progress else ""
    kept = partial_folder(request.root) / path.name

    started = datetime.datetime.now(datetime.UTC)
    execution = execute(notebook, request.root, label=label, kept=kept)
    fragile, portable_check = [], None
    if request.check_portable:
        fragile, portable_check = _try_elsewhere(request, notebook, execution, label, kept)
    data = publishable(execution.notebook, metadata, request.root, kept)

    record = {
        "schema": records.SCHEMA,
        "entry": path.stem,
        "notebook": source.name,
        "notebook_sha256": source.sha256,
        "entry_sha256": records.sha256(data),
        "date": day,
        "size": request.size,
        "parameters": source.values(request.size, changed),
        "changed": changed,
        "command": command(source.name, request.size, changed, request.check_portable),
        "supersedes": supersedes,
        "fragile": fragile,
        "portable_check": portable_check,
        "runs": execution.runs,
        "trained": execution.trained,
        "inputs": execution.inputs,
        **records.surroundings(request.root, "portable"),
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(execution.seconds, 2),
        "seconds_from_empty": execution.seconds_from_empty,
    }
    record = records.sealed(record)
    try:
        _refuse_taken(request, path)
    except BadInput as error:  # it was put there by other means than ours
        raise RunFailed(str(error), keep(data, kept)) from None
    put(path, data, records.to_bytes(record), kept)
    if counts:
        claims = claims_of(execution.notebook)
        with alone(log_folder(request.root) / "looks", wait=60):
            append(request.root, [look(record, claims, source.header.get("predictions"))])
    return Entry(path, record)


def _on_other_seeds(source: Source, changed: dict[str, Value]) -> dict[str, Value]:
    """Move the seeds of a run that is not for the log: it is no look at the log's result."""
    own = source.parameters.get(_FIRST_SEED)
    if own is None or _FIRST_SEED in changed:
        return changed
    return changed | {_FIRST_SEED: own.default + _OTHER_SEEDS}


def publishable(notebook: NotebookNode, metadata: dict[str, Any], root: Path, kept: Path) -> bytes:
    """Return the normalised bytes of an executed notebook.

    Raises:
        RunFailed: if it can't be published; the notebook is then left at `kept`.
    """
    executed = to_bytes(notebook)
    try:
        return normalise(notebook, metadata, root)
    except Unfit as error:
        raise RunFailed(str(error), keep(executed, kept)) from None


def verdicts(notebook: NotebookNode) -> dict[str, str | None]:
    """Return the verdict of each claim that a notebook carries."""
    return {claim["id"]: claim.get("verdict") for claim in claims_of(notebook)}


def differing(ours: dict[str, str | None], theirs: dict[str, str | None]) -> list[str]:
    """Return the claims whose verdict is another here than there, or missing in one place."""
    return sorted(id for id in ours.keys() | theirs.keys() if ours.get(id) != theirs.get(id))


def _try_elsewhere(
    request: Request, notebook: NotebookNode, here: Execution, label: str, kept: Path
) -> tuple[list[str], dict[str, Any]]:
    label = f"{label} (foreign)" if label else ""
    there = execute(notebook, request.root, profile="foreign", label=label, kept=kept)
    ours, theirs = verdicts(here.notebook), verdicts(there.notebook)
    return differing(ours, theirs), {"profile": "foreign", "verdicts": theirs}


def _check_texts(request: Request) -> None:
    """Refuse what no file can hold: bytes that are not UTF-8."""
    texts = {f"the value of {name}": text for name, text in request.texts}
    texts |= {"--reason": request.reason or "", "--out": str(request.out or "")}
    for what, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{what} is no text: it has bytes that are not UTF-8") from None
    if found := machine_details(request.root, temporary=False).search(request.reason or ""):
        raise BadInput(f"--reason tells of this machine: {found[0]}")


def _target(request: Request, name: str) -> Path:
    """The notebook that is going to be written."""
    log = log_folder(request.root)
    if request.out is None:
        return log / f"{name}.ipynb"
    try:
        out = request.out.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise BadInput(f"--out {request.out} is no place to write to: {error}") from None
    path = out if out.suffix == ".ipynb" else out / f"{name}.ipynb"
    if path.parent == log.resolve():
        raise BadInput("--out names the log itself; entries go there without it")
    ours = ("notebooks", "tests/reference", "lrlab")
    for folder in (log, *(request.root / name for name in ours)):
        if path.is_relative_to(folder.resolve()):
            inside = folder.relative_to(request.root)
            raise BadInput(f"--out is in {inside}/, where the laboratory keeps its own files")
    return path


def _refuse_taken(request: Request, path: Path) -> None:
    """Refuse what would take the place of something else."""
    beside = path.with_suffix(".json")
    if not path.exists():
        if request.out is not None and beside.exists() and not is_record(beside):
            raise BadInput(f"{beside.name} is there already, and is no record of an entry")
        return
    if request.out is not None:
        if not request.replace:
            raise BadInput(f"{request.out} holds {path.stem} already; --replace renews it")
        return
    if not request.replace:
        raise BadInput(
            f"the log has the entry {path.stem} already; --replace renews it, "
            "--out FOLDER puts a copy elsewhere"
        )
    try:
        tag = sealed(request.root, path)
    except ValueError as error:
        raise BadInput(f"the releases can't be read: {error}") from None
    if tag:
        raise BadInput(f"the entry {path.stem} was released with {tag} and stays as it is")


def _readable_looks(root: Path) -> None:
    try:
        looks(root)
    except (ValueError, OSError) as error:
        raise BadInput(f"the looks can't be read, and this run would be one: {error}") from None


def _supersedes(request: Request, path: Path) -> dict[str, str] | None:
    if (request.supersedes is None) != (request.reason is None):
        raise BadInput("--supersedes ENTRY and --reason TEXT belong together")
    if request.supersedes is None:
        return _kept(request, path)
    if request.out is not None:
        raise BadInput("--supersedes is for entries of the log; it can't go with --out")
    older = find(request.root, request.supersedes)
    if not request.reason.strip():
        raise BadInput("--reason is empty; say why the older entry is superseded")
    if older.record["notebook"] != request.notebook:
        raise BadInput(
            f"{older.name} is an entry of {older.record['notebook']}, not of {request.notebook}"
        )
    if older.path == path:
        raise BadInput(f"{older.name} can't supersede itself")
    if older.superseded_by not in (None, path.stem):
        raise BadInput(f"{older.name} is superseded by {older.superseded_by} already")
    return {"entry": older.name, "reason": request.reason.strip()}


def _kept(request: Request, path: Path) -> dict[str, str] | None:
    # An entry that is renewed keeps the place that it took.
    if request.out is None and path.exists():
        return find(request.root, path.stem).record["supersedes"]
    return None
