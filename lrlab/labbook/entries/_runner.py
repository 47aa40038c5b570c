"""From a notebook and parameters to a dated, executed, normalised entry with its record."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.files import write
from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries._assemble import assemble, command, date_metadata, slug
from lrlab.labbook.entries._execute import Execution, execute
from lrlab.labbook.entries._normalise import Unfit, normalise, to_bytes
from lrlab.labbook.entries._source import read
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import log_folder, partial_folder
from lrlab.labbook.entries.logbook import Entry, claims_of, find
from lrlab.labbook.looks import append, look
from lrlab.labbook.releases import sealed

if TYPE_CHECKING:
    from nbformat import NotebookNode


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
    source = read(request.root, request.notebook)
    changed = source.ask(request.texts, request.size)
    day = datetime.date.today().isoformat()
    name = f"{day}-{slug(source.name, request.size, changed)}"
    path = _target(request, name)
    supersedes = _supersedes(request, path)
    notebook = assemble(source, request.size, changed, request.check_portable)
    metadata = dict(notebook.metadata)
    if request.out is None:
        metadata |= date_metadata(source, request.size, changed, day)
    label = source.name if progress else ""
    keep = partial_folder(request.root) / f"{name}.ipynb"

    started = datetime.datetime.now(datetime.UTC)
    first = execution = execute(notebook, request.root, label=label, keep=keep)
    fragile, portable_check = [], None
    if request.check_portable:
        fragile, portable_check = _try_elsewhere(request, notebook, first, label, keep)
    data = publishable(execution.notebook, metadata, request.root, keep)

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
        "runs": first.runs,
        "trained": first.trained,
        **records.surroundings(request.root, "portable"),
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(first.seconds, 2),
    }
    write(path.with_suffix(".json"), records.to_bytes(record))
    write(path, data)
    if request.out is None and request.size == "full" and not changed:
        claims = claims_of(execution.notebook)
        append(request.root, [look(record, claims, source.header.get("predictions"))])
    return Entry(path, record)


def dry_run(request: Request) -> dict[str, Any]:
    """Execute a notebook up to its setup and return what it would train; write nothing.

    Returns:
        What `lrlab.training.parallel.estimate` says about the notebook's `plan`: `runs`, `stored`,
        `seconds` (an estimate, or `None`) and `by_task`.

    Raises:
        BadInput: if the parameters can't be used.
        RunFailed: if a cell failed, or if the setup makes no `plan`.
    """
    import nbformat

    source = read(request.root, request.notebook)
    changed = source.ask(request.texts, request.size)
    notebook = assemble(source, request.size, changed)
    is_setup = ["setup" in cell.metadata.get("tags", []) for cell in notebook.cells]
    notebook.cells = notebook.cells[: is_setup.index(True) + 1]
    estimate = (
        "import json\nfrom lrlab.training import parallel\n"
        "print(json.dumps(parallel.estimate(plan)))"
    )
    notebook.cells.append(nbformat.v4.new_code_cell(estimate, id="estimate"))
    executed = execute(notebook, request.root).notebook
    printed = [output.text for output in executed.cells[-1].outputs if output.get("text")]
    return json.loads("".join(printed).strip().splitlines()[-1])


def publishable(notebook: NotebookNode, metadata: dict[str, Any], root: Path, keep: Path) -> bytes:
    """Return the normalised bytes of an executed notebook.

    Raises:
        RunFailed: if it can't be published; the notebook is then left at `keep`.
    """
    executed = to_bytes(notebook)
    try:
        return normalise(notebook, metadata, root)
    except Unfit as error:
        write(keep, executed)
        raise RunFailed(str(error), keep) from None


def verdicts(notebook: NotebookNode) -> dict[str, str | None]:
    """Return the verdict of each claim that a notebook carries."""
    return {claim["id"]: claim.get("verdict") for claim in claims_of(notebook)}


def _try_elsewhere(
    request: Request, notebook: NotebookNode, here: Execution, label: str, keep: Path
) -> tuple[list[str], dict[str, Any]]:
    label = f"{label} (foreign)" if label else ""
    there = execute(notebook, request.root, profile="foreign", label=label, keep=keep)
    ours, theirs = verdicts(here.notebook), verdicts(there.notebook)
    differing = [name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]
    return sorted(differing), {"profile": "foreign", "verdicts": theirs}


def _target(request: Request, name: str) -> Path:
    log = log_folder(request.root)
    if request.out is None:
        path = log / f"{name}.ipynb"
        if path.exists() and not request.replace:
            raise BadInput(
                f"the log has the entry {name} already; --replace renews it, "
                "--out FOLDER puts a copy elsewhere"
            )
        if path.exists() and (tag := sealed(request.root, path)):
            raise BadInput(f"the entry {name} was released with {tag} and stays as it is")
        return path
    if request.out.suffix == ".ipynb":
        path = request.out.resolve()
    else:
        path = request.out.resolve() / f"{name}.ipynb"
    if path.parent == log.resolve():
        raise BadInput("--out names the log itself; entries go there without it")
    if path.exists() and not request.replace:
        raise BadInput(f"{request.out} holds {path.stem} already; --replace renews it")
    return path


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
