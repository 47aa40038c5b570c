"""Tasks: data, model and loss, one file each, found by name.

``tasks.get("mnist")`` imports ``lrlab.tasks.mnist`` and calls its ``task`` class. A new file is a
new task; nothing has to be registered. ``tasks.from_module`` makes one of a module of your own,
``tasks.from_factory`` one of a function that builds everything anew for each seed.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
from typing import Any

from lrlab.tasks.base import Batch as Batch
from lrlab.tasks.base import Batches as Batches
from lrlab.tasks.base import Splits as Splits
from lrlab.tasks.base import Task as Task

_NOT_TASKS = {"base", "batches", "factory", "frameworks", "module"}
_DOORS = {
    "from_module": "module",
    "from_factory": "factory",
    "from_lightning": "frameworks",
    "from_trainer": "frameworks",
}


def names() -> list[str]:
    """Return the names of all tasks.

    Example:
        >>> "mnist" in names()
        True
    """
    found = {m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")}
    return sorted(found - _NOT_TASKS)


def get(name: str, **arguments: Any) -> Task:
    """Return a task by its name, with its fields set by keyword.

    Args:
        name: one of `names`.
        **arguments: fields of the task.

    Raises:
        ValueError: if there is no such task, or it has no such field.

    Example:
        >>> get("mnist", n_train=1000).n_train
        1000
    """
    if name not in (*names(), "factory"):
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names())}"
        raise ValueError(f"there is no task {name!r}{hint}")
    task = importlib.import_module(f"lrlab.tasks.{name}").task
    fields = [f.name for f in dataclasses.fields(task)]
    unknown = sorted(set(arguments) - set(fields))
    if unknown:
        raise ValueError(f"task {name!r} has no field {unknown[0]!r}; it has {', '.join(fields)}")
    return task(**arguments)


def from_dict(data: dict[str, Any]) -> Task:
    """Return the task that `Task.to_dict` described.

    Args:
        data: a dict with the key ``"task"``.

    Example:
        >>> from_dict(get("mnist").to_dict()) == get("mnist")
        True
    """
    arguments = dict(data)
    return get(arguments.pop("task"), **arguments)


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(importlib.import_module(f"lrlab.tasks.{_DOORS[name]}"), name)
    raise AttributeError(f"module 'lrlab.tasks' has no attribute {name!r}")
