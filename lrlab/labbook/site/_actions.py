"""What a reader can do with an entry: run it again, take its files, cite it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries.markup import fence
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.ledger import Row
    from lrlab.labbook.site.site import Site

CLAIMS = "claims"
FOLDER = "files"
"""Beside the book's other folders: notebooks without results, and the values behind claims."""

_NEEDS = " (needs a clone)"  # for it reads results that are in the repository


def connect(app: Sphinx) -> None:
    """Write the files that pages offer, when the pages are written."""
    app.connect("build-finished", _write)


def of(entry: Entry, site: Site) -> str:
    """The line of an entry's page with what can be done with it, as Markdown."""
    up = f"../../{FOLDER}/{entry.name}"
    links = [
        _folded("Run it again", entry.record["command"]),
        f'<a href="{up}.ipynb" download>Notebook{_NEEDS if entry.record.get("inputs") else ""}</a>',
        f'<a href="{up}.csv" download>Values behind the claims</a>',
        f'<a href="{up}.json" download>Record</a>',
        *_source(entry, site),
        _folded("Cite", bibtex(entry, site.address)),
    ]
    return fence(f'<div class="lrlab-actions">{"".join(links)}</div>', "{raw} html")


def _source(entry: Entry, site: Site) -> list[str]:
    """A link to the notebook's source, where it is known where the code is."""
    file = f"notebooks/{entry.record['notebook']}.py"
    if not site.repository or not (site.root / file).is_file():
        return []
    return [f'<a href="{escape(site.repository)}/blob/{escape(site.branch)}/{file}">Source</a>']


def bibtex(entry: Entry, where: str = "") -> str:
    """An entry as a reference.

    Args:
        entry: the entry.
        where: the address of the book; without one the reference has none.
    """
    record = entry.record
    fields = {
        "title": "{" + sites.title(entry) + "}",
        "author": "{The LR lab}",
        "year": record["date"][:4],
        "note": "{Entry " + f"{entry.name}, SHA-256 {record['entry_sha256'][:16]}" + "}",
    }
    if where:
        fields["url"] = "{" + f"{where}book/log/{entry.name}.html" + "}"
    lines = [f"  {name} = {value}," for name, value in fields.items()]
    return "\n".join([f"@misc{{lrlab-{entry.name},", *lines, "}"])


def values(entry: Entry) -> str:
    """The values of each claim, one a line, as CSV."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["claim", "verdict", "unit", "repetition", "number", "value"])
    for claim in entry.claims():
        unit = claim["about"]["replication"]
        for number, value in enumerate(values_of(claim)):
            rows.writerow([claim["id"], claim["verdict"], claim["unit"], unit, number, value])
    return out.getvalue()


def values_of(claim: Mapping[str, Any]) -> Sequence[Any]:
    """The values behind a stored claim; of a share how many of how many, of a proof nothing."""
    data = claim["data"]
    if "successes" in data:
        return [f"{data['successes']} of {data['n']}"]
    return data.get("values", data.get("measured")) or []


def ledger(rows: Sequence[Row]) -> str:
    """The claims of the entries that count, one a line, as CSV."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    fields = ("id", "kind", "verdict", "estimate", "low", "high", "level", "n", "unit", "source")
    table.writerow([*fields, "setting", "lost", "statement", "rule", "entry"])
    for row in rows:
        claim = row.claim
        known = [getattr(claim, field) for field in fields]
        source = (claim.about.like, claim.about.lost)
        table.writerow([*known, *source, claim.sentence, claim.rule_text, row.entry])
    return out.getvalue()


def clean(entry: Entry) -> str:
    """An entry's notebook without results, to be run."""
    notebook: dict[str, Any] = entry.content()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _folded(name: str, text: str) -> str:
    return (
        f"<details><summary>{name}</summary>"
        f'<pre tabindex="0">{escape(text)}</pre><button type="button" hidden>Copy</button>'
        "</details>"
    )


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / FOLDER
    site = sites.of(app)
    log = site.log
    for path in folder.glob("*"):  # of an entry that is gone
        if path.stem not in {CLAIMS, *(entry.name for entry in log)}:
            path.unlink()
    stored = [row.claim.to_dict() | {"entry": row.entry} for row in site.ledger]
    sites.write(folder / f"{CLAIMS}.json", (json.dumps(stored, indent=1) + "\n").encode())
    sites.write(folder / f"{CLAIMS}.csv", ledger(site.ledger).encode())
    for entry in log:
        record = Path(entry.path).with_suffix(".json").read_bytes()
        sites.write(folder / f"{entry.name}.ipynb", clean(entry).encode())
        sites.write(folder / f"{entry.name}.csv", values(entry).encode())
        sites.write(folder / f"{entry.name}.json", record)
