"""What a sweep is: a frozen value, written as YAML."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.sweep import _space as space
from lrlab.sweep import rules

if TYPE_CHECKING:
    from lrlab.recipe import Recipe
    from lrlab.tasks import Task

SAMPLERS = ("random", "quasi-random", "grid", "tpe", "gp")
PEAK = "peak_lr"
_FIXED = ("steps", "eval_every")  # all trials are equally long and looked at equally often


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides a sweep.

    Args:
        task: the task, as `Task.to_dict` gives it.
        recipe: the recipe that is varied, as `Recipe.to_dict` gives it; what is left out has its
            default. Its `eval_every` says how often the metric is looked at.
        space: what is searched. A name is a path into the recipe, such as
            ``optimizer.weight_decay`` or ``optimizer.betas.1``; ``peak_lr`` scales the schedule, so
            that a schedule with a peak of 1 gets a peak of that rate.
        trials: how many.
        metric: a name in `Run.evals`, smaller is better.
        sampler: ``"random"``, ``"quasi-random"`` (Sobol), ``"grid"``, ``"tpe"`` or ``"gp"``.
        rule: the stopping rule and its arguments (see `lrlab.sweep.rules.make`), None: no run is
            stopped.
        grid: for the sampler ``"grid"``: the values of each name.
        wave: trials that are asked for at once and advance together.
        judge_every: evaluations between two judgements, for rules without bands of their own.
        seed: of the sampler. The seed of the runs is in the recipe.

    Raises:
        ValueError: if something makes no sense; the message holds the value.

    Example:
        >>> plan = Plan(
        ...     task={"task": "mnist1d"},
        ...     recipe={"schedule": {"schedule": "Cosine", "peak_lr": 1.0, "steps": 100},
        ...             "steps": 100, "batch_size": 50, "eval_every": 10},
        ...     space={"peak_lr": space.LogUniform(1e-3, 1.0)}, trials=20,
        ... )
        >>> plan.recipe_of({"peak_lr": 0.25}).schedule.peak_lr, plan.evaluations
        (0.25, 10)
        >>> Plan.from_dict(plan.to_dict()) == plan
        True
    """

    task: Mapping[str, Any]
    recipe: Mapping[str, Any]
    space: space.Space
    trials: int
    metric: str = "validation_loss"
    sampler: str = "tpe"
    rule: Mapping[str, Any] | None = None
    grid: Mapping[str, tuple[float, ...]] | None = None
    wave: int = 8
    judge_every: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("wave", 1), ("judge_every", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {', '.join(SAMPLERS)}, got {self.sampler!r}")
        if not self.space:
            raise ValueError("space is empty; name at least one hyperparameter")
        for name in self.space:
            if not isinstance(name, str) or name in _FIXED:
                raise ValueError(f"the space can't hold {name!r}")
        if not isinstance(self.recipe.get("steps"), int):
            raise ValueError(f"the recipe needs steps, got {self.recipe.get('steps')!r}")
        if (self.sampler == "grid") != (self.grid is not None):
            raise ValueError("a grid and the sampler 'grid' belong together")
        if self.grid is not None and self.grid.keys() != self.space.keys():
            raise ValueError(f"grid and space need the same names, got {', '.join(self.grid)}")
        rules.make(self.rule)

    @property
    def evaluations(self) -> int:
        """How often the metric of a complete run is looked at, the start not counted."""
        every = self.recipe.get("eval_every") or self.recipe["steps"]
        return -(-self.recipe["steps"] // every)

    def step_of(self, evaluation: int) -> int:
        """Return the number of updates done at an evaluation, which are counted from 1."""
        every = self.recipe.get("eval_every") or self.recipe["steps"]
        return min(evaluation * every, self.recipe["steps"])

    def recipe_of(self, params: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a trial.

        Raises:
            ValueError: if a name is no path into the recipe, or a value makes no sense there.
        """
        from lrlab.recipe import Recipe

        given = {"optimizer": {"optimizer": "SGD"}} | copy.deepcopy(dict(self.recipe))
        for name in ("schedule", "optimizer"):
            if not isinstance(given.get(name, {}), Mapping):
                raise ValueError(f"{name} must be a mapping, got {given[name]!r}")
        try:
            data = Recipe.from_dict(given).to_dict()
            for name, value in params.items():
                if name != PEAK:
                    _put(data, name, value)
            recipe = Recipe.from_dict(data)
        except KeyError as error:
            raise ValueError(f"the recipe has no {error.args[0]}") from None
        except TypeError as error:
            raise ValueError(f"recipe: {error}") from None
        if PEAK not in params:
            return recipe
        if not callable(recipe.schedule):
            raise ValueError(f"{PEAK} scales a schedule, and the recipe has a controller")
        return recipe.replace(schedule=recipe.schedule.scale(params[PEAK]))

    def the_task(self) -> Task:
        """Return the task.

        Raises:
            ValueError: if it has no name, or a field makes no sense.
        """
        from lrlab import tasks

        if "task" not in self.task:
            raise ValueError(f"the task has no name; task: is one of {', '.join(tasks.names())}")
        try:
            return tasks.from_dict(dict(self.task))
        except TypeError as error:
            raise ValueError(f"task: {error}") from None

    def check(self, *, metric: bool = True) -> None:
        """Build task and recipe at the ends of the space, and evaluate the task once.

        Args:
            metric: whether the runs must have the metric.

        Raises:
            ValueError: if something can't be built or trained, no run of this task has the metric,
                or a value of the grid lies outside of its range.
        """
        from lrlab.training.loop import train

        task, tried = self.the_task(), _some(self.space)
        for name, values in (self.grid or {}).items():
            if outside := [value for value in values if not self.space[name].holds(value)]:
                raise ValueError(f"grid: {name} {outside[0]!r} is outside of its range")
            tried[name] = list(values)
        first = {name: values[0] for name, values in tried.items()}
        recipes = [self.recipe_of(first | {n: v}) for n, values in tried.items() for v in values]
        if recipes[0].eval_every == 0:
            raise ValueError("eval_every is 0, so there is no metric to look at")
        try:
            seen = train(task, max(recipes, key=lambda recipe: recipe.batch_size), until=0).evals
        except TypeError as error:
            raise ValueError(f"the task can't be trained: {error}") from None
        if metric and self.metric not in seen:
            known = ", ".join(name for name in seen if name != "step")
            raise ValueError(f"no metric {self.metric!r}; there are {known}")

    def replace(self, **changes: Any) -> Plan:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data |= {"task": dict(self.task), "recipe": copy.deepcopy(dict(self.recipe))}
        data["space"] = {name: searched.to_dict() for name, searched in self.space.items()}
        data["rule"] = None if self.rule is None else dict(self.rule)
        if self.grid is not None:
            data["grid"] = {name: list(values) for name, values in self.grid.items()}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan that `to_dict` described.

        Raises:
            ValueError: if a name or a value in it is not known.
        """
        fields = dict(data)
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(fields.keys() - known):
            raise ValueError(f"{unknown[0]!r} is not a part of a sweep; {', '.join(sorted(known))}")
        required = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING]
        if missing := [name for name in required if name not in fields]:
            raise ValueError(f"the sweep has no {missing[0]}")
        for name in ("task", "recipe", "space", *(["grid"] if fields.get("grid") else [])):
            if not isinstance(fields[name], Mapping):
                raise ValueError(f"{name} must be a mapping, got {fields[name]!r}")
        fields["space"] = {n: space.from_dict(s) for n, s in fields["space"].items()}
        if fields.get("grid") is not None:
            for name, values in fields["grid"].items():
                if not isinstance(values, (list, tuple)) or not values:
                    raise ValueError(f"grid: {name} must be a list of values, got {values!r}")
            fields["grid"] = {name: tuple(values) for name, values in fields["grid"].items()}
        return cls(**fields)


def load(path: str | Path) -> Plan:
    """Read a plan from a YAML file.

    Raises:
        ValueError: if the file can't be read, or is not a plan.
    """
    import yaml

    try:
        data = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n")[0]
        raise ValueError(f"{Path(path).name} can't be read: {reason}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{Path(path).name} holds no sweep; it begins with task:, recipe:, space:")
    return Plan.from_dict(_numbers(data))


def _numbers(value: Any) -> Any:
    # YAML takes 1e-3 for a text, since it wants 1.0e-3.
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _some(searched: space.Space) -> dict[str, list[Any]]:
    """Both ends of each range and a value between them, which is no whole number; each option."""
    return {
        name: [one.low, one.high, one.low + (one.high - one.low) / math.pi]
        if isinstance(one, space.Range)
        else list(one.options)
        for name, one in searched.items()
    }


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place: Any = data
    try:
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key = int(last) if isinstance(place, list) else last
        place[key]
    except (KeyError, IndexError, ValueError, TypeError):
        known = ", ".join(data)
        raise ValueError(f"the recipe has no {path!r} to search; it has {known}") from None
    place[key] = value
