"""Checks of arguments, and of what is installed: each message names what is wrong with what."""

from __future__ import annotations

import importlib.util
import inspect
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

_LARGEST = 2**62  # so that the sum of two is still a 64-bit integer

# What the core install leaves out: the modules that each extra brings.
_EXTRAS = {
    "book": ("ablog", "docutils", "sphinx"),
    "cluster": ("distributed", "psycopg"),
    "data": ("grimp", "mlxtend", "mnist1d", "names", "pandas", "pooch", "sklearn"),
    "notebooks": (
        *("ipykernel", "jsonschema", "jupytext", "nbclient", "nbformat", "nbval", "papermill"),
        *("psutil", "schedulefree"),
    ),
    "sweeps": ("filelock", "optuna", "yaml"),
}
_EXTRA_OF = {module: extra for extra, modules in _EXTRAS.items() for module in modules}
_PACKAGES = {"docutils": "sphinx", "sklearn": "scikit-learn", "yaml": "PyYAML"}


class MissingExtra(ImportError):
    """A part of the package was used whose extra is not installed; says how to install it."""


def need(*modules: str) -> None:
    """Check that optional packages are installed, before they are imported.

    Args:
        modules: names of modules of packages that one of the extras brings.

    Raises:
        MissingExtra: if one is not installed.

    Example:
        >>> need("yaml")
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            package, extra = _PACKAGES.get(module, module), _EXTRA_OF[module]
            raise MissingExtra(
                f"this needs {package}, which is missing: pip install 'lrlab[{extra}]'"
            )


def is_number(value: Any) -> bool:
    """Say whether a value is a real number, NumPy's included, and not a bool.

    Args:
        value: anything.

    Example:
        >>> is_number(0.1), is_number(True), is_number("0.1")
        (True, False, False)
    """
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Say whether a value is an int, NumPy's included, and not a bool.

    Args:
        value: anything.

    Example:
        >>> is_integer(3), is_integer(True), is_integer(3.0)
        (True, False, False)
    """
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def described(
    word: str, kinds: Mapping[str, Callable[..., Any]], data: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the kind that a mapping names, and its arguments, which that kind has to have.

    Args:
        word: the key of the kind's name, such as ``"schedule"``.
        kinds: what there is, by name.
        data: the mapping, such as ``{"schedule": "Constant", "lr": 0.1}``.

    Raises:
        ValueError: if it is no mapping, or the kind or an argument is unknown.

    Example:
        >>> described("number", {"complex": complex}, {"number": "complex", "real": 1})
        ('complex', {'real': 1})
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{word} must be a mapping with {word}: and its arguments, got {data!r}")
    arguments = dict(data)
    name = arguments.pop(word, None)
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"{word} must be one of {', '.join(kinds)}, got {name!r}")
    known = list(inspect.signature(kinds[name]).parameters)
    if unknown := sorted(map(str, arguments.keys() - set(known))):
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise ValueError(f"{name} has no argument {unknown[0]!r}; {has}")
    return name, arguments


def built(word: str, kinds: Mapping[str, Callable[..., Any]], data: Mapping[str, Any]) -> Any:
    """Build what a mapping describes.

    Args:
        word: as for `described`.
        kinds: what there is, by name.
        data: the mapping.

    Raises:
        ValueError: as `described`, or if an argument is missing or of a wrong type.

    Example:
        >>> built("number", {"complex": complex}, {"number": "complex", "real": 1})
        (1+0j)
    """
    name, arguments = described(word, kinds, data)
    try:
        return kinds[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {str(error).rpartition(') ')[2] or error}") from error


class Checked:
    """Frozen dataclasses that check their fields in ``__post_init__``.

    Each check stores the field as a plain float, int or tuple of ints.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass(frozen=True)
        ... class Pair(Checked):
        ...     left: int
        >>> Pair(3).left
        3
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]  # every subclass is a dataclass

    def _check_float(
        self,
        name: str,
        *,
        low: float = 0.0,
        high: float = math.inf,
        open_low: bool = False,
        open_high: bool = True,
        optional: bool = False,
    ) -> None:
        value = getattr(self, name)
        if value is None and optional:
            return
        above = is_number(value) and (low < value if open_low else low <= value)
        below = is_number(value) and (value < high if open_high else value <= high)
        if not (above and below):
            interval = f"{'(['[not open_low]}{low:g}, {high:g}{'])'[open_high]}"
            raise ValueError(f"{name} must be in {interval}, got {name}={value!r}")
        object.__setattr__(self, name, float(value))

    def _check_lr(self, *names: str, zero: bool = False, optional: bool = False) -> None:
        for name in names:
            self._check_float(name, open_low=not zero, optional=optional)

    def _check_int(
        self, *names: str, low: int = 1, high: int = _LARGEST, optional: bool = False
    ) -> None:
        for name in names:
            value = getattr(self, name)
            if value is None and optional:
                continue
            if not is_integer(value) or not low <= value <= high:
                within = f"of at least {low}" if high == _LARGEST else f"in [{low}, {high}]"
                raise ValueError(f"{name} must be an integer {within}, got {name}={value!r}")
            object.__setattr__(self, name, int(value))

    def _check_increasing(self, name: str) -> None:
        values = getattr(self, name)
        try:
            values = tuple(values)
        except TypeError:
            raise ValueError(f"{name} must be a list of integers, got {name}={values!r}") from None
        whole = all(is_integer(value) and value >= 1 for value in values)
        if not whole or any(b <= a for a, b in pairwise(values)):
            raise ValueError(
                f"{name} must be increasing integers of at least 1, got {name}={list(values)!r}"
            )
        object.__setattr__(self, name, tuple(int(value) for value in values))

    def _check_choice(self, name: str, options: Sequence[Any]) -> None:
        value = getattr(self, name)
        if value not in options:
            listed = ", ".join(repr(option) for option in options)
            raise ValueError(f"{name} must be one of {listed}, got {name}={value!r}")
        object.__setattr__(self, name, options[options.index(value)])
