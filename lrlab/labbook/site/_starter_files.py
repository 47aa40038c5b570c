"""Files of the laboratory that `lrlab init` makes, as the guide shows them."""

from __future__ import annotations

import ast
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FILES = resources.files("lrlab.labbook") / "_starter" / "files"


def connect(app: Sphinx) -> None:
    """Make the directive `starter-file` known."""
    app.add_directive("starter-file", StarterFile)


class StarterFile(SphinxDirective):
    """The text of a file, highlighted; its name is the argument, `object` a function in it."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"object": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the file as a block of code."""
        try:
            text = (_FILES / self.arguments[0]).read_text(encoding="utf-8")
        except OSError:
            raise self.error(f"a new laboratory has no file {self.arguments[0]!r}") from None
        if name := self.options.get("object"):
            found = [n for n in ast.parse(text).body if getattr(n, "name", None) == name]
            if not found:
                raise self.error(f"{self.arguments[0]} defines no {name!r}")
            text = ast.get_source_segment(text, found[0]) or ""
        language = "python" if self.arguments[0].endswith(".py") else "text"
        return [nodes.literal_block(text, text, language=language)]
