"""An entry's page: the line under its title, its banner, the sources of its claims, its record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from lrlab.claims import Judged
from lrlab.claims.render import card
from lrlab.labbook import stored_claims
from lrlab.labbook.answers import lift
from lrlab.labbook.entries.logbook import claims_of
from lrlab.labbook.entries.markup import code, fence, prose
from lrlab.labbook.ledger import counted, joined
from lrlab.labbook.looks import told
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._outputs import align, apart

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

_SOURCE = re.compile(r"(<dt>Source</dt><dd>)([^<]+)(</dd>)")


def connect(app: Sphinx) -> None:
    """Decorate entries as they are read; their files stay as they are."""
    app.connect("source-read", _read)


def _read(app: Sphinx, document: str, source: list[str]) -> None:
    site = sites.of(app)
    if document in site.by_document:
        source[0] = decorate(source[0], site.by_document[document], site)
    elif document == sites.LIVE and (record := site.live_record()):
        source[0] = _with_cells(json.loads(source[0]), [], [("record", live_section(record))])


def decorate(text: str, entry: Entry, site: Site) -> str:
    """An entry's notebook with what is derived about it.

    Args:
        text: the notebook's JSON.
        entry: the entry.
        site: the log it belongs to.

    Returns:
        JSON of a notebook with a line and perhaps a banner under the title, and sources and record
        at the end.
    """
    notebook = json.loads(text)
    answer = lift(notebook)
    claims = joined(entry)
    seen = [look for look in site.looks if look.notebook == entry.record["notebook"]]
    counts = entry.record["size"] == "full" and not entry.record["changed"]
    looked = [f":::{{div}} lrlab-looks\n{told(seen)}\n:::"] if counts and seen else []
    answered = [answer.markdown()] if answer else []
    top = [*answered, byline(entry), *looked, *banners(entry, site)]
    keys = sorted({claim.source for claim in claims if claim.source})
    cells = [("sources", sources_section(keys))] if keys else []
    _mark_fragile(notebook, claims)
    return _with_cells(notebook, top, [*cells, ("record", record_section(entry))])


def byline(entry: Entry) -> str:
    """Date, size and verdicts in one line."""
    record = entry.record
    parts = [record["date"], f"{record['size']} size"]
    if record["changed"]:
        changed = ", ".join(code(f"{k} = {v}") for k, v in record["changed"].items())
        parts.append(f"a what-if with {changed}, which the ledger does not count")
    claims = [claim.to_dict() for claim in joined(entry)]
    parts += [f"{n} {verdict}" for verdict, n in counted(claims).items() if n]
    return f":::{{div}} lrlab-byline\n{' · '.join(parts)}\n:::"


def banners(entry: Entry, site: Site) -> list[str]:
    """Whether another entry took this one's place, or this one another's, and why."""
    found = []
    if successor := site.successor(entry):
        link = f"{{doc}}`{sites.title(successor)} </{site.document(successor)}>`"
        reason = prose(successor.record["supersedes"]["reason"])
        found.append(
            f":::{{admonition}} Superseded\n:class: warning\n"
            f"Read {link} of {successor.record['date']} instead. Why: {reason}\n:::"
        )
    if supersedes := entry.record["supersedes"]:
        older = f"/{PurePosixPath(site.document(entry)).parent / supersedes['entry']}"
        found.append(
            f":::{{admonition}} Supersedes an older entry\n:class: note\n"
            f"This entry takes the place of {{doc}}`{supersedes['entry']} <{older}>`. "
            f"Why: {prose(supersedes['reason'])}\n:::"
        )
    return found


def sources_section(keys: Iterable[str]) -> str:
    """Where the claims of the entry come from, cited."""
    lines = "\n".join(f"- `{key}`: {{cite:t}}`{key}`" for key in keys)
    return f"## Sources of the claims\n\n{lines}"


def record_section(entry: Entry) -> str:
    """Permanent link, a line to cite, the command, and the record itself."""
    record, name = entry.record, entry.name
    commit = f", commit {record['commit'][:12]}" if record["commit"] else ""
    cite = (
        f"The LR lab ({record['date'][:4]}). {sites.title(entry)}. Entry {name} of "
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
            "To cite it",
            f": {fence(cite, 'text', indent='  ')}",
            "",
            "To make it again",
            f": {fence(record['command'], 'bash', indent='  ')}",
            "",
            "Files",
            f": {{download}}`the record as JSON <{name}.json>`, "
            f"{{download}}`the executed notebook <{name}.ipynb>`",
            "",
            ":::{dropdown} What it was made with",
            _table(rows(record)),
            ":::",
        ]
    )


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
            ("Verdicts that differed on a foreign processor", f"{fragile} ({check['profile']})")
        )
    return shown


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


def _with_cells(notebook: dict[str, Any], top: list[str], end: list[tuple[str, str]]) -> str:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if top and cell["cell_type"] == "markdown" and source.startswith("# "):
            heading, _, rest = source.partition("\n")
            cell["source"] = "\n\n".join([heading, *top, rest])
            top = []
        if cell["cell_type"] == "code":
            _fold(cell)
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html")
            if html and "lrlab_claims" in output["metadata"]:
                link = r'\1<a href="#sources-of-the-claims">\2</a>\3'
                output["data"]["text/html"] = _SOURCE.sub(link, "".join(html))
            elif html:
                output["data"]["text/html"] = align("".join(html))
    notebook["cells"] = apart(notebook["cells"])
    for name, source in end:
        cell = {"cell_type": "markdown", "id": f"lrlab-{name}", "metadata": {}, "source": source}
        notebook["cells"].append(cell)
    return json.dumps(notebook)


def _mark_fragile(notebook: dict[str, Any], claims: list[Judged]) -> None:
    """Show the cards of claims that another processor judged otherwise as what they are."""
    stored = {c["id"]: card(stored_claims.read(c)) for c in claims_of(notebook)}
    cards = {stored[c.id]: card(c) for c in claims if card(c) != stored[c.id]}
    for cell in notebook["cells"] if cards else []:
        for output in cell.get("outputs", []):
            if "lrlab_claims" in output.get("metadata", {}):
                html = "".join(output["data"]["text/html"])
                for before, after in cards.items():
                    html = html.replace(before, after)
                output["data"]["text/html"] = html


def _fold(cell: dict[str, Any]) -> None:
    """Hide code behind a button, results first; the parameters stay in sight."""
    tags = cell["metadata"].setdefault("tags", [])
    if not {"parameters", "injected-parameters"} & set(tags):
        tags.append("hide-input")
