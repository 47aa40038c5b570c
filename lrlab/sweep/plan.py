"""What a sweep is: a frozen value, written as YAML."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from typing import Any

from lrlab.recipe import Recipe
from lrlab.sweep import _paths
from lrlab.sweep.search import Search
from lrlab.tasks import Task

PEAK = "peak_lr"
_FIXED = ("steps", "eval_every")  # all trials are equally long and looked at equally often
_LONGEST = 10**7  # updates of a run
_OFTEN = 10**5  # evaluations of a run
_COMBINATIONS = 16  # that a value is tried in, before it is refused


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan(Search):
    """Everything that decides a sweep.

    Args:
        task: the task, or a dict as `Task.to_dict` gives it.
        recipe: the recipe that is varied, or a dict as `Recipe.to_dict` gives it; what is left out
            has its default. Its `eval_every` says how often the metric is looked at.
        space: what is searched. A name is a path into the recipe, such as
            ``optimizer.weight_decay`` or ``optimizer.betas.1``; ``peak_lr`` scales the schedule, so
            that a schedule with a peak of 1 gets a peak of that rate.
        trials: how many.
        metric: a name in `Run.evals`.
        direction: ``"minimize"`` or ``"maximize"``; None: the metric is made small, and one that is
            known to be better when it is large, such as an accuracy, is refused.
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
        >>> from lrlab.sweep import LogUniform
        >>> plan = Plan(
        ...     task={"task": "mnist1d"},
        ...     recipe={"schedule": {"schedule": "Cosine", "peak_lr": 1.0, "steps": 100},
        ...             "steps": 100, "batch_size": 50, "eval_every": 10},
        ...     space={"peak_lr": LogUniform(1e-3, 1.0)}, trials=20,
        ... )
        >>> plan.recipe_of({"peak_lr": 0.25}).schedule.peak_lr, plan.evaluations
        (0.25, 10)
        >>> Plan.from_dict(plan.to_dict()) == plan
        True
    """

    task: Task
    recipe: Recipe

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", _task(self.task))
        object.__setattr__(self, "recipe", _recipe(self.recipe))
        super().__post_init__()
        if fixed := [name for name in self.space if name in _FIXED]:
            raise ValueError(f"the space can't hold {fixed[0]!r}")
        every = self.recipe.eval_every
        if every == 0:
            raise ValueError("eval_every is 0, so there is no metric to look at")
        if self.recipe.steps > _LONGEST:
            raise ValueError(f"steps must be at most {_LONGEST}, got steps={self.recipe.steps}")
        if self.evaluations > _OFTEN:
            raise ValueError(f"a run has at most {_OFTEN} evaluations, got eval_every={every}")

    @property
    def evaluations(self) -> int:
        """How often the metric of a complete run is looked at, the start not counted."""
        return -(-self.recipe.steps // (self.recipe.eval_every or self.recipe.steps))

    def step_of(self, evaluation: int) -> int:
        """Return the number of updates done at an evaluation, which are counted from 1."""
        return min(evaluation * (self.recipe.eval_every or self.recipe.steps), self.recipe.steps)

    def recipe_of(self, params: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a trial.

        Raises:
            ValueError: if a name is no path into the recipe, or a value makes no sense there.
        """
        changes = _paths.changes(self.recipe, {n: v for n, v in params.items() if n != PEAK})
        if PEAK in params:
            schedule = changes.get("schedule", self.recipe.schedule)
            if not callable(schedule):
                raise ValueError(f"{PEAK} scales a schedule, and the recipe has a controller")
            changes["schedule"] = schedule.scale(params[PEAK])
        try:
            return self.recipe.replace(**changes)
        except TypeError as error:
            raise ValueError(f"recipe: {error}") from None

    def check(self, *, metric: bool = True) -> None:
        """Build recipes from all over the space, and evaluate the task once.

        A value that makes no sense whatever the others are is refused; a combination that makes
        none is the outcome of its trial.

        Args:
            metric: whether the runs must have the metric.

        Raises:
            ValueError: if something can't be built or trained, or no run of this task has the
                metric.
        """
        from lrlab.training.loop import train

        tried = {n: list((self.grid or {}).get(n, s.some())) for n, s in self.space.items()}
        chance = random.Random(0)
        others: list[dict[str, Any]] = [{}]
        for _ in range(_COMBINATIONS):
            others.append({name: chance.choice(values) for name, values in tried.items()})
        recipes = [self._some(others, {n: v}) for n, values in tried.items() for v in values]
        try:
            seen = train(self.task, max(recipes, key=lambda r: r.batch_size), until=0).evals
        except (TypeError, MemoryError, OverflowError, RuntimeError) as error:
            raise ValueError(f"the task can't be trained: {error}") from None
        if metric and self.metric not in seen:
            known = ", ".join(name for name in seen if name != "step")
            raise ValueError(f"no metric {self.metric!r}; there are {known}")

    def _some(self, others: list[dict[str, Any]], value: dict[str, Any]) -> Recipe:
        first: ValueError | None = None
        for other in others:
            try:
                return self.recipe_of(other | value)
            except ValueError as error:
                first = first or error
        raise first or ValueError("nothing to try")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        return super().to_dict() | {"task": self.task.to_dict(), "recipe": self.recipe.to_dict()}


def _task(given: Any) -> Task:
    from lrlab import tasks

    if isinstance(given, Task):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"task must be a mapping, got {given!r}")
    if not isinstance(given.get("task"), str):
        raise ValueError(f"the task has no name; task: is one of {', '.join(tasks.names())}")
    try:
        return tasks.from_dict(dict(given))
    except (TypeError, AttributeError) as error:
        raise ValueError(f"task: {error}") from None


def _recipe(given: Any) -> Recipe:
    if isinstance(given, Recipe):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"recipe must be a mapping, got {given!r}")
    data = {"optimizer": {"optimizer": "SGD"}} | dict(given)
    for name in ("schedule", "optimizer"):
        if not isinstance(data.get(name, {}), Mapping):
            raise ValueError(f"{name} must be a mapping, got {data[name]!r}")
    for name in ("schedule", "steps", "batch_size"):
        if data.get(name) is None:
            raise ValueError(f"the recipe has no {name}")
    try:
        return Recipe.from_dict(data)
    except (TypeError, AttributeError, KeyError, OverflowError) as error:
        raise ValueError(f"recipe: {error}") from None
