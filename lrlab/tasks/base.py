"""What a task is: data in three parts, a model, a loss, and metrics."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lrlab.checks import Checked

Batch = tuple[Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Splits:
    """Data in three parts that share no example.

    Each part is a tuple of tensors whose first dimension counts examples.

    Args:
        train: what is trained on.
        validation: what hyperparameters are chosen on.
        test: what is reported.

    Example:
        >>> parts = [(torch.zeros(n, 2), torch.zeros(n)) for n in (8, 4, 4)]
        >>> len(Splits(*parts).validation[0])
        4
    """

    train: Batch
    validation: Batch
    test: Batch

    def sizes(self) -> dict[str, int]:
        """Return the number of examples of each part."""
        return {name: len(getattr(self, name)[0]) for name in ("train", "validation", "test")}


class Batches:
    """An endless sequence of batches: permutations of the training part, one after the other.

    Every batch is full; one that meets the end of a permutation goes on in the next. Its whole
    state is (generator, permutation, cursor), so that it can be saved and continued exactly.

    Args:
        data: tensors with n examples each.
        batch_size: examples in a batch, at most n.
        order: the generator of the permutations; owned by this object from now on.

    Raises:
        ValueError: if batch_size is not in [1, n].

    Example:
        >>> batches = Batches((torch.arange(4),), 3, torch.Generator().manual_seed(0))
        >>> next(batches)[0].shape, next(batches)[0].shape
        (torch.Size([3]), torch.Size([3]))
    """

    def __init__(self, data: Batch, batch_size: int, order: torch.Generator) -> None:
        n = len(data[0])
        if not 1 <= batch_size <= n:
            raise ValueError(f"batch_size must be in [1, {n}], got batch_size={batch_size}")
        self._data, self._size, self._order, self._n = data, batch_size, order, n
        self._indices = torch.randperm(n, generator=order)
        self._cursor = 0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        start, stop = self._cursor, self._cursor + self._size
        if stop > len(self._indices):
            permutation = torch.randperm(self._n, generator=self._order)
            self._indices = torch.cat([self._indices[start:], permutation])
            start, stop = 0, self._size
        self._cursor = stop
        indices = self._indices[start:stop]
        return tuple(part[indices] for part in self._data)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that decides which batches come next."""
        return {
            "indices": self._indices,
            "cursor": self._cursor,
            "order": self._order.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the other sequence was when `state_dict` was called."""
        self._indices, self._cursor = state["indices"], state["cursor"]
        self._order.set_state(state["order"])


@dataclasses.dataclass(frozen=True)
class Task(Checked):
    """Base of all tasks: a frozen value whose fields say which data and which model.

    A subclass sets `name` and writes `data`, `model` and `loss`. The fields must be JSON-able.

    Example:
        >>> from lrlab import tasks
        >>> task = tasks.get("mnist", n_train=100)
        >>> task.data().train[0].shape[0], task.to_dict()["n_train"]
        (100, 100)
    """

    name: ClassVar[str]
    classes: ClassVar[int | None] = None
    """Number of classes, for tasks that classify."""
    live: ClassVar[bool] = False
    """Whether it brings its own model, optimizer and loader, which its fields don't describe."""
    serial: ClassVar[bool] = False
    """Whether its runs must follow each other in one process."""

    def data(self) -> Splits:
        """Return the three parts of the data; the same objects at every call."""
        raise NotImplementedError

    def model(self) -> nn.Module:
        """Return a freshly initialised model, drawn from torch's global generator.

        The training loop seeds that generator beforehand and restores it afterwards.
        """
        raise NotImplementedError

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean loss of a batch, a scalar with a graph.

        Args:
            model: the model.
            batch: tensors with B examples each.
            noise: a generator for losses that need random numbers.
        """
        raise NotImplementedError

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean of each metric over a part of the data; ``loss`` is always one of them.

        Called without gradients and with the model in evaluation mode.
        """
        return {"loss": self.loss(model, part, noise).item()}

    def batches(self, batch_size: int, order: torch.Generator) -> Batches:
        """Return the endless sequence of training batches."""
        return Batches(self.data().train, batch_size, order)

    def kept(self) -> contextlib.AbstractContextManager[None]:
        """Return what surrounds a run, and puts back what the run may use in place."""
        return contextlib.nullcontext()

    @property
    def chance_loss(self) -> float | None:
        """The loss of guessing, ln(classes), in nats; None where there is no such number."""
        return math.log(self.classes) if self.classes else None

    @property
    def chance(self) -> dict[str, float]:
        """What guessing scores, by metric: what a run that diverged counts as.

        Example:
            >>> from lrlab import tasks
            >>> tasks.get("mnist").chance["accuracy"]
            0.1
        """
        accuracy = 1 / self.classes if self.classes else None
        known = {"loss": self.chance_loss, "accuracy": accuracy}
        return {metric: value for metric, value in known.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `lrlab.tasks.from_dict` reads."""
        return {"task": self.name} | dataclasses.asdict(self)


def classification_metrics(model: nn.Module, part: Batch, chunk: int = 1000) -> dict[str, float]:
    """Return mean cross-entropy (nats) and accuracy of a classifier on a part of the data.

    Args:
        model: maps inputs (B, …) to logits (B, classes).
        part: inputs (n, …) and integer labels (n,).
        chunk: examples evaluated at a time.

    Returns:
        ``"loss"`` and ``"accuracy"``.

    Example:
        >>> inputs, labels = torch.eye(4), torch.arange(4)
        >>> found = classification_metrics(torch.nn.Identity(), (inputs, labels))
        >>> round(found["loss"], 4), found["accuracy"]
        (0.7437, 1.0)
    """
    inputs, labels = part
    loss, correct = 0.0, 0
    for start in range(0, len(labels), chunk):
        x, y = inputs[start : start + chunk], labels[start : start + chunk]
        logits = model(x)
        loss += nn.functional.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(1) == y).sum().item()
    return {"loss": loss / len(labels), "accuracy": correct / len(labels)}
