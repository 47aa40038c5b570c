"""MNIST-1D exactly as its authors train on it, for the numbers that they published."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.randomness import fork_rng
from lrlab.tasks.base import Batch, Batches, Splits, Task, classification_metrics
from lrlab.tasks.mnist1d import Gru, Mnist1D, cnn, logistic


class ResidualPerceptron(nn.Module):
    """The perceptron of the dataset's authors: (B, 40) → (B, 10).

    h = relu(W₁ x), then h + relu(W₂ h), then W₃: the sizes of `lrlab.tasks.mnist1d.mlp`, and a
    path around the second layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(40, 100), nn.Linear(100, 100)
        self.linear3 = nn.Linear(100, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        h = self.linear1(x).relu()
        return self.linear3(h + self.linear2(h).relu())


class InOrder(Batches):
    """The training part from first to last, again and again, never shuffled.

    Args:
        data: tensors with n examples each.
        batch_size: examples in a batch, a divisor of n.
        order: not used; the order is always the same.

    Raises:
        ValueError: if batch_size doesn't divide n.

    Example:
        >>> batches = InOrder((torch.arange(4),), 2, torch.Generator())
        >>> [next(batches)[0].tolist() for _ in range(3)]
        [[0, 1], [2, 3], [0, 1]]
    """

    def __init__(self, data: Batch, batch_size: int, order: torch.Generator) -> None:
        super().__init__(data, batch_size, order)
        if len(data[0]) % batch_size:
            raise ValueError(f"batch_size must divide {len(data[0])}, got batch_size={batch_size}")
        self._indices = torch.arange(len(data[0]))

    def __next__(self) -> Batch:
        start = self._cursor % self._n
        self._cursor = start + self._size
        return tuple(part[start : self._cursor] for part in self._data)


_ARCHITECTURES = {"logistic": logistic, "mlp": ResidualPerceptron, "cnn": cnn, "gru": Gru}


@dataclasses.dataclass(frozen=True)
class PublishedMnist1D(Task):
    """MNIST-1D with all 4,000 training signals, in the order in which they come.

    The test part is that of `lrlab.tasks.mnist1d`. Nothing is tuned on this task; its validation
    part is made by the `mnist1d` package from another seed.

    Args:
        architecture: ``"logistic"``, ``"mlp"`` (`ResidualPerceptron`), ``"cnn"`` or ``"gru"``.
        shuffled: whether the 40 points of all signals are permuted, as the authors permute them.

    Raises:
        ValueError: if there is no such architecture.

    Example:
        >>> PublishedMnist1D().data().sizes()
        {'train': 4000, 'validation': 500, 'test': 1000}

    Source:
        Greydanus and Kobak (2024), the notebook `mnist1d-classification`.
    """

    architecture: Literal["logistic", "mlp", "cnn", "gru"] = "mlp"
    shuffled: bool = False

    name: ClassVar[str] = "mnist1d_published"
    classes: ClassVar[int] = 10

    def __post_init__(self) -> None:
        if self.architecture not in _ARCHITECTURES:
            known = ", ".join(map(repr, _ARCHITECTURES))
            raise ValueError(f"architecture must be one of {known}, got {self.architecture!r}")

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        return _dataset(self.shuffled)

    def model(self) -> nn.Module:
        """Return the network with torch's default initialisation."""
        return _ARCHITECTURES[self.architecture]()

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean cross-entropy in nats and the accuracy."""
        return classification_metrics(model, part)

    def batches(self, batch_size: int, order: torch.Generator) -> Batches:
        """Return the training part in batches, in its own order; `order` has no effect."""
        return InOrder(self.data().train, batch_size, order)


task = PublishedMnist1D


@functools.cache
def _dataset(shuffled: bool) -> Splits:
    from mnist1d.data import get_dataset_args, make_dataset

    args = get_dataset_args()
    args.seed, args.num_samples = args.seed + 1, 630  # four fifths are its training part
    with fork_rng():  # the package seeds the global generators
        other = make_dataset(args)
    fresh = torch.from_numpy(other["x"][:500]).float(), torch.from_numpy(other["y"][:500]).long()
    whole = Mnist1D().data()
    order = np.random.RandomState(42).permutation(40) if shuffled else np.arange(40)
    parts = {
        "train": tuple(torch.cat(pair) for pair in zip(whole.train, whole.validation, strict=True)),
        "validation": fresh,
        "test": whole.test,
    }
    return Splits(**{name: (x[:, order].contiguous(), y) for name, (x, y) in parts.items()})
