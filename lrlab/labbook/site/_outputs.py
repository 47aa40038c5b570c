"""Outputs of an entry's cells, made readable: captions where they belong, numbers in columns."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

from lrlab.labbook.site._typography import padded, significant

WITHOUT_CODE = "# shown with another cell"  # a cell without any source is left out of a page

_BEGINNING = re.compile(r"(?<=[.] )(?<!vs[.] )(?<!cf[.] )(?<![.]\w[.] )[a-z](?=[a-z])")
_TABLE = re.compile(r'<div class="lrlab-table".*?</table></div>', re.DOTALL)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[dh])([^>]*)>(.*?)</\1>", re.DOTALL)
_WHOLE = re.compile(r"\[[^][<>]{1,40}\]|^\d[\d,]* of \d[\d,]*$")
_MINUS = re.compile(r"(?<![\w.\-−])-(?=\.?\d)")
_PILOT = re.compile(r"\s*Pilot study:")
# What a study is about and what it has to show, as `lrlab.claims` says it, and how many were used.
_ABOUT = re.compile(
    r"Pilot study: over [\d,]+ (\w+) the (.+?),? has a standard deviation .*? to (?:be shown to )?"
    r"lie ((?:beyond|within) [^ ,]+),? .*?; ([\d,]+) were used"
)
LONG = 20  # rows; of a longer table a page shows the first ten (lrlab.css), and a line for the rest
_MARK = ' class="lrlab-number"'
_NUMBER = re.compile(r"[-−+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?( ?%)?|nan|inf|-inf|–|")
_PLAIN = r"[-−]?\d+(?:\.\d+)?"  # no exponent, separator or unit
_MEASURED = re.compile(rf"{_PLAIN}( \[{_PLAIN}, {_PLAIN}\])?")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_ZERO = re.compile(r"\.\d*0$")


def begun(caption: str) -> str:
    """A caption each of whose sentences begins with a capital, also one that is a note on runs.

    Example:
        >>> begun("All rates. none of 8 runs diverged, e.g. at 0.1. n = 2.")
        'All rates. None of 8 runs diverged, e.g. at 0.1. n = 2.'
    """
    return _BEGINNING.sub(lambda found: found[0].upper(), caption)


def begin_captions(cells: list[dict[str, Any]]) -> None:
    """Let each sentence in the captions of these cells' figures begin with a capital."""
    for cell in cells:
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            figure["caption"] = begun(figure["caption"])


def apart(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells whose figure has a caption, parted so that no other output gets it too."""
    return [part for cell in cells for part in _parts(cell)]


def _parts(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    outputs = cell.get("outputs", [])
    captioned = "figure" in cell["metadata"].get("mystnb", {})
    groups = [(kind, list(group)) for kind, group in groupby(outputs, _is_picture)]
    if not captioned or all(kind for kind, _ in groups):
        yield cell
        return
    for number, (is_picture, group) in enumerate(groups):
        part = {**cell, "outputs": group, "metadata": copy.deepcopy(cell["metadata"])}
        if not is_picture:
            del part["metadata"]["mystnb"]["figure"]
        if number:
            part["id"] = f"{cell['id']}-{number}"
            part["source"] = WITHOUT_CODE
            tags = part["metadata"].setdefault("tags", [])
            part["metadata"]["tags"] = [tag for tag in tags if tag != "hide-input"]
            part["metadata"]["tags"].append("remove-input")
        yield part


def _is_picture(output: dict[str, Any]) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def align(html: str) -> str:
    """A table of the laboratory with its columns of numbers marked, for the style sheet.

    Example:
        >>> row = '<tr><th scope="col">n</th></tr><tr><td>8</td></tr>'
        >>> align(f'<div class="lrlab-table"><table>{row}</table></div>').count("lrlab-number")
        2
    """
    return _TABLE.sub(lambda found: _aligned(found[0]), html)


def _aligned(table: str) -> str:
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    body = [[text for kind, _, text in row] for row in rows if all(k == "td" for k, *_ in row)]
    numbers = {
        column
        for column in range(max(map(len, body), default=0))
        if all(column < len(row) and _NUMBER.fullmatch(row[column].strip()) for row in body)
    }

    longer = {
        column: even([row[column] for row in body if column < len(row)])
        for column in range(max(map(len, body), default=0))
    }

    def mark(row: re.Match[str]) -> str:
        cells = [
            f"<{kind}{more}{_MARK if column in numbers else ''}>"
            f"{_typeset(longer[column].get(text, text) if kind == 'td' else text)}</{kind}>"
            for column, (kind, more, text) in enumerate(_CELL.findall(row[1]))
        ]
        return f"<tr>{''.join(cells)}</tr>"

    marked = _ROW.sub(mark, table)
    return _shortened(marked, len(body)) if len(body) > LONG else marked


def even(column: Sequence[str]) -> dict[str, str]:
    """What cells of one column of measurements are, each number in as many digits as the others.

    Most are stored without the zeros at their end; a column where one has them stays. A column is
    one of measurements if it holds intervals, where a number alone and one without a width stay, or
    if at least half of its numbers, and two, have the most significant digits of all, three or
    more. Settings (0.05, 0.1, 0.128) stay.

    Args:
        column: the cells, as they are stored.

    Returns:
        By cell, what it becomes; cells that stay are left out.

    Example:
        >>> even(["3.51 [3.5, 3.51]", "1"])
        {'3.51 [3.5, 3.51]': '3.51 [3.50, 3.51]'}
        >>> even(["7.86", "5", "0", "68.3"]), even(["0.05", "0.1", "0.128"])
        ({'5': '5.00'}, {})
    """
    plain = {cell: _DIGITS.findall(cell) for cell in column if _MEASURED.fullmatch(cell)}
    intervals = any(len(numbers) > 1 for numbers in plain.values())
    cells = [cell for cell, numbers in plain.items() if len(set(numbers)) > 1 or not intervals]
    numbers = [number for cell in column if cell in cells for number in plain[cell]]
    digits = max((significant(number) for number in numbers if "." in number), default=0)
    full = sum(significant(number) >= digits for number in numbers)
    alike = full >= max(2, sum(float(number) != 0 for number in numbers) / 2)
    if digits < 3 or not (intervals or alike) or any(_ZERO.search(number) for number in numbers):
        return {}
    longer = {cell: _DIGITS.sub(lambda at: padded(at[0], digits), cell) for cell in cells}
    return {cell: text for cell, text in longer.items() if text != cell}


def _shortened(table: str, rows: int) -> str:
    """A table whose rows past the first ones are shown when the line below it is opened.

    It is the style sheet that hides them: without it, and on paper, they are there.
    """
    more = f'<details class="lrlab-more"><summary>All {rows} rows</summary></details>'
    return f'<div class="lrlab-long">{table}{more}</div>'


def _typeset(text: str) -> str:
    """A cell with minus signs, and intervals and "11 of 12" that no line breaks in."""
    return _WHOLE.sub(lambda found: found[0].replace(" ", "\u00a0"), _MINUS.sub("−", text))


def power_folded(said: str) -> dict[str, str]:
    """A paragraph on power, from a pilot study, folded, by its kind; nothing for any other.

    Example:
        >>> power_folded("Pilot study: 8 seeds.")["text/html"][-38:]
        '<p>Pilot study: 8 seeds.</p></details>'
        >>> power_folded("8 runs.")
        {}
    """
    if not _PILOT.match(said):
        return {}
    text = escape(said.strip())
    about = _ABOUT.match(" ".join(said.split()))
    title = escape(f"Power of {about[4]} {about[1]}: {about[2]}, {about[3]}" if about else "Power")
    html = f'<details class="lrlab-cards"><summary>{title}</summary><p>{text}</p></details>'
    return {"text/html": html}
