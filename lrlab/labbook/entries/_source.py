"""Notebook sources: `notebooks/<name>.py`, their header and their parameters.

Everything here reads text and syntax trees only, so that it answers at once.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrlab.checks import need
from lrlab.labbook import predictions
from lrlab.labbook.entries._ranges import Range, read_comment
from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.entries.values import Type, Value, parse

_LONGEST_NAME = 200
_LONGEST_SHORT_TITLE = 40
SECTIONS = ("Question", "Setup", "Prediction", "Result", "Verdict")
_CELL = re.compile(r"^# ?%%(.*)$", re.MULTILINE)
_CONFLICT = re.compile(r"^(<{7}|>{7}|\|{7})( |$)", re.MULTILINE)
_TAGS = re.compile(r"tags=(\[[^\]]*\])")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook, as its parameters cell declares it."""

    name: str
    type: Type
    default: Value
    meaning: str
    unit: str
    range: Range | None = None


@dataclass(frozen=True)
class Source:
    """A notebook source that was read and checked.

    Attributes:
        name: the name of the notebook.
        path: its file.
        text: the file's content.
        header: what stands under `lrlab` in its header: title, question, tags, smoke, and where
            it has them short_title and predictions.
        parameters: by name, in the order of the parameters cell.
        sha256: the hash of the file's bytes.
    """

    name: str
    path: Path
    text: str
    header: dict[str, Any]
    parameters: dict[str, Parameter] = field(hash=False)
    sha256: str = ""

    def values(self, size: str, changed: dict[str, Value]) -> dict[str, Value]:
        """Return all parameters: defaults, then those of the size, then those that were asked for.

        Args:
            size: `full` or `smoke`.
            changed: values that were asked for, by name.
        """
        defaults = {name: parameter.default for name, parameter in self.parameters.items()}
        return {**defaults, **(self.header["smoke"] if size == "smoke" else {}), **changed}

    def ask(self, texts: list[tuple[str, str]], size: str) -> dict[str, Value]:
        """Return what was asked for on the command line, without what holds at this size anyway.

        Args:
            texts: pairs of name and text, as typed.
            size: `full` or `smoke`.

        Raises:
            BadInput: for an unknown or repeated name, a text that does not fit the type, or a
                value out of its range.
        """
        asked: dict[str, Value] = {}
        for name, text in texts:
            if name not in self.parameters:
                raise BadInput(
                    f"{self.name} has no parameter {name!r}{nearest(name, self.parameters)}"
                )
            if name in asked:
                raise BadInput(f"{name} is given twice")
            asked[name] = parse(text, self.parameters[name].type, name)
        usual = self.values(size, {})
        changed = {n: asked[n] for n in usual if n in asked and asked[n] != usual[n]}
        if what := self.refusal({**usual, **changed}, changed):
            raise BadInput(what)
        return changed

    def refusal(self, values: dict[str, Value], changed: Iterable[str] = ()) -> str | None:
        """Return why the values of all parameters are refused, or `None` if they are not.

        Args:
            values: all parameters.
            changed: those that were asked for; what is wrong with them is said first.
        """
        first = [name for name in self.parameters if name in changed]
        for name in dict.fromkeys([*first, *self.parameters]):
            declared = self.parameters[name].range
            if declared and (what := declared.refusal(name, values[name], values)):
                return what
        return None


def nearest(name: str, known: Any) -> str:
    """Return a hint at the known name that is nearest to a mistyped one.

    Example:
        >>> nearest("peaklr", ["peak_lr", "n_seeds"])
        '; did you mean peak_lr?'
    """
    known = list(known)
    if len(name) > _LONGEST_NAME:
        return ""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it has {', '.join(known)}" if known else ""


def names(root: Path) -> list[str]:
    """Return the names of the laboratory's notebooks, in alphabetical order."""
    found = (root / "notebooks").glob("*.py")
    return sorted(path.stem for path in found if path.is_file() and path.name[0] != ".")


def read(root: Path, name: str) -> Source:
    """Read a notebook source.

    Args:
        root: the laboratory's folder.
        name: the notebook, without folder and ending.

    Returns:
        The source with its header and parameters.

    Raises:
        BadInput: if there is no such notebook, or if its header or parameters cell is not as the
            laboratory needs it.
    """
    known = names(root)
    if name not in known:
        raise BadInput(f"there is no notebook {name!r}{nearest(name, known)}")
    path = root / "notebooks" / f"{name}.py"
    place = f"notebooks/{name}.py"
    try:
        data = path.read_bytes()
        text = _text(data)
        header = _header(text)
        _check_sections(text)
        parameters = parameters_of(_tagged(text, "parameters"))
        _tagged(text, "setup")
        header["smoke"] = {
            key: parameters[key].type.accepts(value)
            for key, value in (header["smoke"] or {}).items()
        }
    except KeyError as error:
        raise BadInput(f"{place}: the smoke size names an unknown parameter {error}") from None
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise BadInput(f"{place}: {error}") from None
    except (AttributeError, TypeError):
        raise BadInput(f"{place}: its header is not built as the others' are") from None
    except OSError as error:
        raise BadInput(f"{place} can't be read: {error.strerror}") from None
    source = Source(name, path, text, header, parameters, hashlib.sha256(data).hexdigest())
    for size in ("full", "smoke"):
        if what := source.refusal(source.values(size, {})):
            raise BadInput(f"{place}: at {size} size {what}")
    return source


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")  # some editors begin a file with a mark of its encoding
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from None
    if conflict := _CONFLICT.search(text):
        line = text[: conflict.start()].count("\n") + 1
        raise ValueError(f"line {line} is a mark of a merge conflict that was not resolved")
    if not text.strip():
        raise ValueError("the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_sections(text: str) -> None:
    if not re.search(r"^# # \S", text, re.MULTILINE):
        raise ValueError("it needs a title, a line like `# # Title`")
    found = re.findall(r"^# ## (.+?)\s*$", text, re.MULTILINE)
    if found != list(SECTIONS):
        raise ValueError(f"its sections must be {', '.join(SECTIONS)}, found {', '.join(found)}")


def _header(text: str) -> dict[str, Any]:
    need("jupytext")  # whoever lacks it lacks what runs a notebook
    import yaml

    # The loader in C reads all notebooks in the time that the other takes for five.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "# ---" or "# ---" not in lines[1:]:
        raise ValueError("the file must begin with a header between two lines of # ---")
    body = "\n".join(line[2:] for line in lines[1 : lines.index("# ---", 1)])
    try:
        header = yaml.load(body, loader)["jupyter"]["lrlab"] or {}
    except (yaml.YAMLError, KeyError, TypeError, RecursionError):
        raise ValueError("the header must be YAML with a part jupyter: lrlab:") from None
    missing = [key for key in ("title", "question", "tags", "smoke") if key not in header]
    if missing:
        raise ValueError(f"the header's lrlab part lacks {', '.join(missing)}")
    short = header.get("short_title", "")
    if not isinstance(short, str) or len(short) > _LONGEST_SHORT_TITLE:
        longest = _LONGEST_SHORT_TITLE
        raise ValueError(f"short_title has at most {longest} characters, got {short!r}")
    if header.get("predictions"):
        predictions.check(header["predictions"])
    if header.get("foretold"):
        predictions.check_foretold(header["foretold"])
    return header


def _tagged(text: str, tag: str) -> str:
    starts = list(_CELL.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    found = [
        text[match.end() : end]
        for match, end in zip(starts, ends, strict=True)
        if (tags := _TAGS.search(match[1])) and tag in ast.literal_eval(tags[1])
    ]
    if len(found) != 1:
        raise ValueError(f"exactly one cell must be tagged {tag}, found {len(found)}")
    return found[0]


def parameters_of(code: str) -> dict[str, Parameter]:
    """Return the parameters that the code of a parameters cell declares, by name.

    Raises:
        ValueError, SyntaxError: if it is not the code of one.
    """
    lines = ast.parse(code).body
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT
    }
    parameters = {}
    starts = {node.lineno for node in lines}
    for node in lines:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                raise ValueError(
                    "the parameters cell may hold only lines like `peak_lr: float = 0.2`, "
                    f"got `{ast.unparse(node)}`"
                )
        try:
            type_ = Type.from_annotation(node.annotation)
            default = type_.accepts(ast.literal_eval(value))
        except ValueError as error:
            raise ValueError(f"parameter {name}: {error}") from None
        try:
            comment = _comment(comments, node.end_lineno, starts)
            unit, declared, meaning = read_comment(comment, type_)
        except ValueError as error:
            raise ValueError(f"parameter {name}: {error}") from None
        if not meaning:
            raise ValueError(f"parameter {name} needs a comment that says what it is")
        parameters[name] = Parameter(name, type_, default, meaning, unit, declared)
    _check_references(parameters)
    return parameters


def _comment(comments: dict[int, str], line: int, starts: set[int]) -> str:
    # A long one goes on in the lines below that hold nothing else.
    found = [comments.get(line, "")]
    while (line := line + 1) in comments and line not in starts:
        found.append(comments[line])
    return " ".join(found).strip()


def _check_references(parameters: dict[str, Parameter]) -> None:
    numbers = {name for name, p in parameters.items() if str(p.type) in ("int", "float")}
    for name, parameter in parameters.items():
        unknown = parameter.range.names() - numbers if parameter.range else set()
        if unknown:
            found = ", ".join(sorted(unknown))
            raise ValueError(f"parameter {name}: its range names {found}, which is no number here")
