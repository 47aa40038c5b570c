"""The gradient noise scale: how many examples it takes until a gradient is mostly signal."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from lrlab.randomness import generator
from lrlab.tasks.base import Batch, Task
from lrlab.training.probes import Probe, StepContext, Value

_CHUNK = 250  # examples whose gradients are held at a time


def noise_scale(task: Task, model: nn.Module, batch: Batch) -> tuple[float, float]:
    r"""Return the variance of the gradients of single examples and the square of their mean.

    $$\operatorname{tr} \Sigma = \frac{1}{n-1} \sum_i \|g_i - \bar g\|^2, \qquad
    |G|^2 = \|\bar g\|^2 - \operatorname{tr} \Sigma / n,$$

    both without bias. Their ratio is the simple noise scale: at a batch of that size the noise of
    the gradient is as large as the gradient.

    Args:
        task: whose loss is a mean over examples.
        model: the model, which is left as it is.
        batch: n ≥ 2 examples.

    Returns:
        tr Σ and |G|²; the latter can come out negative where the gradient drowns in noise.

    Raises:
        ValueError: if there are fewer than two examples.

    Source:
        McCandlish et al. (2018), section 2.2 and appendix A.

    Example:
        >>> from lrlab import tasks
        >>> task = tasks.get("mnist1d")
        >>> with torch.random.fork_rng():
        ...     model = task.model()
        >>> variance, square = noise_scale(task, model, tuple(x[:64] for x in task.data().train))
        >>> variance > square
        True
    """
    n = len(batch[0])
    if n < 2:
        raise ValueError(f"need at least two examples, got {n}")
    parameters = {k: p.detach() for k, p in model.named_parameters() if p.requires_grad}
    noise = generator(0, "noise scale")

    def loss(weights: dict[str, Tensor], example: Batch) -> Tensor:
        def called(*inputs: Tensor) -> Tensor:
            return functional_call(model, weights, inputs)

        return task.loss(called, tuple(part[None] for part in example), noise)

    gradients = vmap(grad(loss), in_dims=(None, 0))
    total = {k: torch.zeros_like(p) for k, p in parameters.items()}
    squares = 0.0
    for start in range(0, n, _CHUNK):
        for k, g in gradients(parameters, tuple(p[start : start + _CHUNK] for p in batch)).items():
            total[k] += g.sum(0)
            squares += g.square().sum().item()
    mean_square = sum((t / n).square().sum().item() for t in total.values())
    variance = (squares - n * mean_square) / (n - 1)
    return variance, mean_square - variance / n


@dataclasses.dataclass(frozen=True)
class NoiseScale(Probe):
    """``variance`` (tr Σ) and ``square`` (|G|²) of `noise_scale` on the first training examples.

    To average over time, average both and divide: the ratio itself has no mean worth having.

    Args:
        every: updates between two measurements; step 0 is measured too.
        examples: how many of the training part, or all if it has fewer.

    Raises:
        ValueError: if there are fewer than two examples.

    Example:
        >>> NoiseScale(every=20).to_dict()
        {'probe': 'NoiseScale', 'every': 20, 'examples': 1000}
    """

    examples: int = 1000

    at_start: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.examples < 2:
            raise ValueError(f"examples must be at least 2, got examples={self.examples}")

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return both numbers."""
        batch = tuple(part[: self.examples] for part in context.task.data().train)
        variance, square = noise_scale(context.task, context.model, batch)
        return {"variance": variance, "square": square}
