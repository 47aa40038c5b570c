"""Plans as they are read from YAML: numbers as people write them, and nothing but plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lrlab.sweep.plan import Plan

__all__ = ["load", "names_a_program", "read"]

_LARGEST = 2**20  # bytes of a file
_MOST = 20_000  # values in it, those behind aliases counted each time
_DEEPEST = 50
_FLOAT = re.compile(
    r"""[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
    |[0-9][0-9_]*[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|\.(?:nan|NaN|NAN)$""",
    re.X,
)


class _Loader(yaml.SafeLoader):
    """Takes 1e-3 for a number, as YAML 1.2 does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:float"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def load(path: str | Path, *, count: int | None = None) -> Plan:
    """Read a plan from a YAML file.

    Args:
        path: the file.
        count: trials, in place of what the file says.

    Raises:
        ValueError: if the file can't be read, or is not a plan.

    Returns:
        What is searched.

    Example:
        >>> import tempfile
        >>> text = '''
        ... task: {task: mnist1d}
        ... recipe:
        ...   {schedule: {schedule: Constant, lr: 1.0}, steps: 4, batch_size: 10, eval_every: 2}
        ... space: {peak_lr: {range: LogUniform, low: 0.01, high: 1.0}}
        ... trials: 3
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "plan.yml"
        ...     _ = path.write_text(text)
        ...     load(path).trials
        3
    """
    name = Path(path).name
    data = read(Path(path))
    if not isinstance(data, dict):
        raise ValueError(f"{name} holds no sweep; it begins with task:, recipe:, space:")
    if names_a_program(data):
        raise ValueError(f"{name} is a sweep of W&B's, for the command: lrlab sweep run {name}")
    return Plan.from_dict(data if count is None else data | {"trials": count})


def names_a_program(data: Any) -> bool:
    """Return whether what a file holds is a search over a program, as W&B writes it down.

    Args:
        data: what `read` returned.

    Example:
        >>> names_a_program({"program": "train.py"}), names_a_program({"task": {}})
        (True, False)
    """
    return (
        isinstance(data, Mapping)
        and "task" not in data
        and any(name in data for name in ("program", "command", "parameters", "method"))
    )


def read(path: Path) -> Any:
    """Return what a YAML file holds.

    Args:
        path: the file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "plan.yml"
        ...     _ = path.write_text("peak_lr: 1e-3")
        ...     read(path)
        {'peak_lr': 0.001}

    Raises:
        ValueError: if it can't be read, or holds a name twice, more than plain data, or too much.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise ValueError(f"{path.name} is too large for a sweep, more than a megabyte")
        loader = _Loader(raw.decode("utf-8-sig"))
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check(node, path.name)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or _said(error)
        raise ValueError(f"{path.name} can't be read: {reason}") from None


def _said(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n")[0]
    return f"{problem}, line {mark.line + 1}" if mark is not None else problem


def _check(root: yaml.Node, name: str) -> None:
    left, waiting = _MOST, [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST:  # an alias to itself comes here too
            raise ValueError(f"{name} holds too much for a sweep, or an alias to itself")
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    waiting.append((value, depth + 1))
                    continue
                if not isinstance(key, yaml.ScalarNode):
                    raise ValueError(f"{name} has a name that is no text, line {_line(key)}")
                if key.value in seen:
                    raise ValueError(f"{name} says {key.value!r} twice, line {_line(key)}")
                seen.add(key.value)
                waiting += [(key, depth + 1), (value, depth + 1)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, depth + 1) for item in node.value]
        elif node.tag in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary"):
            raise ValueError(f"{name}: {node.value!r} is no number; put it in quotes")
        if node.tag in ("tag:yaml.org,2002:set", "tag:yaml.org,2002:omap"):
            raise ValueError(f"{name} holds more than plain data, line {_line(node)}")


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
