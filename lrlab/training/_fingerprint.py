"""Which source code can change a run's numbers, and a hash of it.

The import statements of the package are read, not executed: from the modules that a run starts
from, every module of `lrlab` that they reach counts. Drawing and book-keeping are not reached, so
that editing them retrains nothing.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def reached(modules: Iterable[str], package: Path = _PACKAGE) -> list[str]:
    """Return the names of all modules of the package that the given ones import, and these.

    Args:
        modules: dotted names, such as ``"lrlab.training.loop"``; names outside the package are
            ignored.
        package: the folder of the package.

    Example:
        >>> modules = reached(["lrlab.training.loop"])
        >>> "lrlab.recipe" in modules, "lrlab.plots" in modules
        (True, False)
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _path(module, package)
        if module in found or path is None or module == package.name:
            continue
        found.add(module)
        waiting += _imports(path, package)
        waiting.append(module.rpartition(".")[0])  # importing a module runs its parents
    return sorted(found)


def source_hash(modules: Iterable[str], package: Path = _PACKAGE) -> str:
    """Return the sha256 of the source of all modules that `reached` names.

    Example:
        >>> len(source_hash(["lrlab.schedules"]))
        64
    """
    digest = hashlib.sha256()
    for module in reached(modules, package):
        path = _path(module, package)
        assert path is not None  # what was reached has a file
        digest.update(module.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _path(module: str, package: Path) -> Path | None:
    first, _, rest = module.partition(".")
    if first != package.name:
        return None
    base = package.joinpath(*rest.split(".")) if rest else package
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path, package: Path) -> list[str]:
    stat = path.stat()
    return list(_parsed_imports(path, package, stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=512)
def _parsed_imports(path: Path, package: Path, _time: int, _size: int) -> tuple[str, ...]:
    names = []
    for node in _runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in names if name.split(".")[0] == package.name)


def _runtime_nodes(tree: ast.AST) -> Iterable[ast.AST]:
    """Walk the tree, leaving out what only type checkers read."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)
