"""A task with one planted mistake, for tests of what recognises mistakes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lrlab.tasks import digits_diffusion, mnist, mnist1d, names_lm
from lrlab.tasks.base import Batch, Batches, Splits, Task

# Imported here, not by name, so that the key of a stored run holds the source of its base.
BASES = tuple(module.task.name for module in (mnist1d, mnist, names_lm, digits_diffusion))
"""Names of the tasks in which a mistake can be planted."""
MISTAKES = (
    "labels shuffled",
    "softmax before cross-entropy",
    "dead initialisation",
    "zero initialisation",
    "frozen layer",
    "summed loss",
    "inputs not normalised",
    "data not shuffled",
    "last bias wrong",
)
_SHUFFLE_SEED = 7  # of the labels; not a run's seed
_SUNK = -50.0  # added to hidden biases, so that no ReLU is ever active
_RAW = (100.0, 50.0)  # inputs are multiplied by the first, and the second is added
_BIAS = 8.0  # added to the first bias of the last layer


@dataclasses.dataclass(frozen=True)
class FaultyTask(Task):
    """Another task with one mistake in its data, model or loss; evaluation is the other's own.

    - ``"labels shuffled"``: the labels of the training part are permuted, in one fixed order;
    - ``"softmax before cross-entropy"``: the loss takes probabilities for logits;
    - ``"dead initialisation"``: hidden biases are 50 lower, so that no ReLU lets anything through;
    - ``"zero initialisation"``: every parameter starts at zero;
    - ``"frozen layer"``: the first layer needs no gradient;
    - ``"summed loss"``: the loss is summed over the batch, not averaged;
    - ``"inputs not normalised"``: inputs are 100 x + 50;
    - ``"data not shuffled"``: training examples come in the order of their labels;
    - ``"last bias wrong"``: the last layer's first bias starts 8 too high.

    Args:
        mistake: one of `MISTAKES`.
        base: name of the other task, one of `BASES`.
        fields: its fields, as pairs (name, value).

    Raises:
        ValueError: if there is no such mistake or task, or the task has no such field.

    Example:
        >>> FaultyTask("frozen layer", "mnist1d").model()[0].weight.requires_grad
        False
    """

    mistake: str
    base: str = "mnist1d"
    fields: tuple[tuple[str, Any], ...] = ()

    name: ClassVar[str] = "mistaken"

    def __post_init__(self) -> None:
        if self.mistake not in MISTAKES:
            raise ValueError(f"mistake must be one of {MISTAKES}, got mistake={self.mistake!r}")
        if self.base not in BASES:
            raise ValueError(f"base must be one of {BASES}, got base={self.base!r}")
        object.__setattr__(self, "fields", tuple((str(k), v) for k, v in self.fields))
        _ = self.right

    @functools.cached_property
    def right(self) -> Task:
        """The task without the mistake."""
        from lrlab import tasks

        return tasks.get(self.base, **dict(self.fields))

    @property
    def chance_loss(self) -> float | None:
        """The loss of guessing in the task without the mistake."""
        return self.right.chance_loss

    @property
    def chance(self) -> dict[str, float]:
        """What guessing scores in the task without the mistake."""
        return self.right.chance

    def data(self) -> Splits:
        """Return the other's data, with the mistake if it is one of the data."""
        return _data(self)

    def model(self) -> nn.Module:
        """Return the other's model, with the mistake if it is one of the model."""
        model = self.right.model()
        named = list(model.named_parameters())
        first = named[0][0].rpartition(".")[0]
        biases = [p for name, p in named if name.endswith("bias")]
        with torch.no_grad():
            if self.mistake == "dead initialisation":
                for bias in biases[:-1]:
                    bias += _SUNK
            elif self.mistake == "zero initialisation":
                for _, parameter in named:
                    parameter.zero_()
            elif self.mistake == "last bias wrong":
                biases[-1][0] += _BIAS
        if self.mistake == "frozen layer":
            for name, parameter in named:
                if name.rpartition(".")[0] == first:
                    parameter.requires_grad_(False)
        return model

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the other's loss, with the mistake if it is one of the loss."""
        if self.mistake == "softmax before cross-entropy":
            return self.right.loss(lambda *x: model(*x).softmax(-1), batch, noise)
        loss = self.right.loss(model, batch, noise)
        return loss * len(batch[0]) if self.mistake == "summed loss" else loss

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the other's metrics."""
        return self.right.evaluate(model, part, noise)

    def batches(self, batch_size: int, order: torch.Generator) -> Batches:
        """Return the endless sequence of training batches."""
        if self.mistake == "data not shuffled":
            return InOrder(self.data().train, batch_size, order)
        return super().batches(batch_size, order)


class InOrder(Batches):
    """Batches in the order of the data, the same in every epoch.

    Args:
        data: tensors with n examples each.
        batch_size: examples in a batch, at most n.
        order: not used.

    Example:
        >>> batches = InOrder((torch.arange(5),), 3, torch.Generator())
        >>> next(batches)[0].tolist(), next(batches)[0].tolist()
        ([0, 1, 2], [3, 4, 0])
    """

    def __init__(self, data: Batch, batch_size: int, order: torch.Generator) -> None:
        super().__init__(data, batch_size, order)
        self._indices = torch.arange(self._n)

    def __next__(self) -> Batch:
        indices = (self._cursor + torch.arange(self._size)) % self._n
        self._cursor = (self._cursor + self._size) % self._n
        return tuple(part[indices] for part in self._data)


task = FaultyTask


@functools.lru_cache(maxsize=16)
def _data(task: FaultyTask) -> Splits:
    whole = task.right.data()
    if task.mistake == "labels shuffled":
        *inputs, labels = whole.train
        stream = torch.Generator().manual_seed(_SHUFFLE_SEED)
        return dataclasses.replace(
            whole, train=(*inputs, labels[torch.randperm(len(labels), generator=stream)])
        )
    if task.mistake == "inputs not normalised":
        factor, shift = _RAW
        parts = (whole.train, whole.validation, whole.test)
        return Splits(*((factor * part[0] + shift, *part[1:]) for part in parts))
    if task.mistake == "data not shuffled":
        last = whole.train[-1].reshape(len(whole.train[-1]), -1)[:, 0]
        order = last.argsort(stable=True)
        return dataclasses.replace(whole, train=tuple(part[order] for part in whole.train))
    return whole
