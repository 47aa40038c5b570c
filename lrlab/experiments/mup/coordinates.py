"""The coordinate check: how far training moves what each layer puts out, as width grows."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from lrlab.randomness import fork_rng
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training.loop import train


def coordinate_change(
    task: Task, recipe: Recipe, updates: int, examples: int = 500
) -> dict[str, float]:
    r"""Return how far some updates move a coordinate of each layer's output.

    $$\sqrt{\operatorname{mean}_{i,j}\,\big(x_t - x_0\big)_{ij}^2}$$

    over examples i and units j, where x is what a layer puts out before its nonlinearity, at the
    start and after t updates.

    Args:
        task: a task whose model has a method `preactivations`, which returns tensors
            (examples, units) by layer, as `lrlab.experiments.mup.width_task` has.
        recipe: how it is trained; its number of steps does not matter.
        updates: number of updates t, positive.
        examples: number of training examples that are looked at.

    Returns:
        The change by layer, in the unit of the layer's output; not finite where training diverged.

    Raises:
        ValueError: if `updates` is not positive.

    Source:
        Yang et al. (2022), arXiv:2203.03466, figure 5 and appendix D.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=3, batch_size=8)
        >>> from lrlab.experiments.mup.width_task import Mnist1DWidth
        >>> found = coordinate_change(Mnist1DWidth(), recipe, updates=2)
        >>> list(found)
        ['input', 'hidden', 'output']
    """
    if updates < 1:
        raise ValueError(f"updates must be positive, got updates={updates}")
    recipe = recipe.replace(steps=updates + 1, eval_every=0)  # one more: it stops to be looked at
    inputs = task.data().train[0][:examples]
    before, after = (_preactivations(task, recipe, until, inputs) for until in (0, updates))
    return {
        name: (after[name] - before[name]).square().mean().sqrt().item() if after else np.nan
        for name in before
    }


def width_exponent(widths: ArrayLike, values: ArrayLike) -> float:
    """Return the power of the width that a positive quantity grows with, by least squares.

    Args:
        widths: at least two different widths, shape (n,).
        values: the quantity at each of them, shape (n,).

    Raises:
        ValueError: if widths are equal or anything is not positive and finite.

    Example:
        >>> round(width_exponent([32, 64, 128], [3.0, 6.0, 12.0]), 12)
        1.0
    """
    x, y = np.asarray(widths, dtype=float), np.asarray(values, dtype=float)
    if x.shape != y.shape or np.unique(x).size < 2:
        raise ValueError(f"need two or more widths and as many values, got {x.shape}, {y.shape}")
    if not (np.isfinite(y).all() and (y > 0).all() and (x > 0).all()):
        raise ValueError(f"widths and values must be positive and finite, got {x}, {y}")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@torch.no_grad()
def _preactivations(task: Task, recipe: Recipe, until: int, inputs: Tensor) -> dict[str, Tensor]:
    with torch.enable_grad():
        run = train(task, recipe, until=until)
    if run.checkpoint is None:
        return {}
    with fork_rng():
        model: nn.Module = task.model()
    model.load_state_dict(run.checkpoint.state["model"])
    return model.preactivations(inputs)
