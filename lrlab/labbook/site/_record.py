"""What an entry was made with, at the end of its page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries.markup import code, fence, prose
from lrlab.labbook.entries.portability import decided
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from lrlab.labbook.entries import Entry


def record_section(entry: Entry) -> str:
    """Permanent link, a line to cite, the command, and the record itself."""
    record, name, title = entry.record, entry.name, sites.title(entry)
    stop = "" if title.endswith("?") else "."
    commit = f", commit {record['commit'][:12]}" if record["commit"] else ""
    cite = (
        f"The LR lab ({record['date'][:4]}). {title}{stop} Entry {name} of "
        f"{record['date']}{commit}, SHA-256 {record['entry_sha256'][:16]}."
    )
    return "\n".join(
        [
            "## Record",
            "",
            "Permanent link",
            f": {{doc}}`book/log/{name}.html <{name}>`. Once released, an entry is not changed; "
            "a newer one may supersede it.",
            "",
            ":::{dropdown} How to cite it, its files, and what it was made with",
            "",
            "To cite it",
            f": {fence(cite, 'text', indent='  ')}",
            "",
            "To make it again",
            f": {fence(record['command'], 'bash', indent='  ')}",
            "",
            "Files",
            f": {_file(name, 'json', 'the record as JSON')}, "
            f"{_file(name, 'csv', 'the values behind the claims')}, "
            f"{_file(name, 'ipynb', 'the notebook without results')}",
            "",
            _table(rows(record)),
            ":::",
        ]
    )


def _file(name: str, ending: str, text: str) -> str:
    return f'<a class="download" href="../../files/{name}.{ending}" download>{text}</a>'


def live_section(record: Mapping[str, Any]) -> str:
    """What this machine is and how long its run took."""
    return f"## This machine\n\n{_table(rows(record))}"


def rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A record as pairs of name and text, for a reader."""
    hardware, profile = record["hardware"], dict(record["profile"])
    name = profile.pop("name")
    commit = f"`{record['commit'] or 'none'}`"
    if record["dirty"]:
        commit += " with changes that were not committed"
    shown = [
        ("Date", record["started"].replace("T", " ").replace("Z", " UTC")),
        ("Duration", _duration(record)),
        ("Size", record["size"]),
        ("Parameters", _pairs(record["parameters"])),
        ("Differing from the defaults", _pairs(record["changed"]) or "none"),
        ("Training runs", str(len(record["runs"]))),
        ("Commit", commit),
        ("Numerics profile", f"{name}: {_pairs(profile)}" if profile else name),
        ("Versions", ", ".join(f"{k} {v}" for k, v in record["versions"].items())),
        (
            "Hardware",
            f"{prose(hardware['cpu'])}, {hardware['cores']} cores, {hardware['memory_gib']} GiB, "
            f"{prose(hardware['system'])}",
        ),
        ("SHA-256 of the entry", f"`{record['entry_sha256']}`"),
        ("SHA-256 of the notebook", f"`{record['notebook_sha256']}`"),
    ]
    if inputs := record.get("inputs"):
        read = ", ".join(f"{code(one['name'])} (`{one['sha256'][:16]}`)" for one in inputs)
        shown.append(("Read, with SHA-256", read))
    if check := record["portable_check"]:
        fragile = ", ".join(f"`{id}`" for id in record["fragile"]) or "none"
        shown.append(
            ("Verdicts that differed on a foreign processor", f"{fragile} ({_tried(check)})")
        )
    return shown


def _tried(check: Mapping[str, Any]) -> str:
    """How an entry was tried on the stand-in for another processor."""
    if "size" not in check:
        return check["profile"]
    changed = f" with {_pairs(check['changed'])}" if check["changed"] else ""
    return (
        f"{check['profile']}; both profiles were tried at {check['size']} size{changed}, "
        f"where {decided(check['verdicts'])} verdicts are decided"
    )


def _duration(record: Mapping[str, Any]) -> str:
    seconds = f"{record['seconds']:.0f} s"
    whole = record.get("seconds_from_empty")
    if whole is None or record["trained"] == len(record["runs"]):
        return seconds
    stored = len(record["runs"]) - record["trained"]
    return f"{seconds} with {stored} runs from the store; about {whole:.0f} s without"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(code(f"{k} = {json.dumps(v, ensure_ascii=False)}") for k, v in values.items())


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in pairs]
    return "\n".join(["| What | Value |", "| --- | --- |", *lines])
