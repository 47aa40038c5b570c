"""What is measured while a run trains, besides loss, rate and gradient norm.

A probe is a frozen value. At every `every`-th update it is asked twice: `before` the update, when
the gradients are there, and `after` it. It looks and never touches.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from lrlab.checks import Checked
from lrlab.tasks.base import Batch, Task

Value = float | list[float]


@dataclasses.dataclass(frozen=True)
class StepContext:
    """What a probe may look at.

    Args:
        task: the task.
        model: the model, with gradients in `before`.
        optimizer: the torch optimizer.
        batch: the batch of this update; None at step 0.
        lr: the rate of this update.
        step: the number of updates done, including this one.
    """

    task: Task
    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: Batch | None
    lr: float
    step: int


@dataclasses.dataclass(frozen=True)
class Probe(Checked):
    """Base of all probes.

    Args:
        every: updates between two measurements, from the first update on.

    Raises:
        ValueError: if `every` is not a positive integer.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Rate(Probe):
        ...     def after(self, context, before):
        ...         return {"lr": context.lr}
        >>> from lrlab import schedules, tasks, train
        >>> from lrlab.recipe import Recipe
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> run = train(tasks.get("mnist", n_train=32), recipe, probes=[Rate()])
        >>> run.probes["Rate"]["lr"].tolist()
        [0.1, 0.1]
    """

    every: int = 1

    at_start: ClassVar[bool] = False
    """Whether `after` is also asked at step 0, before any update."""

    def __post_init__(self) -> None:
        self._check_int("every")

    @property
    def name(self) -> str:
        """The name under which a run keeps what was measured."""
        return type(self).__name__

    def before(self, context: StepContext) -> Any:
        """Look before the update, with gradients; what is returned is handed to `after`."""

    def after(self, context: StepContext, before: Any) -> dict[str, Value]:
        """Look after the update; return numbers, or lists of numbers of fixed length, by name."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict that identifies what is measured."""
        return {"probe": self.name} | dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class GradientNorm(Probe):
    """The 2-norm of each parameter's gradient, before clipping, by the parameter's name.

    Example:
        >>> GradientNorm(every=10).to_dict()
        {'probe': 'GradientNorm', 'every': 10}
    """

    def before(self, context: StepContext) -> dict[str, Value]:
        """Return the norms."""
        return {
            name: parameter.grad.norm().item()
            for name, parameter in context.model.named_parameters()
            if parameter.grad is not None
        }

    def after(self, context: StepContext, before: dict[str, Value]) -> dict[str, Value]:
        """Return what `before` measured."""
        return before


@dataclasses.dataclass(frozen=True)
class WeightQuantiles(Probe):
    """Quantiles of all parameters of the model taken together, signed and by magnitude.

    Args:
        every: updates between two measurements; step 0 is measured too.
        levels: levels p in [0, 1], rising; ``signed`` holds the p-quantiles of the weights w,
            ``magnitude`` those of |w|, each with as many columns as there are levels.

    Raises:
        ValueError: if a level is outside [0, 1] or the levels don't rise.

    Example:
        >>> WeightQuantiles(every=100, levels=(0.1, 0.5, 0.9)).levels
        (0.1, 0.5, 0.9)
    """

    levels: tuple[float, ...] = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)

    at_start: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", tuple(float(level) for level in self.levels))
        rising = all(a < b for a, b in zip(self.levels, self.levels[1:], strict=False))
        if not (self.levels and rising and self.levels[0] >= 0 and self.levels[-1] <= 1):
            raise ValueError(f"levels must rise within [0, 1], got levels={self.levels}")

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return the quantiles, linearly interpolated between neighbouring weights."""
        parts = [parameter.detach().flatten() for parameter in context.model.parameters()]
        weights = torch.cat(parts).numpy()
        return {
            "signed": np.quantile(weights, self.levels).tolist(),
            "magnitude": np.quantile(np.abs(weights), self.levels).tolist(),
        }


@dataclasses.dataclass(frozen=True)
class WeightNorms(Probe):
    """The 2-norm of each parameter by its name, and of all of them under ``"all"``.

    Args:
        every: updates between two measurements; step 0 is measured too.

    Example:
        >>> WeightNorms(every=50).to_dict()
        {'probe': 'WeightNorms', 'every': 50}
    """

    at_start: ClassVar[bool] = True

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return the norms."""
        return _norms(dict(context.model.named_parameters()))


@dataclasses.dataclass(frozen=True)
class UpdateRatio(Probe):
    """How large an update is: ‖Δw‖ / ‖w‖ for each parameter by its name, and ``"all"``.

    w are the weights before the update. A parameter that is zero gives infinity, or NaN where it
    stays zero.

    Args:
        every: updates between two measurements.

    Example:
        >>> UpdateRatio(every=20).name
        'UpdateRatio'
    """

    def before(self, context: StepContext) -> dict[str, torch.Tensor]:
        """Return a copy of the weights."""
        return {name: p.detach().clone() for name, p in context.model.named_parameters()}

    def after(self, context: StepContext, before: dict[str, torch.Tensor]) -> dict[str, Value]:
        """Return the ratios."""
        names, old = list(before), list(before.values())
        new = [parameter.detach() for parameter in context.model.parameters()]
        moved = dict(zip(names, torch._foreach_sub(new, old), strict=True))
        lengths, weights = _norms(moved), _norms(before)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {name: float(np.divide(lengths[name], weights[name])) for name in lengths}


@torch.no_grad()
def _norms(tensors: dict[str, torch.Tensor]) -> dict[str, Value]:
    """Return the 2-norm of each tensor, and under "all" that of all of them together."""
    norms = torch.stack(torch._foreach_norm(list(tensors.values())))
    return dict(zip(tensors, norms.tolist(), strict=True)) | {"all": norms.norm().item()}
