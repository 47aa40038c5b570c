"""An entry's answer: computed at the end of its notebook, shown under the title of its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lrlab.labbook import carried

KEY = "lrlab_answer"
ADVICE, GUIDE = "What this means for you", "book/guide/choosing"


@dataclass(frozen=True)
class Answer:
    """What `lrlab.display.answer` stored.

    Args:
        text: the sentences, Markdown.
        claims: slugs of the claims that they rest on.
    """

    text: str
    claims: tuple[str, ...]

    def markdown(self, guide: bool = False) -> str:
        """The answer as it stands under a title.

        Args:
            guide: whether the book has the page that what to do leads to.
        """
        text = self.text
        if guide:
            text = text.replace(f"{ADVICE}:", f"{{doc}}`{ADVICE} </{GUIDE}>`:", 1)
        return f":::{{div}} lrlab-answer\n{text}\n:::"


def card_link(slug: str, text: str = "") -> str:
    """A link to the card of a claim on the same page, in HTML: Markdown's would ask for a title.

    Example:
        >>> card_link("ends-lower")
        '<a href="#claim-ends-lower">ends lower</a>'
        >>> card_link("lower-at-0-01")
        '<a href="#claim-lower-at-0-01">lower at 0.01</a>'
    """
    said = re.sub(r"\b0[-_](?=\d)", "0.", slug.replace("_", "-"))
    return f'<a href="#claim-{slug}">{text or re.sub("-+", " ", said)}</a>'


def answer_of(notebook: dict[str, Any]) -> Answer | None:
    """The last answer that a notebook's outputs carry; None without one."""
    found = carried.last(notebook, KEY)
    return Answer(found["text"], tuple(found["claims"])) if found else None


def lift(notebook: dict[str, Any]) -> Answer | None:
    """Take the answers out of a notebook's outputs, and return the last one."""
    answer = answer_of(notebook)
    carried.take(notebook, KEY)
    return answer
