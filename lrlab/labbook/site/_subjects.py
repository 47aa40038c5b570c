"""The book's order: parts and chapters from `_toc.yml`, and the subjects that the log is read by.

The sidebar shows chapters, and inside the one that is open its pages; the log shows subjects, and
inside the one that is open its entries. Previous and next page follow the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes

from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOG = "book/log/index"
LISTED = "lrlab-entries-of"  # class of the list of a subject's entries


@dataclass(frozen=True)
class Link:
    """One line of the sidebar.

    Args:
        title: what is read.
        document: the page it leads to.
        anchor: a place on that page, empty for its top.
        below: what is shown while a page in here is open.
    """

    title: str
    document: str
    anchor: str = ""
    below: tuple[Link, ...] = ()

    def holds(self, document: str) -> bool:
        """Whether a page is this one or below it."""
        here = not self.anchor and self.document == document
        return here or any(link.holds(document) for link in self.below)


@dataclass(frozen=True)
class Part:
    """A part of the book: its caption and its chapters."""

    caption: str
    chapters: tuple[Link, ...]


def connect(app: Sphinx) -> None:
    """Bring the log's entries into the order of their subjects when all pages are read."""
    app.connect("env-updated", _order)


def _order(app: Sphinx, env: BuildEnvironment) -> None:
    included = env.toctree_includes.get(LOG, [])
    first = [document for subject in subjects(env) for document in _documents(subject)]
    listed = [document for document in dict.fromkeys(first) if document in included]
    env.toctree_includes[LOG] = listed + [d for d in included if d not in set(listed)]


def subjects(env: BuildEnvironment) -> list[Link]:
    """The log's subjects, as its page lists them, with their entries."""
    if LOG not in env.found_docs:
        return []
    found = []
    for section in env.get_doctree(LOG).findall(nodes.section):
        lists = [child for child in section.children if LISTED in child.get("classes", ())]
        if lists:
            links = [
                Link(_title(env, document), document)
                for part in lists
                for document in part["lrlab-documents"]
            ]
            title = section.next_node(nodes.title).astext()
            found.append(Link(title, LOG, section["ids"][0], tuple(links)))
    return found


def parts(app: Sphinx) -> list[Part]:
    """The parts of the book in the order of `_toc.yml`."""
    env = app.env
    tree = getattr(app.config, "external_site_map", None)
    if tree is None:
        return []
    return [
        Part(part.caption or "", tuple(_chapter(env, tree, item) for item in part.items))
        for part in tree.root.subtrees
    ]


def _chapter(env: BuildEnvironment, tree: Any, item: str) -> Link:
    below = (
        subjects(env)
        if item == LOG
        else [
            Link(_title(env, page), str(page))
            for subtree in (tree[item].subtrees if item in tree else [])
            for page in subtree.items
        ]
    )
    return Link(_title(env, item), str(item), below=tuple(below))


def _title(env: BuildEnvironment, document: str) -> str:
    if entry := sites.of(env.app).by_document.get(document):
        return sites.short_title(entry)
    return env.titles[document].astext() if document in env.titles else document


def _documents(link: Link) -> Iterator[str]:
    return (below.document for below in link.below)
