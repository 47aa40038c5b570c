"""Parameter types, and what a text on the command line means for each of them."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

from lrlab.labbook.entries.errors import BadInput

SCALARS = ("int", "float", "bool", "str")
_NONE = ("none", "null")
_BOOLS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLS |= {"false": False, "no": False, "off": False, "0": False}
_ARTICLES = {"int": "an int", "float": "a float", "bool": "true or false", "str": "a str"}

Value = int | float | bool | str | list[Any] | None


@dataclass(frozen=True)
class Type:
    """The type of a parameter: a scalar or a list of scalars, possibly also `None`.

    Args:
        scalar: `int`, `float`, `bool` or `str`.
        is_list: whether the value is a list of these.
        optional: whether `None` is allowed too.

    Example:
        >>> str(Type("float", is_list=True, optional=True))
        'list[float] | None'
    """

    scalar: str
    is_list: bool = False
    optional: bool = False

    def __str__(self) -> str:
        name = f"list[{self.scalar}]" if self.is_list else self.scalar
        return f"{name} | None" if self.optional else name

    @classmethod
    def from_annotation(cls, node: ast.expr) -> Type:
        """Read the type from the syntax tree of an annotation.

        Raises:
            ValueError: if it is none of the types that parameters may have.

        Example:
            >>> Type.from_annotation(ast.parse("list[int] | None", mode="eval").body)
            Type(scalar='int', is_list=True, optional=True)
        """
        text = ast.unparse(node)
        match node:
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                inner = cls.from_annotation(left)
                return cls(inner.scalar, inner.is_list, optional=True)
            case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name(id=item)):
                if item in ("int", "float", "str"):
                    return cls(item, is_list=True)
            case ast.Name(id=name) if name in SCALARS:
                return cls(name)
        raise ValueError(f"the type {text} is not one that a parameter may have")

    def accepts(self, value: Any) -> Value:
        """Return a Python value as one of this type, integers as floats where those are asked for.

        Raises:
            ValueError: if it is not of this type.

        Example:
            >>> Type("float").accepts(1)
            1.0
        """
        if value is None and self.optional:
            return None
        if self.is_list and isinstance(value, list):
            return [Type(self.scalar).accepts(item) for item in value]
        if not self.is_list:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if self.scalar == "float" and number and math.isfinite(value):
                return float(value)
            if self.scalar != "float" and type(value).__name__ == self.scalar:
                return value
        raise ValueError(f"must be {self}, got {value!r}")


def parse(text: str, type_: Type, name: str) -> Value:
    """Return what a text on the command line means for a parameter of the given type.

    Numbers may be written as `1e-3`, truth as `true` or `no`, lists as `[1, 2]` or `1,2`, and
    nothing as `none`.

    Args:
        text: what was typed.
        type_: the declared type.
        name: the parameter, for the message.

    Returns:
        A value of that type.

    Raises:
        BadInput: if the text does not fit, with the text in the message.

    Example:
        >>> parse("1e-3", Type("float"), "lr")
        0.001
        >>> parse("[1, 2]", Type("int", is_list=True), "milestones")
        [1, 2]
        >>> parse("none", Type("int", optional=True), "warmup_steps") is None
        True
    """
    try:
        return _parse(text.strip() if type_.scalar != "str" else text, type_)
    except ValueError as error:
        kind = f"a {type_}" if type_.is_list else _ARTICLES[type_.scalar]
        if type_.optional:
            kind = f"{kind.removesuffix(' | None')} or none"
        detail = str(error) or f"must be {kind}"
        raise BadInput(f"{name} {detail}, got {text!r}") from None


def _parse(text: str, type_: Type) -> Value:
    if type_.optional and text.strip().lower() in _NONE:
        return None
    if type_.is_list:
        return _parse_list(text.strip(), Type(type_.scalar))
    match type_.scalar:
        case "str":
            return text
        case "bool":
            if text.lower() not in _BOOLS:
                raise ValueError
            return _BOOLS[text.lower()]
        case "int":
            return _parse_int(text)
    return _parse_float(text)


def _parse_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError from None
    if not math.isfinite(number):
        raise ValueError("must be finite")
    return number


def _parse_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = _parse_float(text)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _parse_list(text: str, item: Type) -> list[Any]:
    if item.scalar == "str":
        try:
            quoted = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            quoted = None
        if isinstance(quoted, list) and all(isinstance(value, str) for value in quoted):
            return quoted
    if text.startswith("[") != text.endswith("]"):
        raise ValueError
    inside = text.removeprefix("[").removesuffix("]").strip()
    return [_parse(part.strip(), item) for part in inside.split(",")] if inside else []


def spell(value: Value) -> str:
    """Return the text that means this value on the command line: the inverse of `parse`.

    Example:
        >>> spell([0.1, 1e-05]), spell(True), spell(None)
        ('[0.1, 1e-05]', 'true', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)
