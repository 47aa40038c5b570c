"""Directives of the handbook's pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from lrlab import schedules
from lrlab.labbook.site import site as sites
from lrlab.labbook.site.handbook import _drawing as drawing
from lrlab.labbook.site.handbook import _examples as examples
from lrlab.labbook.site.handbook import _explorer as explorer
from lrlab.labbook.site.handbook import _losses as losses
from lrlab.labbook.site.handbook import _mistakes as mistakes
from lrlab.labbook.site.handbook import _peers as peers

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def connect(app: Sphinx) -> None:
    """Make the directives known."""
    app.add_directive("schedule", Definition)
    app.add_directive("schedule-pictures", Pictures)
    app.add_directive("schedule-table", Table)
    app.add_directive("schedule-elsewhere", Elsewhere)
    app.add_directive("wrong-and-right", WrongAndRight)
    app.add_directive("schedule-explorer", Explorer)
    app.add_directive("loss-explorer", LossExplorer)
    app.add_directive("parity-table", Parity)
    app.add_directive("parity-by-form", ParityByForm)
    app.add_directive("gotcha-list", Gotchas)


def page(name: str) -> str:
    """The name of a schedule's page.

    Example:
        >>> page("LinearDecayToZero")
        'linear_decay_to_zero'
    """
    return _WORD.sub("_", name).lower()


def formula(name: str) -> str:
    """The formula in a schedule's docstring, as TeX."""
    found = re.search(r"\$\$(.+?)\$\$", inspect.getdoc(getattr(schedules, name)), re.DOTALL)
    return "\n".join(line.strip() for line in found[1].splitlines())


def explanation(name: str) -> list[str]:
    """What a schedule's docstring says on its formula's symbols, none if that is nothing."""
    after = inspect.getdoc(getattr(schedules, name)).split("\n\n")
    found = next((text for text in after if text.startswith(("where ", "with "))), "")
    return [*_with_symbols(found).splitlines(), ""]


def arguments(name: str) -> list[tuple[str, str]]:
    """The arguments of a schedule and what its docstring says on each.

    Example:
        >>> arguments("Constant")
        [('lr', 'the rate, > 0.')]
    """
    section = inspect.getdoc(getattr(schedules, name)).split("Args:\n")[1].split("\n\n")[0]
    joined = _with_symbols(re.sub(r"\n {8}", " ", section))
    return [tuple(line.strip().split(": ", 1)) for line in joined.splitlines()]


def _with_symbols(text: str) -> str:
    """Text with what its formula calls η_p set as the formula sets it."""
    return re.sub(r"η_(\w)", r"$\\eta_\1$", text)


def summary(name: str) -> str:
    """The first line of a schedule's docstring."""
    return inspect.getdoc(getattr(schedules, name)).splitlines()[0]


class _FromMarkdown(SphinxDirective):
    def parsed(self, lines: Sequence[str]) -> list[nodes.Node]:
        """What Markdown becomes on this page."""
        holder = nodes.container()
        self.state.nested_parse(StringList(list(lines), "handbook"), self.content_offset, holder)
        return holder.children

    @property
    def root(self) -> Path:
        """The laboratory's folder."""
        return Path(self.env.srcdir)

    def peers(self) -> dict[str, Any]:
        """Names and lines of code in other libraries."""
        self.env.note_dependency(str(self.root / "book/handbook/peers.toml"))
        return peers.read(self.root)

    def html(self, text: str) -> nodes.raw:
        """A node of HTML as it is."""
        return nodes.raw("", text, format="html")


class Definition(_FromMarkdown):
    """A schedule's formula, its picture, and where its arguments are documented."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the first lines of a schedule's page."""
        name = self.arguments[0]
        first, *_ = examples.panels(name)
        link = f"explorer.html#schedule={'Cosine' if name == 'Warmup' else name}"
        code = peers.wrapped(repr(examples.EXAMPLES[name]).replace("'", '"'))
        head = [summary(name), "", "```{math}", formula(name), "```", "", *explanation(name)]
        tail = [
            *("```python", code, "```", "", "| Argument | Meaning |", "| --- | --- |"),
            *(f"| `{argument}` | {meaning} |" for argument, meaning in arguments(name)),
            "",
            f"More: {{py:class}}`lrlab.schedules.{name}`. With sliders: "
            f'<a href="{link}">the explorer</a>.',
        ]
        return [*self.parsed(head), self.html(drawing.figure(first)), *self.parsed(tail)]


class Pictures(_FromMarkdown):
    """A picture for every option of a schedule, with the option varied."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the pictures."""
        _, *varied = examples.panels(self.arguments[0])
        figures = "".join(drawing.figure(panel) for panel in varied)
        return [self.html(f'<div class="lrlab-panels">{figures}</div>')]


class Elsewhere(_FromMarkdown):
    """What a schedule is called in other libraries, and the line of code in each."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return names and code."""
        return self.parsed(peers.markdown(self.peers(), self.arguments[0]))


class Table(_FromMarkdown):
    """All schedules with a small picture of each and what other libraries call them."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = ["| | Schedule | In other libraries |", "| --- | --- | --- |"]
        for name, schedule in examples.EXAMPLES.items():
            curve = drawing.sketch(schedule, examples.STEPS)
            called = peers.names(self.peers(), name)
            elsewhere = "<br>".join(
                f"{title}: " + ", ".join(f"`{n}`" for n in found) for title, found in called.items()
            )
            link = f"{{doc}}`{name} <{page(name)}>`"
            lines.append(f"| {curve} | {link}<br>{summary(name)} | {elsewhere} |")
        return self.parsed([":::{div} lrlab-schedules", *lines, ":::"])


class WrongAndRight(_FromMarkdown):
    """A formula as some sources have it, beside the one that was meant."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return formulas, picture and values."""
        name = self.arguments[0]
        return [*self.parsed(mistakes.markdown(name)), self.html(mistakes.picture(name))]


class Explorer(_FromMarkdown):
    """The page with sliders; a picture and its code where no script runs."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return what the script builds on."""
        return [self.html(explorer.markup())]


class LossExplorer(_FromMarkdown):
    """The page whose sliders move through recorded runs; tables where no script runs."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return what the script builds on."""
        static = "../" * self.env.docname.count("/") + losses.STATIC
        link = partial(sites.relative_uri, self.env)
        return [self.html(losses.markup(sites.of(self.env.app), link, static))]


class Parity(_FromMarkdown):
    """The largest differences from other libraries, as the tests measured them."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        self.env.note_dependency(str(self.root / "book/handbook/parity.json"))
        return self.parsed([":::{div} lrlab-numbers", *peers.parity(self.root), ":::"])


class ParityByForm(Parity):
    """The same for every form that was compared."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        self.env.note_dependency(str(self.root / "book/handbook/parity.json"))
        return self.parsed([":::{div} lrlab-numbers", *peers.parity_by_form(self.root), ":::"])


class Gotchas(_FromMarkdown):
    """The gotchas as a list of links into the entry that shows them."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the list, or a sentence where the log has no such entry."""
        site = sites.of(self.env.app)
        entry = next((e for e in site.counting if e.record["notebook"] == "gotchas"), None)
        if entry is None:
            return self.parsed(["The log has no entry yet that shows them."])
        document = site.document(entry)
        found = nodes.bullet_list()
        for claim in entry.claims():
            uri = self.env.app.builder.get_relative_uri(self.env.docname, document)
            slug = claim["id"].rpartition(".")[2]
            link = nodes.reference("", claim["statement"], refuri=f"{uri}#gotcha-{slug}")
            found += nodes.list_item("", nodes.paragraph("", "", link))
        return [found, *self.parsed([f"The cells: {{doc}}`{sites.title(entry)} </{document}>`."])]
