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
    r"|(?<=\d)/(?=[λη])"
)
# An estimate with its interval; a count of four digits or more.
_NUMBER = r"[-+−]?\d+(?:,\d{3})*(?:\.\d+)?"
_ESTIMATE = re.compile(
    rf"(?<![\w.,/^])(?<!\d\sof\s)({_NUMBER})(?=[\s%]{{0,3}}\[({_NUMBER}),\s({_NUMBER})\])"
    rf"([\s%]{{0,3}})\[\2,(\s)\3\]"
)
_COUNT = re.compile(
    r"(?<![\w.,/^−-])\d{4,}"
    r"(?=\s(?:training\s)?(?:runs|updates|seeds|signals|samples|images|weights|trials)\b)"
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
    power of ten. An estimate and the ends of its interval have as many digits, and counts of runs
    have separators. Code in backticks is set as code.

    Captions and cells of stored tables are no Markdown, so that backticks in them are still there.

    Args:
        html: what code, formulas, drawings and attributes hold stays as it is.

    Example:
        >>> html = typeset("<td>1.02e+03 [-272, 3.83e+03]</td><pre>-1e+03</pre>")
        >>> html.replace("\N{NO-BREAK SPACE}", " ")
        '<td>1,020 [−272, 3,830]</td><pre>-1e+03</pre>'
        >>> typeset("1652 runs: 2.1 [2, 2.19]").replace("\N{NO-BREAK SPACE}", " ")
        '1,652 runs: 2.10 [2.00, 2.19]'
    """
    parts = _PARTS.split(_FIRST.sub(r"\1−", html))
    return "".join(
        part if kind == 1 else _TICKS.sub(_CODE, _keep_whole(_set_numbers(unit_first(plain(part)))))
        for number, part in enumerate(parts)
        if (kind := number % 3) != 2  # the name of a tag that is matched as a whole
    )


def _set_numbers(text: str) -> str:
    counted = _COUNT.sub(lambda found: f"{int(found[0]):,}", _set_signs(text))
    return _ESTIMATE.sub(_even, counted)


def _even(found: re.Match[str]) -> str:
    """An estimate and its interval with the zeros at their end that `:.3g` has left out.

    Numbers in the same number of decimals stay, and so does what is no interval of the number.
    """
    numbers = [found[1], found[2], found[3]]
    middle, low, high = (float(n.replace("−", "-").replace(",", "")) for n in numbers)
    if len({len(n.partition(".")[2]) for n in numbers}) == 1 or not low <= middle <= high:
        return found[0]
    digits = max(significant(n) for n in numbers if "." in n)
    if digits < 3 and "%" in found[4]:  # per cents are rounded each to what is worth saying
        return found[0]
    middle_, low_, high_ = (padded(n, digits) for n in numbers)
    return f"{middle_}{found[4]}[{low_},{found[5]}{high_}]"


def significant(number: str) -> int:
    """How many digits of a number count; none of a zero."""
    return len(re.sub(r"\D", "", number).lstrip("0"))


def padded(number: str, digits: int) -> str:
    """A number with the zeros at its end that it lacks to so many digits that count.

    Example:
        >>> padded("36", 3), padded("0.01", 3), padded("0", 3)
        ('36.0', '0.0100', '0')
    """
    missing = digits - significant(number)
    if missing <= 0 or missing == digits:  # long enough, or zero
        return number
    return (number if "." in number else f"{number}.") + "0" * missing


def _set_signs(text: str) -> str:
    return _SIGNS.sub(lambda found: found[1] or ("−" if found[0] == "-" else "\u00a0"), text)


def _keep_whole(text: str) -> str:
    return _WHOLE.sub(lambda found: found[0] if found[0][0] == "`" else _unbroken(found[0]), text)


def _unbroken(text: str) -> str:
    return "/\u2060" if text == "/" else re.sub(r"\s", "\u00a0", text)
