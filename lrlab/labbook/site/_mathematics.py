"""Formulas as MathML, which browsers set themselves, without a script, and can read aloud."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

_SIZES = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![a-zA-Z])")
_PIECES = re.compile(r"\\[a-zA-Z]+|\\?.", re.DOTALL)  # commands, and signs
_OPENING, _CLOSING = {"{", r"\begin", r"\left"}, {"}", r"\end", r"\right"}
_WIDE = {r"\quad", r"\qquad"}
_PLAIN = {"½": r"\tfrac{1}{2}"}


def connect(app: Sphinx) -> None:
    """Have formulas rendered here instead of by MathJax."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("config-inited", _choose)


def _choose(app: Sphinx, config: Any) -> None:
    config.html_math_renderer = "mathml"


def mathml(tex: str, as_block: bool = False) -> str:
    r"""A formula in TeX as MathML.

    Args:
        tex: the formula, without the signs around it.
        as_block: whether it has a line of its own.

    Raises:
        ValueError: if it holds what is not understood.

    Example:
        >>> "<mfrac>" in mathml(r"2 / \lambda + \frac{1}{t}")
        True
    """
    for sign, command in _PLAIN.items():
        tex = tex.replace(sign, command)
    try:
        # Brackets grow by themselves with what they hold.
        return tex2mathml(_SIZES.sub("", tex).strip(), as_block=as_block)
    except MathError as error:
        raise ValueError(f"formula not understood: {' '.join(str(error).split())}") from None


def parts(tex: str) -> list[str]:
    r"""A formula's parts between wide spaces, each of which may have a line of its own on a phone.

    Example:
        >>> parts(r"a = b, \quad c = \begin{cases} 1 \quad 2 \end{cases} \qquad (d \ge 0)")
        ['a = b,', 'c = \\begin{cases} 1 \\quad 2 \\end{cases}', '(d \\ge 0)']
    """
    found, depth = [""], 0
    for piece in _PIECES.findall(tex):
        depth += piece in _OPENING
        depth -= piece in _CLOSING
        if piece in _WIDE and not depth:
            found.append("")
        else:
            found[-1] += piece
    return [part.strip() for part in found if part.strip()]


def _formula(translator: Any, node: nodes.Element, tex: str, as_block: bool) -> str:
    from sphinx.util import logging

    try:
        return mathml(tex, as_block)
    except ValueError as error:
        logging.getLogger(__name__).warning("%s: %s", error, tex, location=node)
        return f"<code>{escape(tex)}</code>"


def _inline(translator: Any, node: nodes.Element) -> None:
    from docutils import nodes

    translator.body.append(_formula(translator, node, node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    from docutils import nodes

    about = {"CLASS": "lrlab-formula", "tabindex": "0", "role": "group", "aria-label": "Formula"}
    translator.body.append(translator.starttag(node, "div", **about))
    made = "".join(_formula(translator, node, part, as_block=True) for part in parts(node.astext()))
    translator.body.append(f'<div class="lrlab-parts">{made}</div>')
    if node.get("number"):
        number = f"({node['number']})"
        translator.body.append(f'<span class="eqno">{number}')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode
