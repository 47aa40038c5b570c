"""The cards of an entry's claims, folded, each with the way to its source, values and code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lrlab.claims import rules
from lrlab.labbook.entries.markup import fence
from lrlab.labbook.site import _actions as actions

_SOURCE = re.compile(r"(<dt>Source</dt><dd>)([^<]+)(</dd>)")
_ID = re.compile(r'(<p class="lrlab-id"><code>([^<]+)</code>)(</p>)')
_VERDICT = '<strong class="lrlab-verdict">{}</strong>'


def cards(html: str, claims: Iterable[Mapping[str, Any]], entry: str = "", cell: str = "") -> str:
    """The cards as a page shows them.

    Args:
        html: the cards as the entry holds them.
        claims: the stored claims of the same output.
        entry: name of the entry whose values and code the page has; empty where it has neither.
        cell: the id of their cell.
    """
    claims = list(claims)
    ways = {claim["id"]: _ways(claim, entry, cell) for claim in claims if entry}
    html = _SOURCE.sub(r'\1<a href="#sources-of-the-claims">\2</a>\3', html)
    html = html.replace(_VERDICT.format(rules.DESCRIBED), _VERDICT.format("measured"))
    html = _ID.sub(lambda found: f"{found[1]}{ways.get(found[2], '')}{found[3]}", html)
    number = len(claims)
    summary = "How it was judged" if number == 1 else f"How the {number} were judged"
    return f'<details class="lrlab-cards"><summary>{summary}</summary>{html}</details>'


def marked(code: str, cell: Mapping[str, Any]) -> str:
    """The code of a cell; that which judges claims has a place that their cards lead to."""
    if not any("lrlab_claims" in output.get("metadata", {}) for output in cell.get("outputs", [])):
        return code
    return fence(f'<div id="{_place(cell["id"])}"></div>', "{raw} html") + "\n" + code


def _place(cell: str) -> str:
    return f"code-{cell}"


def _ways(claim: Mapping[str, Any], entry: str, cell: str) -> str:
    """Links to the values behind a claim, where it has any, and to the code that judges it."""
    file = f"../../{actions.FOLDER}/{entry}.csv"
    values = f' · <a href="{file}" download>values (CSV)</a>' if actions.values_of(claim) else ""
    return f'{values} · <a href="#{_place(cell)}">code</a>'
