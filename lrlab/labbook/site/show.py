"""One entry's page alone, as the book will show it, without reading the rest of the log."""

from __future__ import annotations

import contextlib
import difflib
import io
import json
import shutil
from pathlib import Path
from typing import Any

from lrlab.labbook.entries import BadInput, log
from lrlab.labbook.entries.laboratory import log_folder
from lrlab.labbook.entries.logbook import survey

# What only other pages need, or a whole book.
_WITHOUT = {
    "sphinx_external_toc",
    "sphinx_comments",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
}
_SETTINGS_OF_OTHERS = ("autodoc_", "napoleon_", "external_toc", "comments_", "viewcode_")
_NOTE = "This page alone, by “lrlab show”. “make book” puts it into the book."
_LONGEST = 200  # characters of a name
_ALONE = {"show_prev_next": False, "disable_search": True}
_INDEX = """\
# This page alone

```{{toctree}}
/book/log/{name}
```

## Sources

```{{bibliography}}
```
"""


def find(root: Path, given: str) -> Path:
    """The notebook of an entry, found without reading any.

    Args:
        root: the laboratory's folder.
        given: the name of an entry of the log; or a notebook's file, or a folder that holds one.

    Raises:
        BadInput: if there is none, or a folder holds several.
    """
    inside = log_folder(root)
    name = Path(given).name.removesuffix(".ipynb")
    path = Path(given).expanduser()
    with contextlib.suppress(OSError):  # the name may be longer than any file's
        if path.suffix == ".ipynb" and path.is_file():
            return path.resolve()
        if path.is_dir():
            found = sorted(p for p in path.glob("*.ipynb") if p.with_suffix(".json").is_file())
            if len(found) != 1:
                names = f": {', '.join(p.name for p in found)}" if found else ""
                raise BadInput(f"{given} holds {len(found)} entries{names}; name one file")
            return found[0].resolve()
        if (inside / f"{name}.ipynb").is_file():
            return inside / f"{name}.ipynb"
    known = [p.stem for p in sorted(inside.glob("[0-9]*.ipynb"))]
    close = difflib.get_close_matches(name[:_LONGEST], known, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else "; `lrlab list` shows them"
    raise BadInput(f"the log has no entry {given[:_LONGEST]!r}{hint}")


def show(root: Path, notebook: Path) -> Path:
    """Render one entry's page into `_build/show`.

    The page of a what-if has the answer of the entry that counts. What else other entries say about
    it, such as that one supersedes it, is not on the page; nor do links into the rest of the book
    lead anywhere.

    Args:
        root: the laboratory's folder, for style and references.
        notebook: the entry's notebook; its record lies beside it.

    Returns:
        The page.

    Raises:
        BadInput: if the file is no notebook, or has no valid record.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from lrlab.labbook.site.build import settings

    folder = root / "_build" / "show"
    name, beside = _gather(root, notebook, folder / "source")
    made = settings(root)
    made |= {
        "extensions": [e for e in made["extensions"] if e not in _WITHOUT],
        "master_doc": "index",
        "exclude_patterns": ["book/live", *beside],
        "html_static_path": [str(root / path) for path in made.get("html_static_path", [])],
        "html_extra_path": [str(root / path) for path in made.get("html_extra_path", [])],
        "bibtex_bibfiles": [str(root / path) for path in made.get("bibtex_bibfiles", [])],
        "html_theme_options": made["html_theme_options"] | {"announcement": _NOTE, **_ALONE},
        "html_use_index": False,
        "nitpicky": False,
    }
    made = {key: value for key, value in made.items() if not key.startswith(_SETTINGS_OF_OTHERS)}
    with patch_docutils(str(root)), docutils_namespace():
        app = Sphinx(
            srcdir=folder / "source",
            confdir=None,
            outdir=folder / "html",
            doctreedir=folder / "doctrees",
            buildername="html",
            confoverrides=made,
            status=None,
            warning=io.StringIO(),  # pages that are not here are missed
            freshenv=True,
        )
        app.build(force_all=True)
    return folder / "html" / "book" / "log" / f"{name}.html"


def _gather(root: Path, notebook: Path, source: Path) -> tuple[str, list[str]]:
    """Copy the entry to where it is rendered from; its name, and what is beside it unrendered."""
    record = notebook.with_suffix(".json")
    if not record.is_file():
        raise BadInput(f"the entry {notebook.stem} has no record beside it")
    shutil.rmtree(source, ignore_errors=True)
    inside = log_folder(source)
    inside.mkdir(parents=True)
    name = _name(record, notebook)
    shutil.copyfile(notebook, inside / f"{name}.ipynb")
    shutil.copyfile(record, inside / f"{name}.json")
    looks = log_folder(root) / "looks.jsonl"
    if looks.is_file():
        shutil.copyfile(looks, inside / looks.name)
    (source / "index.md").write_text(_INDEX.format(name=name), "utf-8")
    [entry] = log(source)  # the record is valid, or this says what is wrong with it
    usual = sorted(log_folder(root).glob(f"????-??-??-{entry.record['notebook']}.ipynb"))
    if not entry.record["changed"] or not usual or usual[-1].stem == name:
        return name, []
    copies = [inside / usual[-1].name, inside / usual[-1].with_suffix(".json").name]
    for copy in copies:
        with contextlib.suppress(OSError):
            shutil.copyfile(usual[-1].with_name(copy.name), copy)
    if survey(source)[1]:  # what is damaged there says nothing here
        for copy in copies:
            copy.unlink(missing_ok=True)
    return name, [f"book/log/{usual[-1].name}"]


def _name(record: Path, notebook: Path) -> str:
    try:
        said: Any = json.loads(record.read_bytes())
        json.loads(notebook.read_bytes())["cells"]
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{notebook.name} and its record are no entry") from None
    given = said.get("entry") if isinstance(said, dict) else None
    return given if isinstance(given, str) and given[:1].isdigit() else notebook.stem
