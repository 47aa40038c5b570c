"""Batches of any kind: tensors in dicts, tuples and lists, beside names and texts."""

from __future__ import annotations

import copy
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def described(value: Any, depth: int = 2) -> str:
    """Return in words what a batch is.

    Args:
        value: a batch: a tensor, or dicts, tuples and lists of what it holds.
        depth: how many levels are spelled out.

    Example:
        >>> described({"x": torch.zeros(2, 3), "name": ["a", "b"]})
        'a dict with x: a tensor (2, 3), name: a list of 2'
    """
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, Mapping) and depth:
        parts = (f"{name}: {described(part, depth - 1)}" for name, part in value.items())
        return f"a {type(value).__name__} with {', '.join(parts)}"
    if isinstance(value, tuple | list):
        kind = type(value).__name__
        if depth and len(value) <= 5 and any(holds_tensor(p) or hasattr(p, "shape") for p in value):
            return f"a {kind} of {', '.join(described(part, depth - 1) for part in value)}"
        return f"a {kind} of {len(value)}"
    return f"a {type(value).__name__}"


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of a batch, in dicts, tuples and lists of any depth.

    Args:
        value: a batch: a tensor, or dicts, tuples and lists of what it holds.

    Example:
        >>> len(list(tensors_in(({"a": torch.ones(1)}, ["name"], torch.ones(2)))))
        2
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tensors_in(part)


def holds_tensor(value: Any) -> bool:
    """Say whether there is a tensor in a part of a batch.

    Args:
        value: a batch: a tensor, or dicts, tuples and lists of what it holds.

    Example:
        >>> holds_tensor({"x": [torch.zeros(1)]}), holds_tensor(["a", 1])
        (True, False)
    """
    return next(tensors_in(value), None) is not None


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a batch with all that is no dict, tuple or list changed.

    Args:
        value: a batch: a tensor, or dicts, tuples and lists of what it holds.
        change: a function of one element.

    Example:
        >>> mapped({"a": (1, 2)}, lambda x: 10 * x)
        {'a': (10, 20)}
    """
    if isinstance(value, dict):
        return {name: mapped(part, change) for name, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields") and not hasattr(value, "to"):
        return type(value)(*(mapped(part, change) for part in value))
    if type(value) in (tuple, list):
        return type(value)(mapped(part, change) for part in value)
    return change(value)


def apart(batch: Any) -> Any:
    """Return a copy of a batch: loaders may fill it again, a model or a loss may change it.

    What can't be copied, as an open file, is itself in the copy.

    Args:
        batch: as for `tensors_in`.

    Example:
        >>> batch = {"x": torch.zeros(2), "y": [1]}
        >>> copied = apart(batch)
        >>> copied.pop("y"), sorted(batch)
        ([1], ['x', 'y'])
    """
    try:
        return copy.deepcopy(batch, {id(tensor): tensor.clone() for tensor in tensors_in(batch)})
    except Exception:  # whatever an open file or a lock raises
        return mapped(batch, _own)


def _own(part: Any) -> Any:
    changeable = isinstance(part, np.ndarray | UserDict)  # as those of Hugging Face are
    return part.clone() if isinstance(part, Tensor) else copy.copy(part) if changeable else part


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch with its tensors, and what else can move, on a device.

    Args:
        batch: as for `tensors_in`.
        device: where to.

    Example:
        >>> moved({"x": torch.zeros(2)}, torch.device("cpu"))["x"].device.type
        'cpu'
    """
    if device.type == "cpu":
        return batch
    return mapped(batch, lambda part: part.to(device) if hasattr(part, "to") else part)
