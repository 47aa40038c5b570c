"""Mistakes that people make, planted on purpose: in a task, in an optimizer, in the rate."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch

from lrlab.experiments.faulty_task import MISTAKES as OF_TASKS
from lrlab.experiments.faulty_task import FaultyTask
from lrlab.optimizers import SGD, Adam, AdamW
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task

MISTAKES = (*OF_TASKS, "no zero_grad", "rate 100 times too high", "rate 100 times too low")
"""Names of all mistakes."""

_CLASSIFIERS = ("mnist", "mnist1d")
_RELU = ("mnist", "mnist1d")


class _Keeping:
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Keep the gradients, so that those of all batches add up."""


class _KeepingSGD(_Keeping, torch.optim.SGD):
    pass


class _KeepingAdam(_Keeping, torch.optim.Adam):
    pass


class _KeepingAdamW(_Keeping, torch.optim.AdamW):
    pass


@dataclasses.dataclass(frozen=True)
class ForgetfulSGD(SGD):
    """SGD in a loop that forgets `zero_grad`: it goes along the sum of all gradients so far."""

    _torch: ClassVar = _KeepingSGD


@dataclasses.dataclass(frozen=True)
class ForgetfulAdam(Adam):
    """Adam in a loop that forgets `zero_grad`: it sees the sum of all gradients so far."""

    _torch: ClassVar = _KeepingAdam


@dataclasses.dataclass(frozen=True)
class ForgetfulAdamW(AdamW):
    """AdamW in a loop that forgets `zero_grad`: it sees the sum of all gradients so far."""

    _torch: ClassVar = _KeepingAdamW


_FORGETFUL: dict[type, Any] = {SGD: ForgetfulSGD, Adam: ForgetfulAdam, AdamW: ForgetfulAdamW}


def fits(mistake: str, task: Task) -> bool:
    """Return whether a mistake can be made in a task of the laboratory.

    Shuffled labels, raw inputs and an order by label need labels and real inputs; a softmax needs
    cross-entropy; a dead ReLU needs ReLUs; a wrong last bias needs a bias.

    Args:
        mistake: one of `MISTAKES`.
        task: the task without it.

    Raises:
        ValueError: if there is no such mistake.

    Example:
        >>> from lrlab import tasks
        >>> fits("labels shuffled", tasks.get("names_lm")), fits("no zero_grad", tasks.get("mnist"))
        (False, True)
    """
    _check(mistake)
    if mistake == "softmax before cross-entropy":
        return task.name == "names_lm" or (
            task.name in _CLASSIFIERS and getattr(task, "objective", "") != "squared"
        )
    if mistake == "dead initialisation":
        return task.name in _RELU and getattr(task, "architecture", "mlp") in ("mlp", "cnn")
    if mistake == "last bias wrong":
        return task.name != "names_lm"
    if mistake in ("labels shuffled", "inputs not normalised"):
        return task.name in _CLASSIFIERS
    if mistake == "frozen layer":
        return getattr(task, "architecture", "") != "logistic"
    return True


def inject_fault(mistake: str, task: Task, recipe: Recipe) -> tuple[Task, Recipe]:
    """Return a task and a recipe with one mistake in them.

    Args:
        mistake: one of `MISTAKES`.
        task: a task of the laboratory, without mistakes.
        recipe: a recipe that suits it.

    Raises:
        ValueError: if there is no such mistake, or it can't be made in this task.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=10, batch_size=8)
        >>> inject_fault("rate 100 times too low", tasks.get("mnist"), recipe)[1].schedule(0)
        0.001
    """
    if not fits(mistake, task):
        raise ValueError(f"{mistake!r} can't be planted in the task {task.name!r}")
    if mistake == "no zero_grad":
        kind, values = type(recipe.optimizer), dataclasses.asdict(recipe.optimizer)
        return task, recipe.replace(optimizer=_FORGETFUL[kind](**values))
    if mistake.startswith("rate"):
        factor = 100.0 if mistake.endswith("high") else 0.01
        return task, recipe.replace(schedule=recipe.schedule.scale(factor))
    fields = {f.name: getattr(task, f.name) for f in dataclasses.fields(task)}
    return FaultyTask(mistake, task.name, tuple(fields.items())), recipe


def _check(mistake: str) -> None:
    if mistake not in MISTAKES:
        raise ValueError(f"mistake must be one of {', '.join(MISTAKES)}, got {mistake!r}")
