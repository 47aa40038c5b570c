"""W&B's own sweep files, read as a search over a script; what we do differently is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrlab import sweep as sweeps  # which loads what it has when it is asked for
from lrlab.checks import is_integer, is_number
from lrlab.labbook.sweeps.drawn import Drawn

if TYPE_CHECKING:
    from lrlab.labbook.sweeps.script import Script
    from lrlab.sweep import Plan
    from lrlab.sweep.ranges import Range

_METHODS = {"grid": "grid", "random": "random", "bayes": "gp"}
_OF_THE_SERVER = {"$schema", "apiVersion", "kind", "project", "entity", "name", "description"}
_OF_THE_SERVER |= {"controller", "job", "image_uri", "queue", "scheduler", "settings"}
_OF_THE_SERVER |= {"prior_runs"}
_KNOWN = {"program", "command", "method", "metric", "parameters", "early_terminate", "run_cap"}
_OWN = {"trials", "timeout", "wave", "seed", "grace"}
_SEPARATE = 4  # trials that advance together, where the rule or the sampler looks at the others
_ENDS = ("min", "max")
_USES: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "categorical": ("values", "probabilities"),
    "categorical_w_probabilities": ("values", "probabilities"),
    "int_uniform": _ENDS,
    "uniform": _ENDS,
    "log_uniform": _ENDS,
    "log_uniform_values": _ENDS,
    "inv_log_uniform": _ENDS,
    "inv_log_uniform_values": _ENDS,
    "q_uniform": (*_ENDS, "q"),
    "q_log_uniform": (*_ENDS, "q"),
    "q_log_uniform_values": (*_ENDS, "q"),
    "normal": ("mu", "sigma"),
    "q_normal": ("mu", "sigma", "q"),
    "log_normal": ("mu", "sigma"),
    "q_log_normal": ("mu", "sigma", "q"),
    "beta": ("a", "b"),
    "q_beta": ("a", "b", "q"),
}


def load(path: str | Path, *, count: int | None = None) -> Plan | Script:
    """Read a search from a YAML file: one of ours, or one of W&B's that names a program.

    Args:
        path: the file.
        count: trials, in place of what the file says.

    Returns:
        What is searched.

    Raises:
        ValueError: if the file can't be read, or holds no search.

    Example:
        >>> import tempfile
        >>> text = '''
        ... program: train.py
        ... method: random
        ... metric: {name: loss, goal: minimize}
        ... parameters: {lr: {min: 0.001, max: 0.1}}
        ... run_cap: 3
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sweep.yaml"
        ...     _ = path.write_text(text)
        ...     load(path).trials
        3
    """
    from lrlab.sweep import reading

    data = reading.read(Path(path))
    if reading.names_a_program(data):
        return parse(data, count=count)
    return reading.load(path, count=count)


def parse(data: Mapping[str, Any], *, count: int | None = None) -> Script:
    """Return the search that a sweep file of W&B describes.

    Args:
        data: what the file holds.
        count: trials, in place of its `run_cap`.

    Raises:
        ValueError: if something in it is unknown or makes no sense.
    """
    from lrlab.labbook.sweeps.script import Script

    notes = []
    if unknown := sorted(map(str, data.keys() - _KNOWN - _OF_THE_SERVER - {"lrlab"})):
        raise ValueError(f"{unknown[0]!r} is not a part of a sweep file of W&B")
    if beside := [name for name in data if name in _OF_THE_SERVER]:
        notes.append(f"Left aside, since there is no server: {', '.join(beside)}.")
    own = _mapping(data.get("lrlab", {}), "lrlab")
    if unknown := sorted(map(str, own.keys() - _OWN)):
        raise ValueError(f"lrlab: there is no {unknown[0]!r}; there are {', '.join(sorted(_OWN))}")
    method = data.get("method")
    if not isinstance(method, str) or method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    if method == "bayes":
        notes.append(
            "method: bayes is Optuna's Gaussian process here, which expects a trial to end at its "
            "last value; W&B's own counts the best one."
        )
    metric, direction = _metric(data.get("metric"), notes)
    space, constants, paths = _parameters(data.get("parameters"))
    rule = _rule(data.get("early_terminate"))
    sampler = _METHODS[method]
    grid = {n: _points(n, s) for n, s in space.items()} if sampler == "grid" else None
    points = math.prod(len(values) for values in grid.values()) if grid else None
    counts = (count, own.get("trials"), data.get("run_cap"), points)
    trials = next((number for number in counts if number is not None), None)
    if trials is None:
        raise ValueError(
            f"method: {method} goes on for ever; say how many trials with run_cap or --count"
        )
    if points is not None and is_integer(trials):
        trials = min(trials, points)
    together = trials if rule is None and sampler != "gp" and is_integer(trials) else _SEPARATE
    return Script(
        space=space,
        trials=trials,
        metric=metric,
        direction=direction,
        sampler=sampler,
        rule=rule,
        grid=grid,
        wave=own.get("wave", min(max(together, 1), 1000)),
        seed=own.get("seed", 0),
        **{name: data[name] for name in ("program", "command") if name in data},
        constants=constants,
        paths=paths,
        timeout=own.get("timeout"),
        grace=own.get("grace", 10.0),
        notes=tuple(notes),
    )


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a mapping, got {value!r}")
    return value


def _metric(given: Any, notes: list[str]) -> tuple[str, str]:
    if given is None:
        raise ValueError("the sweep has no metric; add metric: {name: loss, goal: minimize}")
    said = _mapping(given, "metric")
    unused = ("target", "impute", "impute_while_running")
    if unknown := sorted(map(str, said.keys() - {"name", "goal", *unused})):
        raise ValueError(f"metric has no {unknown[0]!r}; it has name, goal")
    notes += [f"metric: {word} is not used here." for word in unused if word in said]
    goal: Any = said.get("goal")
    name: Any = said.get("name")
    if goal not in (None, "minimize", "maximize"):
        raise ValueError(f"metric: goal must be minimize or maximize, got {goal!r}")
    return name, goal


def _rule(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    said = dict(_mapping(given, "early_terminate"))
    kind = said.pop("type", None)
    if kind != "hyperband":
        raise ValueError(f"early_terminate: type must be hyperband, got {kind!r}")
    if unknown := sorted(map(str, said.keys() - {"min_iter", "max_iter", "s", "eta", "strict"})):
        raise ValueError(f"early_terminate has no {unknown[0]!r}")
    if "max_iter" in said and "s" not in said:
        raise ValueError("early_terminate: max_iter needs s, the number of bands")
    return {"rule": "wandb-hyperband", "strict": True} | said  # the default of W&B's schema


def _parameters(
    given: Any, above: tuple[str, ...] = ()
) -> tuple[dict[str, Range], dict[str, Any], dict[str, list[str]]]:
    said = _mapping(given, ".".join(above) or "parameters")
    space: dict[str, Range] = {}
    constants: dict[str, Any] = {}
    paths: dict[str, list[str]] = {}
    for key, spec in sorted(said.items(), key=lambda item: str(item[0])):  # as W&B's grid
        if not isinstance(key, str) or not key or key.startswith("-") or "=" in key:
            raise ValueError(f"parameters: {key!r} can't be the name of an argument")
        parts, name = (*above, key), ".".join((*above, key))
        if isinstance(spec, Mapping) and "parameters" in spec:
            if len(spec) > 1:
                raise ValueError(f"parameters: {name} has parameters of its own and more besides")
            inner: tuple[Any, ...] = _parameters(spec["parameters"], parts)
            if both := sorted((space | constants).keys() & (inner[0] | inner[1]).keys()):
                raise ValueError(f"parameters: there are two of the name {both[0]!r}")
            space, constants, paths = space | inner[0], constants | inner[1], paths | inner[2]
            continue
        if name in space or name in constants:
            raise ValueError(f"parameters: there are two of the name {name!r}")
        if above:
            paths[name] = list(parts)
        found = _parameter(name, _mapping(spec, f"parameters: {name}"))
        if isinstance(found, _Constant):
            constants[name] = found.value
        else:
            space[name] = found
    return space, constants, paths


class _Constant:
    def __init__(self, value: Any) -> None:
        self.value = value


def _parameter(name: str, spec: Mapping[str, Any]) -> Range | _Constant:
    kind = spec.get("distribution") or _guessed(name, spec)
    if not isinstance(kind, str) or kind not in _USES:
        raise ValueError(f"parameters: {name}: there is no distribution {kind!r}")
    if extra := sorted(map(str, spec.keys() - {*_USES[kind], "distribution"})):
        raise ValueError(f"parameters: {name}: {kind} has no {extra[0]!r}")
    try:
        return _range(kind, spec)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"parameters: {name}: {error}") from None


def _guessed(name: str, spec: Mapping[str, Any]) -> str:
    if "value" in spec:
        return "constant"
    if "values" in spec:
        return "categorical"
    if "min" in spec and "max" in spec:
        whole = is_integer(spec["min"]) and is_integer(spec["max"])
        return "int_uniform" if whole else "uniform"
    raise ValueError(f"parameters: {name} needs value, values, min and max, or a distribution")


def _range(kind: str, spec: Mapping[str, Any]) -> Range | _Constant:
    if kind == "constant":
        return _Constant(spec.get("value"))
    if kind.startswith("categorical"):
        return _categorical(spec)
    q = spec.get("q", 1.0) if kind.startswith("q_") else None
    if q is not None and not (is_number(q) and q > 0):
        raise ValueError(f"q must be positive, got q={q!r}")
    inner = kind.removeprefix("q_")
    if inner in ("normal", "log_normal"):
        return Drawn(inner, mu=spec.get("mu", 0.0), sigma=spec.get("sigma", 1.0), q=q)
    if inner == "beta":
        return Drawn("beta", a=spec.get("a", 1.0), b=spec.get("b", 1.0), q=q)
    low, high = spec.get("min", 0), spec.get("max", 1)
    for end, value in (("min", low), ("max", high)):
        if not is_number(value):
            raise ValueError(f"{end} must be a number, got {value!r}")
    if inner == "inv_log_uniform":  # log(1/x) is uniform between the two
        low, high = -high, -low
    if inner in ("log_uniform", "inv_log_uniform"):  # W&B's ends are exponents of e
        low, high = math.exp(low), math.exp(high)
    if low == high:
        return _Constant(low if q is None else round(low / q) * q)
    if inner == "int_uniform":
        return sweeps.IntUniform(low, high)
    if q is not None:
        return Drawn("uniform" if inner == "uniform" else "log_uniform", low=low, high=high, q=q)
    return (sweeps.Uniform if inner == "uniform" else sweeps.LogUniform)(low, high)


def _categorical(spec: Mapping[str, Any]) -> Range | _Constant:
    values, chances = spec.get("values"), spec.get("probabilities")
    if not isinstance(values, list) or not values:
        raise ValueError(f"values must be a list with something in it, got {values!r}")
    if len(values) == 1:
        return _Constant(values[0])
    if chances is None:
        try:
            return sweeps.Choice(tuple(values))
        except ValueError:  # one of them twice, which makes it twice as likely
            return Drawn("categorical", options=tuple(values))
    return Drawn("categorical", options=tuple(values), probabilities=chances)


def _points(name: str, searched: Any) -> tuple[Any, ...]:
    """The values of a parameter on a grid."""
    if isinstance(searched, sweeps.Choice):
        return searched.options
    if isinstance(searched, sweeps.IntUniform):
        count = searched.high - searched.low + 1
        if count > 10**5:
            raise ValueError(f"parameters: {name} has {count} values, too many for a grid")
        return tuple(range(searched.low, searched.high + 1))
    chances = getattr(searched, "probabilities", None)
    if chances and len(set(chances)) == 1:
        texts = dict.fromkeys(json.dumps(option) for option in searched.options or ())
        return tuple(json.loads(text) for text in texts)
    if isinstance(searched, Drawn) and searched.kind == "uniform" and searched.q:
        if (searched.high - searched.low) / searched.q > 10**5:
            raise ValueError(f"parameters: {name} has too many values for a grid")
        # As W&B does: from the lower end on, and without the upper one.
        return tuple(np.arange(searched.low, searched.high, searched.q).tolist())
    raise ValueError(
        f"parameters: {name} can't be on a grid; it takes value, values without probabilities, "
        "int_uniform and q_uniform"
    )
