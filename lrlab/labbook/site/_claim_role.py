"""The roles ``claim`` and ``measured``: a sentence anywhere names the claim that it rests on.

``{claim}`onecycle.escapes` `` shows verdict, estimate, interval and n, linked to the claim's card.
``{claim}`supported:onecycle.escapes` `` says besides which verdict the sentence relies on. A claim
that is gone, or whose verdict is another, is a warning, and fails a strict build.
``{measured}`tune_mnist1d.rate-cosine-sgd-t` `` is its estimate alone, so that no page has a number
written by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from lrlab.claims import Judged
from lrlab.claims.render import css_class, number
from lrlab.labbook.phrases import inline
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)


class ClaimRole(SphinxRole):
    """Show a claim inline; see the module's text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return a link to the claim's card, with verdict, estimate, interval and n."""
        env, site = self.env, sites.of(self.env.app)
        _pages(env).add(env.docname)
        expected, _, id = self.text.rpartition(":")
        row = next((row for row in site.ledger if row.claim.id == id), None)
        if row is None:
            return self._refused(f"the ledger has no claim {id!r}")
        claim = row.claim
        if expected and expected != claim.verdict:
            return self._refused(f"{id} is {claim.verdict!r} now, and no longer {expected!r}")
        page = sites.relative_uri(env, f"book/log/{row.entry}")
        link = nodes.reference("", self._words(claim), refuri=f"{page}#claim-{claim.slug}")
        link["reftitle"] = claim.sentence
        return [nodes.inline("", "", link, classes=["lrlab-inline", css_class(claim.verdict)])], []

    def _words(self, claim: Judged) -> str:
        return inline(claim)

    def _refused(self, why: str) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        logger.warning(why, location=self.get_location(), type="lrlab", subtype="claim")
        return [nodes.inline(text=self.text)], []


class MeasuredRole(ClaimRole):
    """Show a claim's estimate; see the module's text."""

    def _words(self, claim: Judged) -> str:
        return number(claim.estimate)


def connect(app: Sphinx) -> None:
    """Register the roles, and have the pages that use them read again at every build."""
    app.add_role("claim", ClaimRole())
    app.add_role("measured", MeasuredRole())
    app.connect("env-get-outdated", lambda app, env, *_: sorted(_pages(env) & env.found_docs))
    app.connect("env-purge-doc", lambda app, env, page: _pages(env).discard(page))
    app.connect("env-merge-info", _merge)


def _pages(env: BuildEnvironment) -> set[str]:
    if not hasattr(env, "lrlab_claim_pages"):
        env.lrlab_claim_pages = set()  # type: ignore[attr-defined]
    return env.lrlab_claim_pages  # type: ignore[attr-defined]


def _merge(app: Any, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    _pages(env).update(_pages(other))
