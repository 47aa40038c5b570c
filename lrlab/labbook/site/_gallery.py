"""The log as cards: picture, question, answer and verdicts of each entry that counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docutils import nodes

from lrlab.labbook.answers import answer_of
from lrlab.labbook.entries.markup import fence
from lrlab.labbook.ledger import in_words, joined
from lrlab.labbook.site import _pictures as pictures
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._derived import Derived
from lrlab.labbook.site._subjects import LISTED

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

# A key of the bibliography: who, when, and a word of the title.
_KEY = re.compile(r"^(\D+)(\d{4})(?=.)")


def connect(app: Sphinx) -> None:
    """Make the directive `entries-of` known."""
    app.add_directive("entries-of", EntriesOf)


def cards(site: Site, notebooks: Sequence[str]) -> str:
    """The entries that count of these notebooks, in this order, as a grid of cards in Markdown.

    Raises:
        ValueError: naming a notebook that has none.
    """
    counting = {entry.record["notebook"]: entry for entry in site.counting}
    for name in notebooks:
        if name not in counting:
            raise ValueError(f"no entry of {name!r} counts")
    inside = "\n".join(card(site, counting[name]) for name in notebooks)
    return f"::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{inside}\n::::"


def card(site: Site, entry: Entry) -> str:
    """One entry as a card of a grid, in Markdown."""
    figure = pictures.headline(entry)
    options = [
        f":link: /{site.document(entry)}",
        ":link-type: doc",
        f":class-item: {' '.join(['lrlab-entry', *_marks(entry)])}",
    ]
    if figure:
        alt = re.sub(r"[\n\[\]]", " ", figure.alt)
        options += [f":img-top: /{pictures.picture(entry)}", f":img-alt: {alt}"]
    found = answer_of(entry.content())
    verdicts = in_words(joined(entry))
    return "\n".join(
        [
            f":::{{grid-item-card}} {sites.short_title(entry)}",
            *options,
            "",
            first_sentence(found.text) if found else sites.question(entry),
            "",
            fence(f"{entry.record['date']} · {verdicts}", "{card-footer}"),
            ":::",
        ]
    )


def _marks(entry: Entry) -> list[str]:
    """Classes that say what an entry is about, and whose statements it tests."""
    keys = sorted({claim.source for claim in joined(entry) if claim.source})
    sources = (slug(_KEY.sub(r"\1-\2-", key)) for key in keys)
    about = [f"lrlab-tag-{slug(tag)}" for tag in sites.tags(entry)]
    return about + [f"lrlab-source-{source}" for source in sources]


def first_sentence(text: str) -> str:
    """The first sentence of an answer, without links or emphasis.

    Example:
        >>> first_sentence("At **0.1** it ends 3 % lower. Use it.")
        'At 0.1 it ends 3 % lower.'
    """
    return re.split(r"(?<=[a-z0-9%)\]][.!?]) (?=[A-Z])", without_marks(text), maxsplit=1)[0]


def without_marks(text: str) -> str:
    """An answer as plain text, in one line.

    Example:
        >>> without_marks("At **0.1** it ends 3 % lower.")
        'At 0.1 it ends 3 % lower.'
    """
    return re.sub(r"\*\*|`", "", " ".join(text.split()))


def slug(tag: str) -> str:
    """A tag as part of a class."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower())


class EntriesOf(Derived):
    """The entries that count of the notebooks that the content names."""

    has_content = True

    def markdown(self, site: Site) -> str:
        """Return the cards."""
        try:
            return cards(site, self._notebooks())
        except ValueError as error:
            raise self.error(str(error)) from None

    def run(self) -> list[nodes.Node]:
        """Return the cards, marked as those of a subject."""
        found = super().run()
        site = sites.of(self.env.app)
        pages = {entry.record["notebook"]: site.document(entry) for entry in site.counting}
        for listed in found:
            listed["classes"].append(LISTED)
            listed["lrlab-documents"] = [pages[name] for name in self._notebooks()]
        return found

    def _notebooks(self) -> list[str]:
        return " ".join(self.content).split()
