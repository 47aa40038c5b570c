"""What a program has written, as a reader expects it: numbers, units, and names of code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lrlab.labbook.phrases import plain, unit_first

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# What is no text, or stays as it was written.
_PARTS = re.compile(r"(<(code|pre|script|style|svg|math)\b.*?</\2>|<[^>]*>)", re.DOTALL)
_TICKS = re.compile(r"(?<!`)`([^`\s](?:[^`\n]{0,80}[^`\s])?)`(?!`)")
# A minus at the beginning of a cell.
_FIRST = re.compile(r"(<td\b[^>]*>\s*)-(?=\.?\d)")
# Code in backticks, a minus (no range, exponent or date), the space of a per cent sign.
_SIGNS = re.compile(r"(`[^`\n]*`)|(?<=[\s\[(])-(?=\.?\d)|(?<=\d) (?=%)")
# What a line does not end in: an interval or list of numbers, `n = 5`, a power of ten, a factor.
_WHOLE = re.compile(
    r"`[^`\n]*`"
    r"|\[[-+−\d.,%×⁻⁰¹²³⁴⁵⁶⁷⁸⁹∞\s]{3,32}\]"
    r"|(?<!\w)\w{0,3}\s[=≈≤≥]\s(?=[-+−]?\.?\d)"
    r"|(?<=\d)\s×\s(?=10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])"
    r"|(?<!\w)×\s(?=\d)"
)
_CODE = r'<code class="docutils literal notranslate">\1</code>'


def connect(app: Sphinx) -> None:
    """Set the text of every page."""
    app.connect("html-page-context", _set, priority=870)


def _set(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if "body" in context and not page.startswith(("_modules/", "book/api/")):
        context["body"] = typeset(context["body"])


def typeset(html: str) -> str:
    """A page's text without a computer's exponents and minus signs, with units by their numbers.

    Per cent signs stay on the line of their number; no line ends inside an interval, `n = 5` or a
    power of ten. Code in backticks is set as code.

    Captions and cells of stored tables are no Markdown, so that backticks in them are still there.

    Args:
        html: what code, formulas, drawings and attributes hold stays as it is.

    Example:
        >>> html = typeset("<td>1.02e+03 [-272, 3.83e+03]</td><pre>-1e+03</pre>")
        >>> html.replace("\N{NO-BREAK SPACE}", " ")
        '<td>1,020 [−272, 3,830]</td><pre>-1e+03</pre>'
    """
    parts = _PARTS.split(_FIRST.sub(r"\1−", html))
    return "".join(
        part if kind == 1 else _TICKS.sub(_CODE, _keep_whole(_set_signs(unit_first(plain(part)))))
        for number, part in enumerate(parts)
        if (kind := number % 3) != 2  # the name of a tag that is matched as a whole
    )


def _set_signs(text: str) -> str:
    return _SIGNS.sub(lambda found: found[1] or ("−" if found[0] == "-" else "\u00a0"), text)


def _keep_whole(text: str) -> str:
    return _WHOLE.sub(
        lambda found: found[0] if found[0][0] == "`" else re.sub(r"\s", "\u00a0", found[0]), text
    )
