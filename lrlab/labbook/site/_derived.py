"""Directives whose content is Markdown that is derived from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from lrlab.labbook.site.site import Site


class Derived(SphinxDirective):
    """A directive without content; `markdown` says what stands in its place."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return what the site's Markdown becomes."""
        holder = nodes.container()
        lines = self.markdown(sites.of(self.env.app)).splitlines()
        self.state.nested_parse(StringList(lines, "derived"), self.content_offset, holder)
        return holder.children

    def markdown(self, site: Site) -> str:
        """Return Markdown."""
        raise NotImplementedError
