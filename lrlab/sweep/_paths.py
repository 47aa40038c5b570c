"""A name such as ``optimizer.betas.1`` as a place in a recipe, and values put there all at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lrlab import optimizers, schedules
from lrlab.optimizers import Optimizer
from lrlab.schedules import controllers

_KINDS = ("schedule", "controller", "optimizer")  # what a description calls its kind


def changes(recipe: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new fields of a recipe; each of its parts is built once.

    Args:
        recipe: where the paths lead into.
        values: what to put there, by path.

    Raises:
        ValueError: if a path leads nowhere, or a part can't be built with its values.
    """
    tree: dict[str, Any] = {}
    for path, value in values.items():
        place, parts = tree, path.split(".")
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ValueError(f"{path!r} lies within another name that is searched")
        if parts[-1] in place:
            raise ValueError(f"{path!r} lies within another name that is searched")
        place[parts[-1]] = _Put(value, path)
    return _fields(recipe, tree)


@dataclasses.dataclass(frozen=True)
class _Put:
    value: Any
    path: str


def _first(tree: Any) -> str:
    while isinstance(tree, dict):
        tree = next(iter(tree.values()))
    return tree.path


def _fields(part: Any, tree: Mapping[str, Any]) -> dict[str, Any]:
    known = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    for name, branch in tree.items():
        if name not in known:
            raise ValueError(
                f"the recipe has no {_first(branch)!r} to search; it has {', '.join(known)}"
            )
    return {name: _built(known[name], branch) for name, branch in tree.items()}


def _built(old: Any, tree: Any) -> Any:
    if isinstance(tree, _Put):
        return _like(old, tree.value)
    if dataclasses.is_dataclass(type(old)):
        kind = next((k for k in _KINDS if k in tree), None)
        if kind is not None and kind not in {f.name for f in dataclasses.fields(old)}:
            fields = {k: v.value if isinstance(v, _Put) else v for k, v in tree.items()}
            return _described(old, old.to_dict() | fields)
        try:
            return dataclasses.replace(old, **_fields(old, tree))
        except TypeError as error:
            raise ValueError(f"{_first(tree)}: {error}") from None
    if isinstance(old, tuple) and old and all(_is_pair(item) for item in old):  # a frozen mapping
        return tuple(_mapped(dict(old), tree).items())
    if isinstance(old, Mapping):
        return _mapped(dict(old), tree)
    if isinstance(old, (tuple, list)):
        items = list(old)
        for name, branch in tree.items():
            if not name.isdecimal() or int(name) >= len(items):
                raise ValueError(f"the recipe has no {_first(branch)!r} to search")
            items[int(name)] = _built(items[int(name)], branch)
        return type(old)(items)
    raise ValueError(f"the recipe has no {_first(tree)!r} to search")


def _mapped(old: dict[str, Any], tree: Mapping[str, Any]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for name, branch in tree.items():  # a key may hold points itself, as names of parameters do
        while isinstance(branch, dict) and len(branch) == 1 and name not in old:
            rest, branch = next(iter(branch.items()))
            name = f"{name}.{rest}"
        joined[name] = branch
    for name, branch in joined.items():
        near = next((key for key in old if key.rstrip(".") == name.rstrip(".")), None)
        if near is None:
            raise ValueError(f"the recipe has no {_first(branch)!r} to search")
        old[near] = _built(old[near], branch)
    return old


def _is_pair(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def _like(old: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and any(kind in value for kind in _KINDS):
        return _described(old, dict(value))
    if dataclasses.is_dataclass(old) and not dataclasses.is_dataclass(value):
        raise ValueError(f"{type(old).__name__} can't become {value!r}")
    return tuple(value) if isinstance(old, tuple) and isinstance(value, list) else value


def _described(old: Any, data: dict[str, Any]) -> Any:
    kind = optimizers if isinstance(old, Optimizer) else schedules
    return (controllers if "controller" in data else kind).from_dict(data)
