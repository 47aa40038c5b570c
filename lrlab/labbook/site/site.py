"""What the book is built from: the log, the live run, and the files that only a build makes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.labbook import entries, looks
from lrlab.labbook.ledger import Row, counting, rows
from lrlab.labbook.looks import Look

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from lrlab.labbook.entries import Entry

LIVE = "book/live/reproduced_here"

_PLACEHOLDER = """\
# Reproduced here

This page is made on your machine: `make book` runs the flagship experiment again in small, from an
empty store, and shows here what it measured beside what the log's record says. This copy of the
book was built without that run.
"""


@dataclass
class Site:
    """The log as the book's pages need it, read once a build.

    Args:
        root: the laboratory's folder.
    """

    root: Path
    log: list[Entry] = field(init=False)

    def __post_init__(self) -> None:
        self.log = entries.log(self.root)

    @cached_property
    def by_document(self) -> dict[str, Entry]:
        """Entries by the name of their page."""
        return {self.document(entry): entry for entry in self.log}

    @cached_property
    def counting(self) -> list[Entry]:
        """Entries whose verdicts stand, newest first."""
        return counting(self.log)

    @cached_property
    def ledger(self) -> list[Row]:
        """The claims of the entries that count."""
        return rows(self.log)

    @cached_property
    def looks(self) -> list[Look]:
        """The looks on the record, oldest first."""
        return looks.read(self.root)

    @cached_property
    def by_title(self) -> dict[str, Entry]:
        """The entries that count by short title, title, and what stands there before a colon."""
        found = {}
        for entry in self.counting:
            whole = title(entry)
            found |= dict.fromkeys((whole.partition(":")[0], whole, short_title(entry)), entry)
        return found

    def document(self, entry: Entry) -> str:
        """Name of an entry's page."""
        return Path(entry.path).relative_to(self.root).with_suffix("").as_posix()

    def page_of(self, name: str) -> str:
        """Name of the page of the entry with this name."""
        return f"{self.document(self.log[0]).rpartition('/')[0]}/{name}"

    def has(self, document: str) -> bool:
        """Whether the book has a page with this name, written in Markdown."""
        return (self.root / f"{document}.md").is_file()

    def live_record(self) -> dict[str, Any] | None:
        """Record of the run that `make book` made on this machine, None without one."""
        file = self.root / f"{LIVE}.json"
        return json.loads(file.read_text("utf-8")) if file.is_file() else None

    @cached_property
    def address(self) -> str:
        """Where the book will be published, with a slash at its end; empty if nobody said.

        It stands in `_config.yml` as `html: baseurl`; LRLAB_BOOK_URL overrides it.
        """
        given = os.environ.get("LRLAB_BOOK_URL") or self._setting("html", "baseurl")
        return given.rstrip("/") + "/" if given else ""

    @cached_property
    def repository(self) -> str:
        """Address of the code, from `repository: url` of `_config.yml`; empty if nobody said."""
        return self._setting("repository", "url").rstrip("/")

    @cached_property
    def branch(self) -> str:
        """Name of the branch that links to code lead to."""
        return self._setting("repository", "branch") or "main"

    def _setting(self, section: str, name: str) -> str:
        import yaml

        file = self.root / "_config.yml"
        known = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else None
        return str(((known or {}).get(section) or {}).get(name) or "")

    def successor(self, entry: Entry) -> Entry | None:
        """The entry that supersedes this one, None without one."""
        return next((e for e in self.log if e.name == entry.superseded_by), None)


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells of a stored notebook."""
    return json.loads(path.read_bytes())["cells"]


def title(entry: Entry) -> str:
    """An entry's first heading, without markup."""
    for cell in cells(Path(entry.path)):
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line[2:].strip()
    return entry.name


def short_title(entry: Entry) -> str:
    """The name of an entry for lists: its notebook's short title, or else its title."""
    metadata = json.loads(Path(entry.path).read_bytes())["metadata"]
    return metadata.get("lrlab", {}).get("short_title") or title(entry)


def question(entry: Entry) -> str:
    """The question that an entry's notebook asks, in one sentence; empty without one."""
    metadata = json.loads(Path(entry.path).read_bytes())["metadata"]
    return metadata.get("lrlab", {}).get("question", "")


def tags(entry: Entry) -> list[str]:
    """What an entry is about, in words."""
    found = json.loads(Path(entry.path).read_bytes())["metadata"].get("tags", "")
    return [tag.strip() for tag in found.split(",") if tag.strip()]


def relative_uri(env: BuildEnvironment, document: str) -> str:
    """Address of a page, relative to the one that is being read."""
    return env.app.builder.get_relative_uri(env.docname, document)


def of(app: Sphinx) -> Site:
    """The site of this build."""
    if not hasattr(app, "lrlab_site"):
        app.lrlab_site = Site(Path(app.srcdir))  # type: ignore[attr-defined]
    return app.lrlab_site  # type: ignore[attr-defined]


def connect(app: Sphinx) -> None:
    """Write what git does not keep, and set the address that permanent links have."""
    app.connect("config-inited", _set_address)
    # Before Sphinx looks for documents: a page may have only one source.
    app.connect("config-inited", _write_generated)


def _set_address(app: Sphinx, config: Any) -> None:
    config.html_baseurl = of(app).address


def _write_generated(app: Sphinx, config: Any) -> None:
    site = of(app)
    if not (site.root / "notebooks" / f"{Path(LIVE).name}.py").is_file():
        return  # a laboratory without such an experiment
    live, placeholder = (site.root / f"{LIVE}{ending}" for ending in (".ipynb", ".md"))
    if live.is_file():
        placeholder.unlink(missing_ok=True)
    else:
        write(placeholder, _PLACEHOLDER.encode())


def write(path: Path, content: bytes) -> None:
    """Write a file unless it has this content already."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
