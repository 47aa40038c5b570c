"""Which source code can change a run's numbers, and a hash of it.

The import statements are read by grimp, not executed: from the modules that a run's parts come
from, every module that they reach counts, in `lrlab` and in any other package or script that is
not installed. What is installed counts by its version. Drawing and book-keeping are not reached,
so that editing them retrains nothing.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.checks import MissingExtra, need

if TYPE_CHECKING:
    import grimp

_OWN = "lrlab"
_LISTED_BY_NONE = {"labbook", "experiments", "cli"}
_INSTALLED = {"site-packages", "dist-packages"}
_NO_NUMBERS = {"grimp", "joblib", "matplotlib", "tqdm"}  # what draws, counts or starts processes
_BEGAN, _LOADED = time.time(), frozenset(sys.modules)


class Unreadable(Exception):
    """The source of a module can't be read, or is not what this process runs."""


def sources(modules: Iterable[str]) -> dict[str, str]:
    """Return what a run's numbers depend on, by name: hashes of sources, versions of packages.

    Args:
        modules: dotted names; ``"__main__"`` is the script that runs.

    Returns:
        The sha256 of the source of each module that is reached, and the version of each installed
        package that these import.

    Raises:
        Unreadable: if a module has no source, can't be parsed, or was changed after it was loaded.

    Example:
        >>> found = sources(["lrlab.training.loop"])
        >>> "lrlab.recipe" in found, "lrlab.plots" in found, "torch" in found
        (True, False, True)
    """
    found = {}
    for module in reached(modules):
        if _is_local(module.partition(".")[0]):
            found[module] = _digest(module)
        elif "." not in module and module not in _NO_NUMBERS:
            found[module] = _version(module)
    return found


def reached(modules: Iterable[str]) -> list[str]:
    """Return the names of all modules that the given ones import, and these.

    Installed packages are named and not entered. A package's ``__init__`` runs when one of its
    modules is imported, so it counts as well; those of `lrlab` do nothing, and count where
    something is taken from them.

    Args:
        modules: dotted names, such as ``"lrlab.training.loop"``.

    Raises:
        Unreadable: if a package can't be parsed.

    Example:
        >>> modules = reached(["lrlab.training.loop"])
        >>> "lrlab.recipe" in modules, "lrlab.plots" in modules
        (True, False)
    """
    found: set[str] = set()
    waiting = set(modules)
    while waiting:
        module = waiting.pop()
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or module in found:
            continue
        if not _is_local(top):
            found.add(top)
            continue
        found.add(module)
        waiting |= set(_imported_by(module))
        if top != _OWN and "." in module:
            waiting.add(module.rpartition(".")[0])
    return sorted(found)


def _imported_by(module: str) -> Iterable[str]:
    top = module.partition(".")[0]
    if module == "__main__" and (spec := sys.modules[module].__spec__) is not None:
        return [spec.name]  # python -m
    if not _folders(top):
        return _imported_by_script(module)
    graph = _graph(top)
    if module == _OWN:  # whoever imports it may use all that it lists
        below = [name.split(".") for name in graph.modules if name.startswith(f"{_OWN}.")]
        return [".".join(parts) for parts in below if parts[1] not in _LISTED_BY_NONE]
    return graph.find_modules_directly_imported_by(module) if module in graph.modules else ()


@functools.cache
def _graph(top: str) -> grimp.ImportGraph:
    """Read the imports of a package, and of all packages that it reaches and that are sources."""
    try:
        need("grimp")
    except MissingExtra as missing:
        raise Unreadable(str(missing)) from missing
    import grimp

    packages = {_OWN, top}
    while True:
        try:
            graph = grimp.build_graph(
                *packages,
                include_external_packages=True,
                exclude_type_checking_imports=True,
                cache_dir=None,
            )
        except (grimp.exceptions.GrimpException, OSError, ValueError, SyntaxError) as error:
            raise Unreadable(str(error)) from error
        more = {name for name in graph.modules if "." not in name and name not in packages}
        more = {name for name in more if _is_local(name) and _folders(name)}
        if not more:
            return graph
        packages |= more


@functools.cache
def _imported_by_script(module: str) -> frozenset[str]:
    """Read the imports of a file that belongs to no package."""
    path = _path(module)
    try:
        tree = ast.parse(path.read_bytes() if path else b"")
    except (OSError, ValueError, SyntaxError) as error:
        raise Unreadable(str(error)) from error
    names: set[str] = set()
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:
        top = name.partition(".")[0]
        if not _is_local(top) or not _folders(top):
            found.add(top)
        elif name in _graph(top).modules:  # not an attribute of one
            found.add(name)
    return frozenset(found)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree, leaving out what only type checkers read."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


@functools.cache
def _is_local(top: str) -> bool:
    """Whether a module, or a package's top, is source that may change without its version."""
    if top in ("__main__", _OWN):
        return True
    if top in sys.stdlib_module_names:
        return False
    places = [Path(p).parts for p in (*_folders(top), _located(top)[1]) if p]
    return bool(places) and not any(_INSTALLED & set(parts) for parts in places)


@functools.cache
def _located(top: str) -> tuple[tuple[str, ...], str | None]:
    """Return the folders of a package, and the file of a module, where there are any."""
    module = sys.modules.get(top)
    if module is not None:
        return tuple(getattr(module, "__path__", ())), getattr(module, "__file__", None)
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return (), None
    return tuple(spec.submodule_search_locations or ()), spec.origin if spec.has_location else None


def _folders(top: str) -> tuple[str, ...]:
    return _located(top)[0]


def _path(module: str) -> Path | None:
    if (loaded := getattr(sys.modules.get(module), "__file__", None)) is not None:
        return Path(loaded)
    top, *below = module.split(".")
    for folder in _folders(top):
        base = Path(folder, *below)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    origin = None if below else _located(top)[1]
    return Path(origin) if origin else None


@functools.cache
def _digest(module: str) -> str:
    path = _path(module)
    if path is None:
        return ""  # a folder without __init__.py
    try:
        source, changed = path.read_bytes(), path.stat().st_mtime
    except OSError as error:
        raise Unreadable(f"{module} can't be read") from error
    loaded = module in _LOADED or module.startswith(f"{_OWN}.")
    if loaded and _BEGAN < changed <= time.time():
        raise Unreadable(f"{module} was changed after it was loaded")
    return hashlib.sha256(source).hexdigest()


@functools.cache
def _version(top: str) -> str:
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(top, ())
        return " ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(names))
