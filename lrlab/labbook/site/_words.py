"""Words of the book's word list, linked to it where an entry's page first has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from docutils import nodes

from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WORDS = "book/guide/words"
# Where a word is a verb: "look at it", "the rule looks after 5", "the loss peaks early".
_NOT_BEFORE = {
    "look": r"(?! (?:at|for|like|up|into|the|as|after)\b)",
    "peak": r"(?!(?<=s) (?:early|late|at|near|in|after|before|when|where|again|and)\b)",
}
# What stands before a word where it is a noun; a figure does as well.
_ARTICLES = "a|an|the|this|of|no|any|each|every|its|first|second|last|best|one|two|three"
_ONLY_AFTER = {"look": _ARTICLES}
_CLOSED = (
    nodes.title,
    nodes.rubric,
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.raw,
    nodes.math,
    nodes.math_block,
    nodes.term,
    nodes.citation,
    nodes.attribution,
)


def connect(app: Sphinx) -> None:
    """Link the words when all pages are known."""
    app.connect("doctree-resolved", _link)


def _link(app: Sphinx, doctree: nodes.document, document: str) -> None:
    if document not in sites.of(app).by_document or WORDS not in app.env.found_docs:
        return
    terms: dict[str, Any] = app.env.domaindata["std"].get("terms", {})
    page = app.builder.get_relative_uri(document, WORDS)
    known = {
        name: f"{page}#{place}"
        for term, (where, place) in terms.items()
        if where == WORDS
        for name in term.split(", ")
    }
    link(doctree, known)


def link(doctree: nodes.document, words: Mapping[str, str]) -> None:
    """Link the first place of each word, at most once a page and nowhere in headings, code, links.

    Args:
        doctree: a page.
        words: addresses by word, in lower case; a plural is found as well.
    """
    left = dict(words)
    for text in list(doctree.findall(nodes.Text)):
        if left and not _is_closed(text):
            text.parent.replace(text, _linked(text, left))


def _is_closed(node: nodes.Node | None) -> bool:
    while node is not None:
        if isinstance(node, _CLOSED) or _in_written_link(node):
            return True
        node = node.parent
    return False


def _in_written_link(node: nodes.Node) -> bool:
    """Whether a link that was written as HTML is open before a node: its tags are siblings."""
    before = node.parent.children[: node.parent.index(node)] if node.parent else []
    tags = [tag.astext() for tag in before if isinstance(tag, nodes.raw)]
    ends = [tag for tag in tags if tag.startswith(("<a ", "</a"))]
    return bool(ends) and ends[-1].startswith("<a ")


def _linked(text: nodes.Text, left: dict[str, str]) -> list[nodes.Node]:
    """The parts of a text; `left` loses the words that are linked."""
    made: list[nodes.Node] = []
    rest = str(text)
    while left and (found := _pattern(tuple(left)).search(rest)):
        word = found[0].lower()
        address = left.pop(word if word in left else word.removesuffix("s"))
        if found.start():
            made.append(nodes.Text(rest[: found.start()]))
        reference = nodes.reference("", found[0], internal=True, refuri=address)
        reference["classes"].append("lrlab-word")
        made.append(reference)
        rest = rest[found.end() :]
    return [*made, nodes.Text(rest)] if rest or not made else made


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = (
        f"{_after(word)}{re.escape(word)}s?{_NOT_BEFORE.get(word, '')}"
        for word in sorted(words, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])", re.IGNORECASE)


def _after(word: str) -> str:
    if word not in _ONLY_AFTER:
        return ""
    before = (rf"(?<=\b{other} )" for other in _ONLY_AFTER[word].split("|"))
    return rf"(?:(?<=\d )|{'|'.join(before)})"
