"""Which names of the package an entry uses, read from its code, so that pages lead to one another.

What a notebook leaves to the private code of experiments, or to a list of presets, is followed into
that code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

import lrlab
from lrlab.labbook.answers import answer_of
from lrlab.labbook.entries.markup import prose
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._derived import Derived
from lrlab.labbook.site._gallery import first_sentence

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

SCHEDULES = "lrlab.schedules."
HANDBOOK = "book/handbook"
MOST = 6  # entries that are named under a name of the package, or unfolded under a schedule

_FOLLOWED = ("lrlab.experiments", "lrlab.schedules.presets")
_PACKAGE = Path(lrlab.__file__).parents[1]
_FOLD = "sd-summary-content"  # class of what a dropdown folds
_ITALICS = re.compile(r"(?<![*\w])\*([^*\n]{4,90})\*(?![*\w])")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def connect(app: Sphinx) -> None:
    """Make the list of a schedule's experiments known, and say under names who uses them."""
    app.add_directive("schedule-experiments", ScheduleExperiments)
    app.connect("doctree-resolved", _link_package)
    if "autodoc-process-docstring" in app.events.events:
        app.connect("autodoc-process-docstring", _add_examples, priority=900)  # after napoleon


def names(source: str) -> set[str]:
    r"""The full names of the package that some code uses.

    Args:
        source: Python.

    Example:
        >>> sorted(names("from lrlab import schedules as s\ns.Cosine(peak_lr=1, steps=2)"))
        ['lrlab.schedules', 'lrlab.schedules.Cosine']
    """
    tree = ast.parse(source)
    return _reached(tree.body, _imported(tree), {}, set())


def _imported(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lrlab":
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.asname: one.name for one in node.names if one.asname}
    return found


def _reached(
    parts: list[Any], imported: dict[str, str], own: dict[str, ast.AST], seen: set[str]
) -> set[str]:
    """Names that code uses, and what the code uses that is followed."""
    found: set[str] = set()
    local: set[str] = set()
    waiting = list(parts)
    while waiting:
        for node in ast.walk(waiting.pop()):
            name = _dotted(node)
            if name is None:
                continue
            first, _, rest = name.partition(".")
            if first in own and first not in local:
                local.add(first)
                waiting.append(own[first])
            elif first in imported:
                found.add(f"{imported[first]}.{rest}".rstrip("."))
    for name in sorted(found - seen):
        seen.add(name)
        if name.startswith(_FOLLOWED):
            found |= _followed(name, seen)
    return {name for name in found if name.split(".")[0] == "lrlab"}


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return None


def _followed(name: str, seen: set[str]) -> set[str]:
    module, _, part = name.rpartition(".")
    if (tree := _module(module)) is None:
        return set()
    own = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imported = _imported(tree)
    if part in own:
        return _reached([own[part]], imported, own, seen)
    if part in imported and imported[part] not in seen:  # a room that passes it on
        seen.add(imported[part])
        return _followed(imported[part], seen)
    return set()


@cache
def _module(name: str) -> ast.Module | None:
    path = _PACKAGE / name.replace(".", "/")
    files = (path.with_suffix(".py"), path / "__init__.py")
    file = next((file for file in files if file.is_file()), None)
    return None if file is None else ast.parse(file.read_text("utf-8"))


@cache
def _of_file(path: str, sha256: str) -> frozenset[str]:
    cells = sites.cells(Path(path))
    code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    found: set[str] = set()
    with suppress(SyntaxError):  # a notebook's own commands
        found = names("\n".join(code))
    return frozenset(found)


def of(entry: Entry) -> frozenset[str]:
    """The names of the package that an entry uses."""
    return _of_file(str(entry.path), entry.record["entry_sha256"])


def users(site: Site, name: str) -> list[Entry]:
    """The entries that count and use a name of the package, newest first."""
    return [entry for entry in site.counting if name in of(entry)]


def page_of(schedule: str) -> str:
    """The page of the handbook on a schedule.

    Example:
        >>> page_of("LinearDecayToZero")
        'book/handbook/linear_decay_to_zero'
    """
    return f"{HANDBOOK}/{_CAPITAL.sub('_', schedule).lower()}"


def schedules_line(entry: Entry, site: Site) -> list[str]:
    """The line of an entry's page that leads to the handbook's pages on its schedules."""
    used = sorted(n.removeprefix(SCHEDULES) for n in of(entry) if n.startswith(SCHEDULES))
    links = [f"{{doc}}`{name} </{page_of(name)}>`" for name in used if site.has(page_of(name))]
    return [f":::{{div}} lrlab-uses\nIn the handbook: {', '.join(links)}\n:::"] if links else []


def entries_linked(text: str, entry: Entry, site: Site) -> str:
    """Markdown in which the name of another entry, in italics, leads to it."""

    def linked(found: re.Match[str]) -> str:
        other = site.by_title.get(found[1])
        if other is None or other.record["notebook"] == entry.record["notebook"]:
            return found[0]
        return f"*{{doc}}`{found[1]} </{site.document(other)}>`*"

    return _ITALICS.sub(linked, text)


def experiments(site: Site, schedule: str) -> str:
    """The experiments with a schedule and what each found, as a Markdown list."""
    found = users(site, SCHEDULES + schedule)
    if not found:
        return "No experiment of the log uses it yet."
    # First those that are about it, which their titles say, or else their tags.
    about = re.sub(r"\W", "", schedule).lower()

    def rank(entry: Entry) -> int:
        said = (sites.short_title(entry) + sites.title(entry), "".join(sites.tags(entry)))
        return next((i for i, t in enumerate(said) if about in re.sub(r"\W", "", t).lower()), 2)

    found.sort(key=rank)
    lines = []
    for entry in found:
        answer = answer_of(entry.content())
        said = prose(first_sentence(answer.text)) if answer else prose(sites.question(entry))
        lines.append(f"- {{doc}}`{sites.short_title(entry)} </{site.document(entry)}>`: {said}")
    more = lines[MOST:]
    fold = [f"\n:::{{dropdown}} {len(more)} more", *more, ":::"] if more else []
    return "\n".join([*lines[:MOST], *fold])


class ScheduleExperiments(Derived):
    """The experiments with the schedule that is the argument."""

    required_arguments = 1

    def markdown(self, site: Site) -> str:
        """Return the list."""
        return experiments(site, self.arguments[0])


def examples(site: Site, name: str) -> list[str]:
    """Which entries use a name of the package, as reStructuredText; nothing where none does."""
    found = users(site, name)
    if not found:
        return []
    shown = [_link(site, entry) for entry in found[:MOST]]
    more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
    return ["", f"*Experiments that use it:* {', '.join(shown)}{more}.", ""]


def _link(site: Site, entry: Entry) -> str:
    title = re.sub(r"[`<>\\]", "", sites.short_title(entry))
    return f":doc:`{title} </{site.document(entry)}>`"


def _add_examples(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    if what in {"class", "function"}:
        lines += examples(sites.of(app), name)


def _link_package(app: Sphinx, doctree: nodes.document, document: str) -> None:
    """Under an entry's code, lead to what is said of the names that it takes from the package."""
    entry = sites.of(app).by_document.get(document)
    sections = [s for s in doctree.findall(nodes.section) if "code" in s["ids"]]
    if entry is None or not sections:
        return
    objects = app.env.domaindata.get("py", {}).get("objects", {})
    line = nodes.paragraph("", "From the package: ")
    for name in sorted(of(entry) & objects.keys()):
        known = objects[name]
        if known.objtype in {"class", "function"}:
            place = app.builder.get_relative_uri(document, known.docname)
            line += nodes.Text(", " if len(line) > 1 else "")
            link = nodes.reference("", "", internal=True, refuri=f"{place}#{known.node_id}")
            link += nodes.literal(text=name.rpartition(".")[2])
            line += link
    if len(line) > 1:
        line += nodes.Text(".")
        folds = [part for part in sections[0].findall(nodes.Element) if _FOLD in part["classes"]]
        (folds or sections)[0].insert(0 if folds else 1, line)


def fingerprint(site: Site) -> Iterator[str]:
    """What pages about the package say of entries, for those who ask whether it changed."""
    for entry in site.counting:
        yield f"{site.document(entry)} {sites.short_title(entry)} {sorted(of(entry))}"
