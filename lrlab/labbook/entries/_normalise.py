"""What makes two executions of one notebook equal byte for byte, and fit to be published."""

from __future__ import annotations

import contextlib
import getpass
import html
import json
import re
import socket
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
_KEPT = ("lrlab_claim", "lrlab_claims", "lrlab_answer", "lrlab_recorded")


class Unfit(Exception):
    """The notebook can't be published as it is; the message names the cell."""


def normalise(notebook: NotebookNode, metadata: dict[str, Any], root: Path) -> bytes:
    """Return the bytes of an executed notebook, without anything that differs between executions.

    Consecutive streams are joined, addresses of objects are hidden, times and versions are left
    out, and alternative texts and captions of figures go where the book looks for them.

    Args:
        notebook: the executed notebook; it is changed.
        metadata: the notebook-level metadata to give it.
        root: the laboratory's folder, which nothing in it may show.

    Returns:
        The content of the `.ipynb` file.

    Raises:
        Unfit: if it holds a path or a name of this machine, or an output a progress bar, or if a
            figure has no alternative text or no cell of its own.
    """
    import nbformat

    notebook.metadata = nbformat.from_dict(metadata)
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell["id"] = f"cell-{number:02d}"
        if cell.cell_type == "code":
            cell.outputs = [_clean(output) for output in _join_streams(cell.outputs)]
            _lift_figure(cell, number)
    _refuse_what_is_of_this_machine(notebook, root)
    nbformat.validate(notebook)
    return to_bytes(notebook)


def to_bytes(notebook: NotebookNode) -> bytes:
    """Return a notebook as the bytes of its file."""
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    # How the kernel cuts its streams into messages depends on timing: between two other outputs,
    # one block of each stream remains.
    from nbformat.v4 import new_output

    joined: list[NotebookNode] = []
    block: dict[str, str] = {}

    def close() -> None:
        for name in ("stdout", "stderr"):
            if block.get(name):
                joined.append(new_output("stream", name=name, text=block[name]))
        block.clear()

    for output in outputs:
        if output.output_type == "stream":
            block[output.name] = block.get(output.name, "") + output.text
        else:
            close()
            joined.append(output)
    close()
    return joined


def _clean(output: NotebookNode) -> NotebookNode:
    if output.output_type == "stream":
        output.text = _ADDRESS.sub("at 0x…", output.text)
    for kind, data in output.get("data", {}).items():
        if kind.startswith("text/") and isinstance(data, str):
            output.data[kind] = _ADDRESS.sub("at 0x…", data)
    return output


def _lift_figure(cell: NotebookNode, number: int) -> None:
    figures = []
    for output in cell.outputs:
        metadata = output.get("metadata", {})
        if any(kind.startswith("image/") for kind in output.get("data", {})):
            figures.append(metadata.get("lrlab_figure") or {})
        for key in [key for key in metadata if key not in _KEPT]:
            del metadata[key]
    if not figures:
        return
    # The book reads alternative text and caption from the cell, so a cell can hold one figure.
    if len(figures) > 1:
        raise Unfit(f"cell {number} shows {len(figures)} figures; give each a cell of its own")
    [figure] = figures
    if not figure.get("alt"):
        raise Unfit(f"cell {number} shows a figure without an alternative text")
    cell.metadata["mystnb"] = {"image": {"alt": figure["alt"]}}
    if figure.get("caption"):
        cell.metadata["mystnb"]["figure"] = {"caption": figure["caption"]}
    tags = cell.metadata.get("tags", [])
    if figure.get("headline") and "headline" not in tags:
        cell.metadata["tags"] = [*tags, "headline"]


def _refuse_what_is_of_this_machine(notebook: NotebookNode, root: Path) -> None:
    for number, cell in enumerate(notebook.cells):
        for text in _texts(cell.get("outputs", [])):
            if re.search(r"\r(?!\n)", text):
                raise Unfit(f"cell {number} shows a progress bar")
    refuse_machine(notebook, root)


def refuse_machine(notebook: NotebookNode, root: Path) -> None:
    """Refuse a notebook that says on which machine it was made.

    Paths in the home, temporary, Python's and the laboratory's folder, homes of other users, user
    and host name are looked for in outputs, captions, cells and metadata, percent-encoded and
    escaped ones too. Cells and metadata were typed, so that they may name temporary files.

    Raises:
        Unfit: naming the place and what was found there.
    """
    shown = machine_details(root)
    typed = machine_details(root, temporary=False)
    for number, cell in enumerate(notebook.cells):
        for text in _texts([cell.get("outputs", []), cell.metadata.get("mystnb", {})]):
            if found := _found(shown, text):
                raise Unfit(f"cell {number} shows {found}")
        if found := _found(typed, cell.source):
            raise Unfit(f"cell {number} holds {found}")
    for text in _texts(notebook.metadata):
        if found := _found(typed, text):
            raise Unfit(f"the metadata holds {found}")


def _found(details: re.Pattern[str], text: str) -> str | None:
    variants = {text}
    if "%" in text:
        variants.add(urllib.parse.unquote(text))
    if "&" in text:
        variants.add(html.unescape(text))
    if "\\" in text:
        variants.add(text.replace("\\\\", "\\").replace("\\/", "/"))
    for variant in variants:
        if found := details.search(variant):
            kind = "a path" if re.search(r"[/\\]", found[0]) else "the name"
            return f"{kind} of this machine: {found[0]}"
    return None


def machine_details(root: Path, *, temporary: bool = True) -> re.Pattern[str]:
    """Return a pattern for what tells on which machine something was made.

    Paths in the home, Python's and the laboratory's folder, homes of other users, user and host
    name. A user's name that could be a word, such as root or adam, is looked for where it can be
    nothing else only: before an @.

    Args:
        root: the laboratory's folder.
        temporary: whether paths of temporary files count.
    """
    folders = {Path(sys.prefix), Path(sys.base_prefix), root, Path(__file__).resolve().parents[3]}
    with contextlib.suppress(RuntimeError):
        folders.add(Path.home())
    folders |= {folder.resolve() for folder in folders}
    with contextlib.suppress(OSError):  # where there is none, none can be shown
        usual = Path(tempfile.gettempdir())
        folders |= {usual, usual.resolve()} if temporary else set()
    texts = sorted(str(folder) for folder in folders if len(folder.parts) > 1)
    begin, end = r"(?<![\w.])", r"(?![\w-])[^\s'\"<>]*"
    paths = [*map(re.escape, texts), r"/(?:home|Users)/[\w.-]+", r"[A-Za-z]:[\\/]Users[\\/][\w.-]+"]
    names = [re.escape(name) for name in (_user(), socket.gethostname()) if _is_specific(name)]
    names += [f"{re.escape(name)}(?=@)" for name in [_user()] if name]
    words = "|".join(rf"{begin}{name}(?![\w-])" for name in names)
    return re.compile(f"{begin}(?:{'|'.join(paths)}){end}" + (f"|{words}" if words else ""))


def _user() -> str:
    with contextlib.suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""


def _is_specific(name: str) -> bool:
    return len(name) >= 5 and not name.isalpha() and name != "localhost"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if not str(key).startswith("image/") or key == "image/svg+xml":
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
