"""What is examined: fresh copies of model and optimizer, a pool of batches, one update."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.randomness import generator, stream_seed
from lrlab.recipe import Recipe
from lrlab.tasks.base import Batch, Task
from lrlab.tasks.batches import apart, mapped, tensors_in
from lrlab.training.state import TrainingState, in_evaluation

UserStep = Callable[[nn.Module, torch.optim.Optimizer, Batch], Any]


class Subject:
    """A task and its recipe, of which every check takes fresh copies with the same start.

    Args:
        task: data, model and loss.
        recipe: how it is trained; a schedule, not a controller.
        step: one update of the user's own loop; None: that of `lrlab.train`.
        seed: of the first weights, the order of the data and the noise.
        pool: batches that are drawn at most.

    Raises:
        ValueError: if the recipe's rate is not a schedule's, or a batch holds no example.
    """

    def __init__(
        self, task: Task, recipe: Recipe, step: UserStep | None, seed: int, pool: int
    ) -> None:
        if not callable(recipe.schedule):
            raise ValueError("a checkup needs a schedule; a controller has no rate beforehand")
        self.task, self.recipe = task, recipe.replace(seed=seed)
        self.own_step, self.seed = step, seed
        steps = np.unique(np.linspace(0, recipe.steps - 1, 1000).astype(int))
        self.rate = float(np.max(recipe.schedule(steps)))
        """The recipe's highest rate."""
        state = self.state()
        whole = None if task.live else len(task.data().train[0]) // recipe.batch_size
        epoch = state.batches.epoch if task.live else whole
        drawn = [apart(next(state.batches)) for _ in range(min(pool, max(1, epoch or pool)))]
        self.batches = [b for b in drawn if size(b) == size(drawn[0])]
        """Batches of the first epoch, all of one size."""
        self.paired = all(_is_paired(batch) for batch in self.batches)
        """Whether each batch is a tuple of tensors with a row for each example, the target last."""
        self.spread = 0.0
        """Standard deviation of the first loss from batch to batch, once it was looked at."""
        self.parts = not task.live or self._takes_a_part(drawn[0])
        """Whether a part of a batch's examples can be had, cut from its tensors."""
        shapes = {_shapes(batch) for batch in self.batches} if self.paired and self.parts else ()
        self.alike = len(shapes) == 1
        """Whether the batches can be joined besides: they are not padded to their own lengths."""

    def state(self) -> TrainingState:
        """Return a fresh model, optimizer and data position, always the same."""
        return TrainingState(self.task, self.recipe, ())

    def _takes_a_part(self, batch: Any) -> bool:
        model = self.state().model
        try:
            with torch.no_grad(), in_evaluation(model):
                self.loss(model, part_of(batch, slice(0, max(1, size(batch) - 1))))
        except Exception:  # whatever a model raises on part of a batch that belongs together
            return False
        return True

    def noise(self, stream: str = "checkup") -> torch.Generator:
        """Return a generator that starts in the same state at every call."""
        return generator(self.seed, stream)

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator | None = None) -> Tensor:
        """Return the loss of a batch; layers that draw random numbers draw the same ones."""
        if noise is None:
            noise = self.noise()
            torch.manual_seed(stream_seed(self.seed, "checkup"))
        return self.task.loss(model, apart(batch), noise)

    @torch.no_grad()
    def outputs(self, model: nn.Module, batch: Batch) -> Tensor | None:
        """Return what the model puts out inside of the loss; None if that is no tensor."""
        seen: list[Any] = []
        handle = model.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            self.loss(model, batch)
        finally:
            handle.remove()
        return seen[-1] if seen and isinstance(seen[-1], Tensor) else None

    @torch.no_grad()
    def loss_of(self, model: nn.Module, batch: Batch, outputs: Tensor) -> float:
        """Return what the loss would be if the model put out something else."""
        model.forward = lambda *_args, **_kwargs: outputs  # in place of the class's: not computed
        try:
            return self.loss(model, batch).item()
        except RuntimeError as error:
            if "grad" not in str(error):
                raise
            return math.nan  # a loss that takes gradients of outputs
        finally:
            del model.forward

    def update(
        self, state: TrainingState, batch: Batch, rate: float, noise: torch.Generator
    ) -> float:
        """Do one update as the training does it and return the loss before it."""
        for group, ratio in zip(state.optimizer.param_groups, state.ratios, strict=True):
            group["lr"] = rate * ratio
        if self.own_step is not None:
            loss: Any = self.own_step(state.model, state.optimizer, apart(batch))
            if loss is None:
                raise ValueError("step must return its loss, got None")
            return float(loss)

        def gradients() -> Tensor:
            state.optimizer.zero_grad()
            loss = self.loss(state.model, batch, noise)
            loss.backward()
            if self.recipe.clip_norm is not None:
                nn.utils.clip_grad_norm_(state.parameters, self.recipe.clip_norm)
            return loss

        loss = gradients()
        state.update(gradients)
        return loss.item()


def size(batch: Any) -> int:
    """Return the number of examples in a batch: the rows of its first tensor; 1 without one."""
    first = next(tensors_in(batch), None)
    return 1 if first is None or first.ndim == 0 else len(first)


def part_of(batch: Any, rows: slice | Tensor) -> Any:
    """Return some examples of a batch: of tensors and lists with one row for each example."""
    n = size(batch)

    def cut(part: Any) -> Any:
        whole = isinstance(part, Tensor) and part.ndim > 0 and len(part) == n
        return part[rows] if whole else part

    return mapped(batch, cut)


def _is_paired(batch: Any) -> bool:
    if not isinstance(batch, tuple | list):
        return False
    usual = [p for p in batch if isinstance(p, Tensor) and p.ndim and p.layout is torch.strided]
    return len(usual) == len(batch) > 0 and len({len(p) for p in usual}) == 1 and len(usual[0]) > 0


def _shapes(batch: Batch) -> tuple[torch.Size, ...]:
    return tuple(part.shape[1:] for part in batch)


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of all parameters by name."""
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def dense(model: nn.Module) -> nn.Module:
    """Let embeddings have dense gradients, which Adam needs."""
    for module in model.modules():
        if getattr(module, "sparse", False) is True:
            vars(module)["sparse"] = False
    return model


def calm(model: nn.Module) -> nn.Module:
    """Put dropout into evaluation mode."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    return model


def examples(batches: list[Batch]) -> Batch:
    """Join batches of equal shapes into one."""
    return like(batches[0], [torch.cat(parts) for parts in zip(*batches, strict=True)])


def like(batch: Batch, parts: Sequence[Tensor]) -> Batch:
    """Return the parts of a batch as a tuple, with its names where it has some."""
    return batch._make(parts) if hasattr(batch, "_make") else tuple(parts)


def classes_of(outputs: Tensor | None, batch: Batch) -> int | None:
    """Return the number of classes if outputs are (B, C) and the last of the batch is labels.

    Example:
        >>> classes_of(torch.zeros(2, 5), (torch.zeros(2, 3), torch.tensor([0, 4])))
        5
    """
    target = batch[-1]
    if outputs is None:
        return None
    rows = outputs.ndim == 2 and outputs.shape[1] > 1 and len(batch) > 1 and target.ndim == 1
    fits = rows and not target.is_floating_point() and int(target.max()) < outputs.shape[1]
    return outputs.shape[1] if fits else None


def softmax_floor(classes: int) -> float:
    r"""Return the least cross-entropy that probabilities taken for logits can reach.

    $$-\ln\frac{e}{e + C - 1} = \ln(e + C - 1) - 1$$

    Args:
        classes: number of classes C, at least 2.

    Example:
        >>> round(softmax_floor(10), 4)
        1.4612
    """
    return math.log(math.e + classes - 1) - 1
