"""What schedules are called in other libraries, and the lines of code, as text to show.

Both come from one file, whose lines the tests run against the libraries themselves.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# What is shown in place of {steps} and its like.
VALUES: Mapping[str, Any] = {
    "peak_lr": 0.1,
    "steps": 1000,
    "start_lr": 0.004,
    "end_lr": 0.001,
    "base_lr": 0.01,
    "warmup_steps": 100,
    "cooldown_steps": 200,
    "boundary": 600,
    "gamma": 0.5,
    "every_steps": 250,
    "milestones": [500, 750],
    "power": 2.0,
    "timescale_steps": 100,
    "cycle_steps": 250,
    "cycles": 4,
    "growth": 2,
    "decay": 0.7,
    "up_steps": 125,
    "down_steps": 125,
    "mode": "triangular",
    "cooldown": "1-sqrt",
    "lower": -7.0,
    "upper": 3.0,
}
_WIDTH = 72


def read(root: Path) -> dict[str, Any]:
    """The file of names and lines of code.

    Args:
        root: the laboratory's folder.
    """
    return tomllib.loads((root / "book/handbook/peers.toml").read_text("utf-8"))


def names(peers: Mapping[str, Any], schedule: str) -> dict[str, list[str]]:
    """What a schedule is called in each library that has it.

    Args:
        peers: what `read` returned.
        schedule: name of the schedule.

    Returns:
        Names by the library's title, each once, in the order of the file.
    """
    found = {}
    for key, library in peers["libraries"].items():
        called = [f[key]["name"] for f in peers["form"] if f["schedule"] == schedule and key in f]
        if called:
            found[library["title"]] = list(dict.fromkeys(called))
    return found


def markdown(peers: Mapping[str, Any], schedule: str) -> list[str]:
    """A schedule's forms, each with its line of code in every library that has it, as Markdown.

    Args:
        peers: what `read` returned.
        schedule: name of the schedule.
    """
    called = names(peers, schedule)
    titles = [library["title"] for library in peers["libraries"].values()]
    listed = [f"- {title}: {', '.join(f'`{n}`' for n in found)}" for title, found in called.items()]
    lines = [":::{div} lrlab-names", *listed, ":::"]
    if missing := [title for title in titles if title not in called]:
        verb = "has" if len(missing) == 1 else "have"
        lines += ["", f"{_listed(missing)} {verb} no such schedule."]
    for form in peers["form"]:
        if form["schedule"] == schedule:
            lines += ["", *_tabs(peers["libraries"], form)]
    return lines


def _tabs(libraries: Mapping[str, Any], form: Mapping[str, Any]) -> list[str]:
    lines = [f"Form `{form['id']}`:", "", "```python", wrapped(fill(form["ours"])), "```"]
    lines += ["", "::::{tab-set}"]
    for key, library in libraries.items():
        if key not in form:
            continue
        lines += [f":::{{tab-item}} {library['title']}", f":sync: {key}", ""]
        lines += ["```python", code(library, form[key]["code"]), "```"]
        if note := form[key].get("note"):
            lines += ["", note]
        lines.append(":::")
    return [*lines, "::::"]


def fill(line: str) -> str:
    """A line of code with the values that the book shows.

    Example:
        >>> fill("Cosine({peak_lr}, steps={steps})")
        'Cosine(0.1, steps=1000)'
    """
    filled = re.sub(r"{(\w+)}", lambda found: repr(VALUES[found[1]]), line)
    return filled.replace("'", '"')


def code(library: Mapping[str, Any], line: str) -> str:
    """Imports, optimizer and line of code of a library, as one would write them.

    Args:
        library: `imports` and `setup` of the library.
        line: the line, with names in braces for its values.
    """
    line = fill(line)
    used = [n.func.id for n in ast.walk(ast.parse(line)) if _is_plain_call(n)]
    needed = sorted({name for name in used if name not in ("dict", "float", "len", "range")})
    imports = library["imports"].replace("*", ", ".join(needed))
    if library["setup"]:
        parts = [
            "import torch",
            imports,
            "",
            fill(library["setup"]),
            wrapped(f"scheduler = {line}"),
        ]
    else:
        parts = [imports, "", wrapped(f"schedule = {line}")]
    return "\n".join(parts)


def wrapped(line: str) -> str:
    """Code with the arguments of long calls, and the items of long lists, on lines of their own.

    Example:
        >>> print(wrapped(f"f({'a' * 40}, {'b' * 40})"))
        f(
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
            bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
        )
    """
    statement = ast.parse(line).body[0]
    before = line[: statement.value.col_offset]
    return before + _wrapped(statement.value, line, len(before), "")


def _wrapped(node: ast.expr, line: str, used: int, indent: str) -> str:
    text = ast.get_source_segment(line, node)
    if used + len(text) <= _WIDTH or not isinstance(node, ast.Call | ast.List | ast.ListComp):
        return text
    deeper = indent + "    "
    if isinstance(node, ast.ListComp):
        item = _wrapped(node.elt, line, len(deeper), deeper)
        loops = line[node.elt.end_col_offset : node.end_col_offset - 1].strip()
        return f"[\n{deeper}{item}\n{deeper}{loops}\n{indent}]"
    if isinstance(node, ast.List):
        opening, closing = "[", "]"
        parts = [("", item) for item in node.elts]
    else:
        opening, closing = ast.get_source_segment(line, node.func) + "(", ")"
        parts = [("", item) for item in node.args]
        parts += [(f"{item.arg}=", item.value) for item in node.keywords]
    inner = "".join(
        f"{deeper}{name}{_wrapped(item, line, len(deeper) + len(name), deeper)},\n"
        for name, item in parts
    )
    return f"{opening}\n{inner}{indent}{closing}"


def parity(root: Path) -> list[str]:
    """The largest differences from each library, schedule by schedule, as a Markdown table.

    Args:
        root: the laboratory's folder.
    """
    data = _measured(root)
    titles = {key: library["title"] for key, library in read(root)["libraries"].items()}
    cells: dict[str, dict[str, list[Any]]] = {}
    for row in data["rows"]:
        cells.setdefault(row["schedule"], {}).setdefault(row["library"], []).append(row)
    lines = [_row(["Schedule", *titles.values()]), _row(["---", *["---:"] * len(titles)])]
    for schedule, by_library in cells.items():
        lines.append(_row([f"`{schedule}`", *(_cell(by_library.get(key, [])) for key in titles)]))
    versions = ", ".join(f"{titles.get(k, k)} {v}" for k, v in data["versions"].items())
    allowed = ", ".join(f"{titles[k]} {v:g}" for k, v in data["tolerance"].items())
    lines += ["", f"Allowed, as a share of the peak rate: {allowed}. Versions: {versions}.", ""]
    if excepted := sum(row["excepted_steps"] for row in data["rows"]):
        lines.append(
            f"At {excepted} further steps, all of them restarts, the library's own rounding of a "
            "logarithm takes the step for the end of the cycle before."
        )
    return lines


def parity_by_form(root: Path) -> list[str]:
    """The largest differences of every form that was compared, as a Markdown table.

    Args:
        root: the laboratory's folder.
    """
    libraries = read(root)["libraries"]
    lines = [
        _row(["Form", "Library", "Largest error", "Cases", "Steps"]),
        _row(["---", "---", "---:", "---:", "---:"]),
    ]
    for row in _measured(root)["rows"]:
        numbers = [_error(row["largest_error"]), str(row["cases"]), f"{row['steps']:,}"]
        lines.append(_row([f"`{row['form']}`", libraries[row["library"]]["title"], *numbers]))
    return lines


def _measured(root: Path) -> dict[str, Any]:
    return json.loads((root / "book/handbook/parity.json").read_text("utf-8"))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(rows: list[Mapping[str, Any]]) -> str:
    if not rows:
        return "–"
    error = _error(max(row["largest_error"] for row in rows))
    return f"{error}<br>{sum(row['cases'] for row in rows)} cases"


def _error(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def _is_plain_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
