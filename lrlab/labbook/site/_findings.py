"""What the laboratory found: a sentence with its claims, beside the picture of its entry.

A sentence is written by hand and names its claims by the role `claim` with the verdict that it
relies on, so that a strict build fails when the log says something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lrlab.labbook.site import _pictures as pictures
from lrlab.labbook.site import site as sites
from lrlab.labbook.site._derived import Derived

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.site.site import Site


def connect(app: Sphinx) -> None:
    """Make the directive `finding` known."""
    app.add_directive("finding", Finding)


def finding(site: Site, notebook: str, sentence: str) -> str:
    """A sentence beside the small picture of the notebook's entry that counts, as Markdown.

    Raises:
        ValueError: no entry of that notebook counts.
    """
    entry = next((e for e in site.counting if e.record["notebook"] == notebook), None)
    if entry is None:
        raise ValueError(f"no entry of {notebook!r} counts")
    figure = pictures.headline(entry)
    picture = []
    if figure:
        alt = re.sub(r"[\n\[\]]", " ", figure.alt)
        picture = [f"[![{alt}](/{pictures.picture(entry)})](/{site.document(entry)})", ""]
    link = f"{{doc}}`{sites.short_title(entry)} </{site.document(entry)}>`"
    return "\n".join(["::::{div} lrlab-finding", *picture, f"{sentence} In {link}.", "::::"])


class Finding(Derived):
    """The content, a sentence or two, beside the picture of the entry of the notebook named."""

    has_content = True
    required_arguments = 1

    def markdown(self, site: Site) -> str:
        """Return the sentence with its picture."""
        try:
            return finding(site, self.arguments[0], "\n".join(self.content))
        except ValueError as error:
            raise self.error(str(error)) from None
