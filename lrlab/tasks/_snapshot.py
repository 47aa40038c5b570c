"""The state of things that can't be copied, kept and put back bit for bit."""

from __future__ import annotations

import collections
import copy
import random
import types
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

_GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, types.FunctionType)
_LEFT_OUT = (types.ModuleType, types.MethodType, types.BuiltinFunctionType, Dataset, DataLoader)
_CONTAINERS = (dict, collections.OrderedDict, collections.defaultdict, list, set, collections.deque)
_DEPTH, _LONGEST = 5, 100  # how deep below a module, and how long a list, generators are searched


class Snapshot:
    """Everything that training can change in some objects, for `restore`.

    Tensors (values, gradients, whether they need one), arrays, generators, and the contents of
    attributes, lists and dicts, down to five objects below a module or an optimizer. Datasets and
    loaders are left out.

    Args:
        *roots: modules, optimizers, losses.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> before, kept = layer.weight.detach().clone(), Snapshot(layer)
        >>> _ = layer.weight.data.zero_(), layer.eval()
        >>> kept.restore()
        >>> torch.equal(layer.weight, before), layer.training
        (True, True)
    """

    def __init__(self, *roots: Any) -> None:
        self._seen: dict[int, Any] = {}
        self._tensors: list[tuple[Any, ...]] = []
        self._contents: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[np.ndarray, np.ndarray]] = []
        self._random: list[Any] = []
        for root in roots:
            self._look(root, _DEPTH)
        self._states = [state_of(generator) for generator in self._random]

    def _look(self, value: Any, depth: int) -> None:
        if id(value) in self._seen or isinstance(value, (*_PLAIN, *_LEFT_OUT)):
            return
        self._seen[id(value)] = value
        if isinstance(value, torch.Tensor):
            if value.is_leaf:
                grad = value.grad
                kept = None if grad is None else grad.clone()
                needs = value.requires_grad
                self._tensors.append((value, value.data, value.detach().clone(), needs, grad, kept))
        elif isinstance(value, np.ndarray):
            self._arrays.append((value, value.copy()))
        elif isinstance(value, _GENERATORS):
            self._random.append(value)
        elif isinstance(value, nn.Module | torch.optim.Optimizer):
            self._keep(vars(value), _DEPTH)
        elif type(value) in _CONTAINERS:
            self._keep(value, depth)
        elif isinstance(value, tuple):
            for part in value:
                self._look(part, depth)
        elif depth and isinstance(getattr(value, "__dict__", None), dict):
            self._keep(vars(value), depth - 1)

    def _keep(self, container: Any, depth: int) -> None:
        kept = copy.copy(container)
        self._contents.append((container, kept))
        keys = list(kept) if isinstance(kept, dict) else ()
        for part in (*keys, *(kept.values() if isinstance(kept, dict) else kept)):
            self._look(part, depth)

    @torch.no_grad()
    def restore(self) -> None:
        """Put everything back."""
        for container, kept in self._contents:
            container.clear()
            container.extend(kept) if hasattr(container, "extend") else container.update(kept)
        for tensor, data, kept, needs, grad, kept_grad in self._tensors:
            data.copy_(kept)
            tensor.data = data
            tensor.requires_grad_(needs)
            tensor.grad = grad
            if grad is not None:
                grad.copy_(kept_grad)
        for array, kept in self._arrays:
            array[...] = kept
        restore_states(self._random, self._states)


def generators_in(value: Any, depth: int = _DEPTH, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield the random generators that an object holds, in attributes, lists and dicts."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, torch.Tensor | np.ndarray | str | bytes):
        return
    seen.add(id(value))
    if isinstance(value, _GENERATORS):
        yield value
        return
    if depth == 0:
        return
    inner: Sequence[Any]
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = value if len(value) <= _LONGEST else ()
    else:
        inner = list(getattr(value, "__dict__", {}).values())
    for part in inner:
        yield from generators_in(part, depth - 1, seen)


def state_of(generator: Any) -> Any:
    """Return the state of a generator of Python, NumPy or torch."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.Generator):
        return copy.deepcopy(generator.bit_generator.state)
    return generator.get_state()


def restore_states(generators: Sequence[Any], states: Sequence[Any]) -> None:
    """Put generators back to their states."""
    for generator, state in zip(generators, states, strict=True):
        if isinstance(generator, random.Random):
            generator.setstate(state)
        elif isinstance(generator, np.random.Generator):
            generator.bit_generator.state = state
        else:
            generator.set_state(state)
