"""A new entry as a reviewer reads it: its answer, the verdicts that changed, and its figures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lrlab.claims import Judged
from lrlab.labbook.answers import answer_of
from lrlab.labbook.entries.logbook import Entry, claims_of
from lrlab.labbook.ledger import counting
from lrlab.labbook.phrases import inline


def comment(entry: Entry, log: list[Entry], images: str = "") -> str:
    """What a pull request says of an entry, in Markdown.

    Args:
        entry: the new entry.
        log: all entries, this one or not.
        images: where its figures will be found, a prefix of their file names; none: not shown.
    """
    notebook = json.loads(entry.path.read_bytes())
    before = next(
        (
            old
            for old in counting([one for one in log if one.name != entry.name])
            if old.record["notebook"] == entry.record["notebook"]
        ),
        None,
    )
    parts = [f"## {entry.name}", f"`{entry.record['command']}`"]
    if answer := answer_of(notebook):
        parts.append(f"**Answer.** {answer.text}")
    parts.append(_changes(notebook, before))
    for number, (_, alt) in enumerate(figures(notebook)):
        where = f"![{alt}]({images}{entry.name}-{number}.png)" if images else f"Figure: {alt}"
        parts.append(where)
    return "\n\n".join(parts) + "\n"


def figures(notebook: Mapping[str, Any]) -> Iterator[tuple[bytes, str]]:
    """The PNG files of a notebook, each with its alternative text."""
    for cell in notebook["cells"]:
        alt = cell.get("metadata", {}).get("mystnb", {}).get("image", {}).get("alt", "a figure")
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                told = output.get("metadata", {}).get("lrlab_figure", {}).get("alt", alt)
                yield base64.b64decode("".join(png)), told.replace("[", "(").replace("]", ")")


def _changes(notebook: dict[str, Any], before: Entry | None) -> str:
    now = {c["id"]: Judged.from_dict(c) for c in claims_of(notebook)}
    if before is None:
        lines = [f"- `{id}`: {inline(claim)}" for id, claim in now.items()]
        return "\n".join(["No entry of this notebook counts yet. Its claims:", "", *lines])
    old = {c["id"]: Judged.from_dict(c) for c in before.claims()}
    lines = [
        f"- `{id}`: {inline(old[id])} → {inline(claim)}"
        for id, claim in now.items()
        if id in old and old[id].verdict != claim.verdict
    ]
    lines += [f"- `{id}`: new, {inline(claim)}" for id, claim in now.items() if id not in old]
    lines += [f"- `{id}`: gone, was {old[id].verdict}" for id in old if id not in now]
    same = len(now) - sum(line.count("→") or line.count(": new,") for line in lines)
    head = f"Beside {before.name}: {same} of {len(now)} claims have the same verdict."
    return "\n".join([head, *(["", *lines] if lines else [])])


def write(entry: Entry, log: list[Entry], folder: Path, images: str = "") -> Path:
    """Write the comment and the figures of an entry into a folder.

    Args:
        entry: the new entry.
        log: all entries.
        folder: where to, made if needed.
        images: as in `comment`.

    Returns:
        The file of the comment, `comment.md`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notebook = json.loads(entry.path.read_bytes())
    for number, (png, _) in enumerate(figures(notebook)):
        (folder / f"{entry.name}-{number}.png").write_bytes(png)
    file = folder / "comment.md"
    file.write_text(comment(entry, log, images), encoding="utf-8")
    return file
