"""The loss explorer: runs that entries recorded, as tables where no script runs, and as its files.

An entry that counts is in it if its notebook carries runs (`lrlab.labbook.recorded`). Each has a
script of its own, which the page loads when the entry is chosen: a page that is opened from the
disk may load scripts, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sphinx.util import logging

from lrlab import schedules
from lrlab.labbook import recorded
from lrlab.labbook.site import site as sites
from lrlab.labbook.site.handbook import _drawing as drawing

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.recorded import Data
    from lrlab.labbook.site.site import Site

STATIC = "_static"
COLUMNS = ("Schedule", "Peak rate", "Mean", "Lowest", "Highest", "Diverged")
_RECORDS = re.compile(r"\brecorded\.show\(")
_log = logging.getLogger(__name__)


def connect(app: Sphinx) -> None:
    """Write the files of the runs when all pages are written, before what no page names goes."""
    app.connect("build-finished", _write, priority=300)


def carrying(site: Site) -> tuple[list[tuple[Entry, Data]], list[str]]:
    """The entries that carry runs, by notebook, and a sentence for each whose runs are damaged."""
    found: dict[str, tuple[Entry, Data]] = {}
    damages = []
    for entry in site.counting:
        try:
            data = recorded.of(entry.content())
        except ValueError as error:
            damages.append(f"The runs of {entry.name} are not shown: {error}.")
        else:
            if data is not None:
                found.setdefault(entry.record["notebook"], (entry, data))
    return [found[notebook] for notebook in sorted(found)], damages


def waiting(site: Site, present: set[str]) -> list[str]:
    """The notebooks that record their runs and whose entry carries none yet.

    Args:
        site: the log.
        present: the notebooks whose entry carries its runs.
    """
    return [
        path.stem
        for path in sorted((site.root / "notebooks").glob("*.py"))
        if path.stem not in present and _RECORDS.search(path.read_text("utf-8"))
    ]


def file_of(entry: Entry) -> str:
    """The name of the script with an entry's runs."""
    return f"recorded-{entry.name}.js"


def script(entry: Entry, data: Data) -> str:
    """The script with an entry's runs: one call, with JSON."""
    return f"lrlabRecorded({json.dumps(entry.name)}, {recorded.to_json(data)});\n"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / STATIC
    for entry, data in carrying(sites.of(app))[0]:
        sites.write(folder / file_of(entry), script(entry, data).encode())


def markup(site: Site, link: Callable[[str], str], static: str) -> str:
    """The loss explorer as HTML: a picture and tables; the script replaces the picture.

    Args:
        site: the log.
        link: gives the address of a page, relative to this one.
        static: the folder of the scripts, relative to this page.

    Returns:
        An empty text where no entry carries runs.
    """
    found, damages = carrying(site)
    for sentence in damages:
        _log.warning(sentence, type="lrlab", subtype="recorded")
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in damages)
    if missing := waiting(site, {entry.record["notebook"] for entry, _ in found}):
        said += f"<p>{escape(_not_yet(missing, bool(found)))}</p>"
    if not found:
        return said
    parts = "".join(
        _entry(entry, data, link(site.document(entry)), static) for entry, data in found
    )
    return (
        '<div class="lrlab-explorer lrlab-losses"><div class="lrlab-static"><noscript><p>The '
        "sliders need JavaScript. Without it, this is one of the runs, and the tables below hold "
        f"what all of them ended at.</p></noscript>{_picture(found[0][1])}</div>{parts}</div>{said}"
    )


def _not_yet(missing: list[str], others: bool) -> str:
    more = "More runs" if others else "Runs"
    names = ", ".join(missing)
    return f"{more} will stand here when these notebooks are executed again: {names}."


def _entry(entry: Entry, data: Data, page: str, static: str) -> str:
    """What the runs of an entry ended at, folded, and where the script finds them."""
    title = f"{sites.short_title(entry)}: {data['about']}"
    number = sum(len(point["runs"]) for _, point in _points(data))
    known = {"entry": entry.name, "title": title, "runs": f"{static}/{file_of(entry)}"}
    attributes = " ".join(f'data-{key}="{escape(value)}"' for key, value in known.items())
    return (
        f"<details {attributes}><summary>{escape(title)}. What {number} of its runs ended at"
        f"</summary>{_table(data)}"
        f'<p><a href="{escape(page)}">The entry of these runs</a></p></details>'
    )


def _points(data: Data) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schedule's points: a peak rate, and its runs."""
    for schedule in data["schedules"]:
        for point in schedule["peaks"]:
            yield schedule["name"], point


def _table(data: Data) -> str:
    caption = (
        f"{data['metric'].capitalize()} at the end [{data['unit']}], {len(data['seeds'])} seeds, "
        f"{data['steps']:,} updates."
    )
    rows = []
    for name, point in _points(data):
        ends = [run["final"] for run in point["runs"] if run["final"] is not None]
        numbers = [point["peak"], *((np.mean(ends), min(ends), max(ends)) if ends else [])]
        cells = [f"{number:.4g}" for number in numbers] + ["–"] * (4 - len(numbers))
        cells.append(str(sum(run.get("diverged", False) for run in point["runs"])))
        row = "".join(f'<td class="lrlab-number">{cell}</td>' for cell in cells)
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{row}</tr>')
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    return (
        f'<div class="lrlab-table" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="dataframe"><caption>{escape(caption)}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _picture(data: Data) -> str:
    """The run that the sliders show at first: the middle rate of the first schedule."""
    first = data["schedules"][0]
    point = first["peaks"][len(first["peaks"]) // 2]
    schedule, stop = schedules.from_dict(point["schedule"]), data["steps"]
    run = point["runs"][0]
    losses = np.array(run["loss"].split(), dtype=float)
    at = data["width"] * (np.arange(len(losses)) + 0.5)
    title = f"{first['name']}, peak rate {point['peak']:.4g}, seed {data['seeds'][0]}"
    rates = {"rate": lambda t: schedule(t) / point["peak"]}
    panels = [drawing.Panel(title, rates, stop, ylabel="rate / peak rate")]
    if (seen := np.isfinite(losses)).any():
        curve = {"training loss": lambda t: np.interp(t, at[seen], losses[seen])}
        final = "no number" if run["final"] is None else run["final"]
        title = f"Its {data['metric']} at the end: {final}"
        panels.append(drawing.Panel(title, curve, stop, ylabel="training loss"))
    return f'<div class="lrlab-panels">{"".join(map(drawing.figure, panels))}</div>'
