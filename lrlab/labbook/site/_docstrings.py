"""Docstrings in the book: Markdown's way of writing becomes Sphinx's, and none may be missing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

# What is left as it is (roles, double backticks), then formulas, code, and bars, which
# would be substitutions.
_MARKUP = re.compile(
    r"(?P<kept>:[\w:]+:`[^`]+`|``[^`]+``)"
    r"|(?P<indent>^ *)\$\$(?P<display>[^$]+)\$\$"
    r"|(?<![\\\w])\$(?P<math>[^$]+)\$"
    r"|`(?P<code>[^`]+)`(?!_)"
    r"|(?P<bar>\|)",
    re.MULTILINE,
)
_BREAK = re.compile(r"\s*\n\s*")


def connect(app: Sphinx) -> None:
    """Translate docstrings before napoleon sees them, and check them when all pages are read."""
    app.config.napoleon_custom_sections = [("Source", "notes_style"), ("Paper", "notes_style")]
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("missing-reference", _resolve)
    if "viewcode-follow-imported" in app.events.events:
        app.connect("viewcode-follow-imported", _own_source)
    app.connect("env-purge-doc", _expect)
    app.connect("env-check-consistency", _check)


def translate(docstring: str) -> str:
    """Markdown's code and mathematics as reStructuredText; doctest examples stay as they are.

    Args:
        docstring: text with `code` in single backticks and formulas between dollar signs.

    Returns:
        The same with literals in double backticks and `:math:` roles.

    Example:
        >>> print(translate("The rate `lr` at step $t$, where `lr` > 0."))
        The rate ``lr`` at step :math:`t`, where ``lr`` > 0.
    """
    pieces, prose = [], []
    in_example = False
    for line in docstring.split("\n"):
        starts = line.lstrip().startswith(">>>")
        if starts and not in_example:
            pieces.append(_prose("\n".join(prose)))
            prose = []
        in_example = starts or (in_example and bool(line.strip()))
        if in_example:
            pieces.append(line)
        else:
            prose.append(line)
    pieces.append(_prose("\n".join(prose)))
    return "\n".join(pieces)


def undocumented(modules: list[ModuleType]) -> list[str]:
    """Public names without a docstring, methods of public classes included.

    Args:
        modules: where to look.

    Returns:
        Full names, in the order of the modules.
    """
    missing = []
    for module in modules:
        if not inspect.getdoc(module):
            missing.append(module.__name__)
        for name, value in public_names(module):
            if not inspect.getdoc(value):
                missing.append(f"{module.__name__}.{name}")
            if inspect.isclass(value):
                missing += [
                    f"{module.__name__}.{name}.{member}"
                    for member, method in vars(value).items()
                    if not member.startswith("_")
                    and (callable(method) or isinstance(method, property | classmethod))
                    and not inspect.getdoc(getattr(value, member))
                ]
    return missing


def public_modules() -> list[ModuleType]:
    """The package's modules at any depth, without those whose path has a name with `_`."""
    package = importlib.import_module("lrlab")
    found = (info.name for info in pkgutil.walk_packages(package.__path__, "lrlab."))
    return [importlib.import_module(name) for name in found if "._" not in name]


def public_names(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Functions and classes that a module offers: `__all__`, or what it defines itself."""
    offered = getattr(module, "__all__", None)
    for name in offered if offered is not None else sorted(vars(module)):
        value = getattr(module, name)
        defined = getattr(value, "__module__", None) == module.__name__
        documented = inspect.isclass(value) or inspect.isroutine(value)
        if documented and not name.startswith("_") and (offered is not None or defined):
            yield name, value


def _prose(text: str) -> str:
    return _MARKUP.sub(_translated, text)


def _translated(found: re.Match[str]) -> str:
    if found["display"]:
        return f"{found['indent']}.. math:: {_BREAK.sub(' ', found['display'])}"
    if found["math"]:
        return f":math:`{_BREAK.sub(' ', found['math'])}`"
    if found["code"]:
        return f"``{_BREAK.sub(' ', found['code'])}``"
    return found["kept"] or "\\|"


def _process(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    lines[:] = translate("\n".join(lines)).split("\n")


def _own_source(app: Sphinx, module: str, name: str) -> str | None:
    """Keep a name's source page in the package: a cached property is said to be of `functools`."""
    value: Any = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part, None)
    where = getattr(value, "__module__", None) or module
    return None if where.split(".")[0] == module.split(".")[0] else module


def _resolve(app: Sphinx, env: BuildEnvironment, node: Any, content: Any) -> Any:
    """Link a class to where it is documented, whatever module defines it.

    Type hints name the defining module; the page is that of the package which exports the class.
    A class that no package exports stays plain text.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("lrlab."):
        return None
    module, _, name = target.rpartition(".")
    try:
        value = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    domain: Any = env.get_domain("py")
    for exporter in public_modules():
        full = f"{exporter.__name__}.{name}"
        if getattr(exporter, name, None) is value and full in domain.objects:
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, content)
    return content


def _expect(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Load the package before the first page about it is read: the processes that read are forks.

    All these pages are read again when anything in the package has changed.
    """
    if page.startswith("book/api/") and not hasattr(app, "lrlab_package"):
        app.lrlab_package = public_modules()  # type: ignore[attr-defined]


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names without docstring, and of rooms of the package on no page."""
    from sphinx.util import logging

    modules = getattr(app, "lrlab_package", None)
    if modules is None:
        return  # nothing changed, or a laboratory that uses the package and does not document it
    logger = logging.getLogger(__name__)
    for name in undocumented(modules):
        logger.warning("public name without a docstring: %s", name, type="lrlab")
    shown = env.get_domain("py").modules  # type: ignore[attr-defined]
    for module in modules:
        if module.__name__.count(".") == 1 and module.__name__ not in shown:
            logger.warning("module on no page of book/api: %s", module.__name__, type="lrlab")
