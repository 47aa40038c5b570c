"""From a source and its parameters to a notebook that is ready to be executed."""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries._source import Source
from lrlab.labbook.entries.markup import fence, is_plain
from lrlab.labbook.entries.values import Value, spell

if TYPE_CHECKING:
    from nbformat import NotebookNode

_LONGEST_SLUG = 80
_KEPT = ("short_title", "foretold", "predictions")  # of the header, for the page


def slug(name: str, size: str, changed: dict[str, Value]) -> str:
    """Return what an entry is called after its date: the notebook and what differs.

    Distinct parameters give distinct names: where the text had to be shortened or cleaned, the
    name ends in eight digits of its hash.

    Args:
        name: the notebook.
        size: `full` or `smoke`.
        changed: the parameters that differ from those of this size.

    Example:
        >>> slug("onecycle", "full", {"peaks": [0.2, 3.0], "n_seeds": 3})
        'onecycle-peaks-0.2-3.0-n_seeds-3'
    """
    full = "-".join(
        [name, *(["smoke"] if size == "smoke" else [])]
        + [f"{key}-{_part(value)}" for key, value in changed.items()]
    )
    clean = re.sub(r"[^A-Za-z0-9._+-]+", "_", full)[:_LONGEST_SLUG]
    if clean == full:
        return full
    return f"{clean.rstrip('_-.')}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"


def _part(value: Value) -> str:
    """A value as part of a name: those of a list one after the other."""
    return "-".join(map(spell, value)) if isinstance(value, list) else spell(value)


def command(name: str, size: str, changed: dict[str, Value], portable: bool = False) -> str:
    """Return the command line that makes an entry.

    Example:
        >>> command("onecycle", "smoke", {"rates": [0.1, 0.2]})
        "lrlab run onecycle --smoke -p rates '[0.1, 0.2]'"
    """
    words = ["lrlab", "run", name]
    words += ["--smoke"] if size == "smoke" else []
    words += ["--check-portable"] if portable else []
    for key, value in changed.items():
        words += ["-p", key, spell(value)]
    return shlex.join(words)


def assemble(
    source: Source, size: str, changed: dict[str, Value], portable: bool = False
) -> NotebookNode:
    """Return the notebook with its parameters and the section that says how to reproduce it.

    Cells have stable ids, and nothing in it depends on the day or the machine.

    Args:
        source: the notebook source.
        size: `full` or `smoke`.
        changed: the parameters that differ from those of this size.
        portable: whether it is made with `--check-portable`.
    """
    import jupytext
    import nbformat
    from papermill.parameterize import parameterize_notebook

    notebook = jupytext.reads(source.text, fmt="py:percent")
    values = source.values(size, changed)
    differing = {k: v for k, v in values.items() if v != source.parameters[k].default}
    if differing:
        notebook.metadata["papermill"] = nbformat.from_dict({})
        for cell in notebook.cells:
            cell.metadata.setdefault("tags", [])
        notebook = parameterize_notebook(notebook, differing, kernel_name="python3")
    line = command(source.name, size, changed, portable)
    _add_to_title(notebook, size, changed)
    notebook.cells.append(
        nbformat.v4.new_markdown_cell(f"## Reproduce\n\n{fence(line, 'bash')}", id="reproduce")
    )
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            "lrlab": {
                "notebook": source.name,
                "title": source.header["title"],
                "question": source.header["question"],
                **{key: source.header[key] for key in _KEPT if source.header.get(key)},
                "size": size,
                "parameters": values,
                "changed": changed,
                "command": line,
            },
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    return notebook


def date_metadata(source: Source, size: str, changed: dict[str, Value], day: str) -> dict[str, Any]:
    """Return the notebook-level metadata that puts a page into the dated log."""
    kind = "smoke" if size == "smoke" else "variation" if changed else "experiment"
    return {
        "blogpost": "true",
        "date": day,
        "category": kind,
        "tags": ", ".join(map(str, source.header["tags"])),
    }


def _add_to_title(notebook: NotebookNode, size: str, changed: dict[str, Value]) -> None:
    remarks = ["smoke size"] if size == "smoke" else []
    remarks += [_remark(key, value) for key, value in changed.items()]
    first = next((c for c in notebook.cells if c.cell_type == "markdown"), None)
    if remarks and first is not None:
        title, *rest = first.source.split("\n")
        if title.startswith("# "):
            first.source = "\n".join([f"{title} ({', '.join(remarks)})", *rest])


def _remark(key: str, value: Value) -> str:
    # The heading goes into links and feeds; the cell of parameters shows every value in full.
    texts = value if isinstance(value, list) else [value]
    plain = all(is_plain(text) for text in texts if isinstance(text, str))
    return f"{key} = {spell(value)}" if plain else f"another {key}"
