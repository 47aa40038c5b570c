"""Texts that users typed, as Markdown that shows them and does nothing else."""

from __future__ import annotations

import re

_RUNS = re.compile(r"`+")
_ACTIVE = re.compile(r"[^\w\s.,;=/%−–—…?-]")
_PLAIN = re.compile(r"[\w .,;=+/%()'-]{0,60}")


def fence(text: str, language: str = "text", indent: str = "") -> str:
    """Return a block of code around a text, which no backticks in the text can end.

    Args:
        text: what is shown.
        language: its language.
        indent: what each line but the first begins with.

    Example:
        >>> print(fence("a ``` b"))
        ````text
        a ``` b
        ````
    """
    ticks = "`" * max(3, 1 + _longest(text))
    lines = [f"{ticks}{language}", *text.splitlines(), ticks]
    return f"\n{indent}".join(lines)


def code(text: str) -> str:
    """Return a text as code within a line.

    Example:
        >>> print(code("a ` b"))
        ``a ` b``
    """
    line = " ".join(text.split()) or " "
    ticks = "`" * (1 + _longest(line))
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def prose(text: str) -> str:
    """Return a text as prose in which nothing is HTML, Markdown, mathematics or a link.

    Example:
        >>> prose("<b>ten</b> seeds")
        '&#60;b&#62;ten&#60;/b&#62; seeds'
    """
    return _ACTIVE.sub(_reference, " ".join(text.split()))


def is_plain(text: str) -> bool:
    """Return whether a text can stand in a heading, a link and a feed as it is.

    Example:
        >>> is_plain("ten seeds"), is_plain("<b>")
        (True, False)
    """
    return _PLAIN.fullmatch(text) is not None


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};" if found[0].isprintable() else "�"


def _longest(text: str) -> int:
    return max(map(len, _RUNS.findall(text)), default=0)
