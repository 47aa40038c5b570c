"""A source's own story, sentence by sentence, with what was found beside each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lrlab.labbook.entries.markup import prose
from lrlab.labbook.sentences import MEASURED_ONLY, Sentence, sentences, untested
from lrlab.labbook.site import _pictures as pictures
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._derived import Derived
from lrlab.labbook.site._verdicts import named

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.ledger import Row
    from lrlab.labbook.site.site import Site

_CITED = re.compile(r"\{cite[\w:]*\}`([^`]+)`")
FEW = 3  # measurements that stand in the list; more are folded


def connect(app: Sphinx) -> None:
    """Make the directive `story` known."""
    app.add_directive("story", Story)


def told(site: Site, source: str, part: str = "", seen: set[str] | None = None) -> str:
    """The sentences of a document in its order, with their claims and pictures, as Markdown.

    Args:
        site: the log.
        source: key of the document in the bibliography.
        part: only those of this part of the document; all where it is empty.
        seen: names of the entries whose figures the page has already; those shown are added.

    Raises:
        ValueError: if the table of sentences has none of them.
    """
    chosen = [
        sentence
        for sentence in sentences(site.root)
        if sentence.source == source and (not part or sentence.part == part)
    ]
    if not chosen:
        raise ValueError(f"the table of sentences has none of {source!r} {part!r}".rstrip(" '"))
    seen = set() if seen is None else seen
    return "\n\n".join(block for one in chosen for block in _sentence(site, one, seen))


def _sentence(site: Site, sentence: Sentence, seen: set[str]) -> Iterator[str]:
    yield f":::{{div}} lrlab-said\n“{prose(sentence.says)}”\n:::"
    yield f"Not known of the source: {prose(sentence.lost)}."
    if sentence.open:
        yield f"*Open*: {prose(sentence.open)}."
        return
    rows = sentence.rows(site.ledger)
    if untested(rows):
        yield f"*Open*: {MEASURED_ONLY}."
    tested = [row for row in rows if row.claim.kind != "descriptive"]
    measured = [row for row in rows if row.claim.kind == "descriptive"]
    folded = bool(tested) and len(measured) > FEW
    yield _listed(tested if folded else rows)
    if folded:
        title = f"{len(measured)} measurements beside them"
        yield f":::{{dropdown}} {title}\n{_listed(measured)}\n:::"
    by_name = {entry.name: entry for entry in site.counting}
    names = [name for name in dict.fromkeys(row.entry for row in rows) if name in by_name]
    links = ", ".join(
        f"{{doc}}`{sites.short_title(by_name[n])} </{site.document(by_name[n])}>`" for n in names
    )
    about_it = [name for name in names if _is_about(site, by_name[name], sentence.source)]
    new = [name for name in about_it if name not in seen and pictures.headline(by_name[name])]
    seen.update(names)
    if not new:
        yield f"Tested in {links}."
        return
    entry = by_name[new[0]]
    figure = pictures.headline(entry)
    assert figure is not None
    alt = re.sub(r"[\n\[\]]", " ", figure.alt)
    yield (
        f":::{{figure}} /{pictures.picture(entry)}\n:alt: {alt}\n\n"
        f"{figure.caption} Tested in {links}.\n:::"
    )


def _is_about(site: Site, entry: Entry, source: str) -> bool:
    """Whether an entry's question cites this document and no other that has a story."""
    cells = entry.content()["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    _, _, question = "\n".join(texts).partition("## Question\n")
    cited = {
        key.strip()
        for keys in _CITED.findall(question.partition("\n## ")[0])
        for key in keys.split(",")
    }
    return cited & {sentence.source for sentence in sentences(site.root)} == {source}


def _listed(rows: Sequence[Row]) -> str:
    said = named([row.claim for row in rows])
    return "\n".join(
        f"- {{claim}}`{id}` {prose(statement.rstrip('.'))}." for id, statement in said.items()
    )


class Story(Derived):
    """The sentences of the document whose key is the argument; of one part with the option."""

    required_arguments = 1
    final_argument_whitespace = False
    option_spec = {"part": str}  # noqa: RUF012  # as docutils declares it

    def markdown(self, site: Site) -> str:
        """Return the story."""
        try:
            seen = self.env.temp_data.setdefault("lrlab-story", set())  # of this page
            return told(site, self.arguments[0], self.options.get("part", ""), seen)
        except ValueError as error:
            raise self.error(str(error)) from None
