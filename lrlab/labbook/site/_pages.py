"""An entry's page: the answer first, then the headline figure, the verdicts, and what is folded."""

from __future__ import annotations

import copy
import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from lrlab.claims import Judged
from lrlab.claims.render import card
from lrlab.labbook import carried, recorded
from lrlab.labbook.answers import lift
from lrlab.labbook.entries import parameters_of
from lrlab.labbook.entries.markup import code, fence, prose
from lrlab.labbook.ledger import in_words, joined
from lrlab.labbook.looks import told
from lrlab.labbook.site import _actions as actions
from lrlab.labbook.site import _uses as uses
from lrlab.labbook.site import _what_if as what_if
from lrlab.labbook.site import handbook
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._cards import cards, marked
from lrlab.labbook.site._foretold import what_came
from lrlab.labbook.site._looks import changes_of, looks_at, reasons_in
from lrlab.labbook.site._outputs import WITHOUT_CODE, align, apart, begin_captions, power_folded
from lrlab.labbook.site._record import live_section, record_section
from lrlab.labbook.site._verdicts import beside, chart, rests_on

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.looks import Look
    from lrlab.labbook.site.site import Site

_SEE_ABOVE = '<p class="lrlab-uses">Figure: <a href="#the-figure">at the top of this page</a>.</p>'
_PARAMETERS = {"parameters", "injected-parameters"}

Cell = dict[str, Any]


def connect(app: Sphinx) -> None:
    """Decorate entries as they are read; their files stay as they are."""
    app.connect("source-read", _read)


def _read(app: Sphinx, document: str, source: list[str]) -> None:
    site = sites.of(app)
    if document in site.by_document:
        source[0] = decorate(source[0], site.by_document[document], site)
    elif document == sites.LIVE and (record := site.live_record()):
        notebook = json.loads(source[0])
        cells = [cell for part in notebook["cells"] for cell in _shown(part)]
        notebook["cells"] = [*apart(cells), _markdown("record", live_section(record))]
        source[0] = json.dumps(notebook)


def decorate(text: str, entry: Entry, site: Site) -> str:
    """An entry's notebook as its page shows it.

    First the title, the answer and the headline figure; then one line about it, what can be done
    with it, and its verdicts as one chart; then its sections, with the cards of its claims and its
    parameters folded; at the end its sources, its code and its record.

    Args:
        text: the notebook's JSON.
        entry: the entry.
        site: the log it belongs to.

    Returns:
        JSON of a notebook.
    """
    notebook = json.loads(text)
    answer = lift(notebook)
    claims = joined(entry)
    _drawn_again(notebook, claims)
    begin_captions(notebook["cells"])
    first, *others = notebook["cells"]
    heading, _, rest = "".join(first["source"]).partition("\n")
    headline = _headline(others)
    shown = [what_if.answered(answer, entry, site)] if answer else []
    if answer and (below := rests_on(answer.claims, claims)):
        shown.append(_raw(below))
    top = [heading, *banners(entry, site), *shown]
    top += [_raw('<div id="the-figure"></div>')] * len(headline)
    seen = looks_at(entry, site)
    about = [
        byline(entry, claims, seen),
        *changes_of(seen, claims, reasons_in(site.root)),
        actions.of(entry, site),
    ]
    about += uses.schedules_line(entry, site)
    about += _runs_line(notebook, entry, site)
    if verdicts := chart(claims):
        about.append(_raw(verdicts + beside(claims)))
    said = notebook["metadata"].get("lrlab", {})
    others = [_told(cell, what_came(said, claims)) for cell in others]
    keys = sorted({claim.source for claim in claims if claim.source})
    for cell in [first, *others]:
        if cell["cell_type"] == "markdown":
            cell["source"] = uses.entries_linked("".join(cell["source"]), entry, site)
    rest = uses.entries_linked(rest, entry, site)
    notebook["cells"] = [
        _markdown("top", "\n\n".join(top)),
        *headline,
        _markdown("about", "\n\n".join(about)),
        {**first, "source": rest.strip()},
        *apart([cell for part in others for cell in _shown(part, entry.record)]),
        *([_markdown("sources", sources_section(keys))] if keys else []),
        _markdown("code", _code_section(others)),
        _markdown("record", record_section(entry)),
    ]
    return json.dumps(notebook)


def byline(entry: Entry, claims: Iterable[Judged], seen: Sequence[Look] = ()) -> str:
    """Date, size, verdicts, n, how many runs took how long, and how many looks, in one line."""
    record = entry.record
    claims = list(claims)
    parts = [record["date"], f"{record['size']} size"]
    if record["changed"]:
        changed = ", ".join(code(f"{k} = {v}") for k, v in record["changed"].items())
        parts.append(f"a what-if with {changed}, which changes no verdict")
    parts += [in_words(claims)] if claims else []
    if sizes := sorted({claim.n for claim in claims if claim.n}):
        span = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        parts.append(f"n = {span}")
    runs, trained = len(record["runs"]), record["trained"]
    seconds = record.get("seconds_from_empty") or (record["seconds"] if trained == runs else None)
    took = "" if seconds is None else f", {seconds:.0f}\u00a0s"  # of all of them, or not said
    parts.append(f"{runs:,} training run{'s' * (runs != 1)}{took}")
    if seen:
        parts.append(told(seen))
    return f":::{{div}} lrlab-byline\n{' · '.join(parts)}\n:::"


def _runs_line(notebook: dict[str, Any], entry: Entry, site: Site) -> list[str]:
    """The line that leads to the runs that an entry carries; what carries them goes."""
    try:
        data = recorded.of(notebook)
    except ValueError:  # of which the loss explorer warns
        data = None
    carried.take(notebook, recorded.KEY)
    if data is None or entry not in site.counting or not site.has(handbook.LOSSES):
        return []
    folder = PurePosixPath(site.document(entry)).parent
    page = posixpath.relpath(f"{handbook.LOSSES}.html", folder)
    number = sum(len(at["runs"]) for kind in data["schedules"] for at in kind["peaks"])
    link = f'<a href="{page}#entry={entry.name}">Move through {number} of these runs</a>'
    return [f":::{{div}} lrlab-uses\n{link}: peak rate, schedule, seed.\n:::"]


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
    return [*found, *what_if.banner(entry, site)]


def sources_section(keys: Iterable[str]) -> str:
    """Where the claims of the entry come from, cited."""
    lines = "\n".join(f"- `{key}`: {{cite:t}}`{key}`" for key in keys)
    return f"## Sources of the claims\n\n{lines}"


def _headline(cells: list[Cell]) -> list[Cell]:
    """The figure that a page begins with: that tagged `headline`, or the first.

    Where it was, a line leads to it, so that a page shows figure and caption once.
    """
    drawn = [cell for cell in cells if any(map(_is_picture, cell.get("outputs", [])))]
    tagged = [cell for cell in drawn if "headline" in cell["metadata"].get("tags", [])]
    if not drawn:
        return []
    place = (tagged or drawn)[0]
    at = next(i for i, output in enumerate(place["outputs"]) if _is_picture(output))
    chosen = {**copy.deepcopy(place), "outputs": [place["outputs"][at]]}
    chosen["metadata"]["tags"] = ["remove-input"]
    data = {"text/html": _SEE_ABOVE}
    place["outputs"][at] = {"output_type": "display_data", "data": data, "metadata": {}}
    return [chosen | {"id": "lrlab-headline", "source": WITHOUT_CODE}]


def _told(cell: Cell, came: str) -> Cell:
    """The cell that ends a prediction, with what came of it."""
    source = "".join(cell["source"])
    before, found, after = source.partition("## Result")
    if not came or not found or cell["cell_type"] != "markdown":
        return cell
    return {**cell, "source": f"{before.rstrip()}\n\n{came}\n\n{found}{after}".lstrip()}


def _is_picture(output: Mapping[str, Any]) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def _shown(cell: Cell, record: Mapping[str, Any] | None = None) -> Iterator[Cell]:
    """A cell without its code; parameters become a table, and cards are folded."""
    if cell["cell_type"] != "code":
        yield cell
        return
    tags = cell["metadata"].setdefault("tags", [])
    if record is not None and _PARAMETERS & set(tags):
        if "parameters" in tags:
            yield _markdown(f"{cell['id']}-table", _parameters("".join(cell["source"]), record))
        return
    tags.append("remove-input")
    for output in cell.get("outputs", []):
        html = "".join(output.get("data", {}).get("text/html", ""))
        if html and "lrlab_claims" in output["metadata"]:
            claims, name = output["metadata"]["lrlab_claims"], record["entry"] if record else ""
            output["data"]["text/html"] = cards(html, claims, name, cell["id"])
        elif html:
            output["data"]["text/html"] = align(html)
        elif said := "".join(output.get("data", {}).get("text/markdown", "")):
            output["data"] |= power_folded(said)
    yield cell


def _parameters(source: str, record: Mapping[str, Any]) -> str:
    """The parameters as a folded table; as they were written where they can't be read."""
    values, changed = record["parameters"], record["changed"]
    try:
        known = parameters_of(source)
    except (ValueError, SyntaxError):
        return f":::{{dropdown}} Parameters\n{fence(source, 'python')}\n:::"
    title = f"{len(known)} parameter{'s' * (len(known) != 1)}"
    lines = ["| Name | Value | Unit | Meaning |", "| --- | --- | --- | --- |"]
    for name, parameter in known.items():
        value = code(json.dumps(values.get(name, parameter.default), ensure_ascii=False))
        mark = " (changed)" if name in changed else ""
        cells = [code(name), value + mark, prose(parameter.unit), prose(parameter.meaning)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([f":::{{dropdown}} {title}", *lines, ":::"])


def _code_section(cells: Iterable[Cell]) -> str:
    """All code of an entry in one place, folded."""
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    blocks = [
        marked(fence(source, "python"), cell)
        for source, cell in zip(sources, cells, strict=True)
        if source.strip()
    ]
    lines = sum(source.count("\n") + 1 for source in sources)
    return "\n".join(["## Code", "", f"::::{{dropdown}} {lines} lines", *blocks, "::::"])


def _markdown(name: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": f"lrlab-{name}", "metadata": {}, "source": source}


def _raw(html: str) -> str:
    return fence(html, "{raw} html")


def _drawn_again(notebook: dict[str, Any], claims: Iterable[Judged]) -> None:
    """Draw the cards anew: with what was found after the run, and as all pages word it today."""
    by_id = {claim.id: claim for claim in claims}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if stored := output.get("metadata", {}).get("lrlab_claims"):
                output["data"]["text/html"] = "\n".join(card(by_id[c["id"]]) for c in stored)
