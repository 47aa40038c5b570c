"""What a run is made of, as text: the values of all its parts, and the modules they come from.

Parts are walked down to plain values: attributes, sequences, dicts, arrays, and the functions that
something holds, with what these have enclosed. What can't be looked into (a generator, an open
file) makes the whole unknown, as does what a notebook's cell defines: other cells may change it.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import sys
from collections import OrderedDict
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

_PLAIN = (type(None), bool, int, float, str)
_BY_NAME = (bytes, PurePath, torch.dtype, torch.device, np.dtype)
_PICKLING = ("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__")
_SCRIPT = "__main__"


class Unknown(Exception):
    """A part can't be described, so that two runs can't be told apart."""


def describe(value: Any) -> tuple[Any, frozenset[str]]:
    """Return a JSON-able description of a value, and the modules that define what is in it.

    Args:
        value: a part of a run, or a dict or list of them.

    Raises:
        Unknown: if something in it can't be looked into.

    Example:
        >>> from lrlab.schedules import Constant
        >>> text, modules = describe([Constant(0.1)])
        >>> text
        [['lrlab.schedules._decay.Constant', [['lr', 0.1]]]]
        >>> sorted(modules)
        ['builtins', 'lrlab.checks', 'lrlab.schedules._base', 'lrlab.schedules._decay']
    """
    walk = _Walk()
    return walk.value(value), frozenset(walk.modules)


class _Walk:
    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._above: list[int] = []  # what is being described now, since a part may hold itself

    def value(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if id(value) in self._above:
            return ["again", self._above.index(id(value))]
        self._above.append(id(value))
        try:
            return self._compound(value)
        finally:
            self._above.pop()

    def _compound(self, value: Any) -> Any:
        kind = type(value)
        if kind in (list, tuple):
            return [self.value(part) for part in value]
        if kind in (dict, OrderedDict):
            return {"dict": [[self.value(k), self.value(v)] for k, v in value.items()]}
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, MethodType):
            return ["method", self.value(value.__func__), self.value(value.__self__)]
        if isinstance(value, BuiltinFunctionType):
            return self._builtin(value)
        if isinstance(value, ModuleType):
            self.modules.add(value.__name__)
            return ["module", value.__name__]
        return [self._class(kind), self._content(value)]

    def _content(self, value: Any) -> Any:
        kind = type(value)
        if kind in (set, frozenset):
            return sorted((self.value(part) for part in value), key=repr)
        if isinstance(value, tuple) and not vars(kind).get("__dict__"):
            return [self.value(part) for part in value]
        if isinstance(value, enum.Enum):
            return value.name
        if isinstance(value, functools.partial):
            return [self.value(part) for part in (value.func, value.args, value.keywords)]
        if isinstance(value, torch.Tensor):
            content = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
            return [str(value.dtype), [*value.shape], _digest(content.tobytes())]
        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            return [value.dtype.str, [*value.shape], _digest(value.tobytes())]
        if isinstance(value, _BY_NAME):
            return str(value)
        # Python's own way to take an object apart: it refuses what holds more than attributes.
        if any(getattr(kind, n, None) is not getattr(object, n, None) for n in _PICKLING):
            raise Unknown(f"{kind.__module__}.{kind.__qualname__}")
        try:
            reduced: tuple[Any, ...] = object.__reduce_ex__(value, 2)  # type: ignore[assignment]
        except TypeError as error:
            raise Unknown(f"{kind.__module__}.{kind.__qualname__}") from error
        _, _, state, items, pairs = reduced
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        known = (attributes or {}) | (slots or {})
        remembered = functools.cached_property
        names = [n for n in known if not isinstance(getattr(kind, n, None), remembered)]
        found = [[name, self.value(known[name])] for name in names]
        return found + [self.value([*part]) for part in (items, pairs) if part is not None]

    def _class(self, kind: type) -> Any:
        """Name a class; one that was made inside a function has enclosed something as well."""
        for base in kind.__mro__:
            _check_place(base.__module__, base)
            self.modules.add(base.__module__)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if "<locals>" not in name:
            return name
        held = [[k, self._enclosed(v)] for k, v in vars(kind).items() if inspect.isfunction(v)]
        return [name, held, [self.value(base) for base in kind.__bases__]]

    def _function(self, function: FunctionType) -> Any:
        module, code = function.__globals__.get("__name__", ""), function.__code__
        _check_place(module, function)
        self.modules.add(module)
        place = _digest(repr([code.co_firstlineno, *code.co_positions()]).encode())
        return [f"{module}.{code.co_qualname}", place, self._enclosed(function)]

    def _enclosed(self, function: FunctionType) -> list[Any]:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        return [self.value([*held]) for held in (cells, *_defaults(function))]

    def _builtin(self, function: Any) -> Any:
        owner = function.__self__
        if not isinstance(owner, ModuleType | type | None):
            raise Unknown(f"a method of {type(owner).__name__}")
        return ["builtin", getattr(owner, "__name__", ""), function.__qualname__]


def _defaults(function: FunctionType) -> tuple[Any, Any]:
    return function.__defaults__ or (), (function.__kwdefaults__ or {}).items()


def _check_place(module: str, thing: Any) -> None:
    """Refuse what has no source: of the main program only what stands in its file counts."""
    if module != _SCRIPT:
        if module not in sys.modules:
            raise Unknown(f"there is no module {module!r}")
        return
    main = sys.modules[_SCRIPT]
    prompt = hasattr(sys, "ps1") or hasattr(main, "get_ipython")
    try:
        inspect.getsource(thing)
        found = Path(inspect.getfile(thing)) == Path(main.__file__ or "")
    except (OSError, TypeError, AttributeError):
        found = False
    if prompt or not found:
        raise Unknown(f"{thing.__qualname__} was not defined in a file")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
