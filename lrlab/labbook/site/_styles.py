"""A style sheet without the rules that no page needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^"')]*\)|[{};]""", re.DOTALL
)
_NAME = re.compile(r"[.#](-?[A-Za-z_](?:\\.|[\w-])*)")
_NOT = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
_GROUPS = ("@media", "@supports", "@container", "@layer")
_COMMENT = re.compile(
    r"""/\*(?!!).*?\*/|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|/\*!.*?\*/)""", re.DOTALL
)


def used(sheet: str, is_used: Callable[[str], bool]) -> str:
    """A style sheet without the rules that fit no element.

    Args:
        sheet: CSS.
        is_used: whether any element has, or a script may give it, this class or id.

    Example:
        >>> used(".a,.b{color:red}@media print{.b{top:0}}.a:not(.b){top:1px}", {"a"}.__contains__)
        '.a{color:red}.a:not(.b){top:1px}'
    """
    made = []
    for prelude, block in _rules(sheet):
        head = prelude.strip()
        if block is None:
            made.append(prelude)
        elif head.startswith(_GROUPS):
            if inside := used(block, is_used):
                made.append(f"{head}{{{inside}}}")
        elif head.startswith("@"):
            made.append(f"{head}{{{block}}}")
        else:
            fits = [part for part in _selectors(head) if _may_fit(part, is_used)]
            if fits:
                made.append(f"{','.join(fits)}{{{block}}}")
    return "".join(made)


def _may_fit(selector: str, is_used: Callable[[str], bool]) -> bool:
    plain = _NOT.sub("", selector)
    if ":is(" in plain or ":where(" in plain or "[" in plain:
        plain = re.sub(r":(?:is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]", "", plain)
    return all(is_used(name.replace("\\", "")) for name in _NAME.findall(plain))


def _selectors(prelude: str) -> list[str]:
    """The selectors of a rule, which commas part that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(prelude):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            parts.append(prelude[start:place].strip())
            start = place + 1
    return [*parts, prelude[start:].strip()]


def _rules(sheet: str) -> Iterator[tuple[str, str | None]]:
    """The rules of a sheet: what stands before the braces, and in them; None without braces."""
    depth = start = inside = 0
    sheet = _COMMENT.sub(lambda found: found["text"] or "", sheet)
    for token in _TOKEN.finditer(sheet):
        if token[0] == "{":
            depth += 1
            inside = token.end() if depth == 1 else inside
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                yield sheet[start : inside - 1], sheet[inside : token.start()]
                start = token.end()
        elif depth == 0 and (token[0] == ";" or token[0].startswith("/*")):
            yield sheet[start : token.end()], None
            start = token.end()
