"""How a reader comes by the code: a line to clone it, or where it lies on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrlab.labbook.entries.markup import fence
from lrlab.labbook.site._derived import Derived

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.site.site import Site


def connect(app: Sphinx) -> None:
    """Make the directive `get-the-code` known."""
    app.add_directive("get-the-code", GetTheCode)


def lines(site: Site) -> str:
    """The lines that clone and install the code, as Markdown.

    Where `_config.yml` names no repository, it says where the code is as seen from the pages.
    """
    if not site.repository:
        return (
            "This copy of the book was made in the laboratory's folder, of which its pages are "
            "`_build/html`. There:\n\n" + fence(_INSTALL, "bash")
        )
    folder = site.repository.rpartition("/")[2].removesuffix(".git")
    return fence(f"git clone {site.repository}\ncd {folder}\n{_INSTALL}", "bash")


_INSTALL = "make setup && source .venv/bin/activate"


class GetTheCode(Derived):
    """The lines that clone and install the code."""

    def markdown(self, site: Site) -> str:
        """Return the lines."""
        return lines(site)
