"""MNIST-1D (Greydanus and Kobak, 2024): digits as one-dimensional signals of 40 points."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from lrlab.randomness import preserved
from lrlab.tasks.base import Batch, Splits, Task, classification_metrics


def mlp() -> nn.Module:
    """Return the perceptron 40-100-100-10 of the dataset's authors: (B, 40) → (B, 10)."""
    return nn.Sequential(
        nn.Linear(40, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10)
    )


def cnn() -> nn.Module:
    """Return the convolutional network of the dataset's authors: (B, 40) → (B, 10)."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 40)),
        nn.Conv1d(1, 25, 5, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(25, 25, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(25, 25, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(125, 10),
    )


_ARCHITECTURES = {"mlp": mlp, "cnn": cnn}


@dataclasses.dataclass(frozen=True)
class Mnist1D(Task):
    """MNIST-1D, classified with cross-entropy (nats).

    The data are made by the `mnist1d` package from its own seed: 5,000 signals, the first 4,000 of
    which are parted into training and validation, the other 1,000 are the test part, as published.

    Args:
        n_train: training signals, at most 3,500; 500 more are for validation.
        architecture: ``"mlp"`` (15,210 weights) or ``"cnn"`` (5,210 weights).

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> Mnist1D().data().sizes()
        {'train': 3500, 'validation': 500, 'test': 1000}
    """

    n_train: int = 3500
    architecture: Literal["mlp", "cnn"] = "mlp"

    name: ClassVar[str] = "mnist1d"
    classes: ClassVar[int] = 10

    def __post_init__(self) -> None:
        if not 1 <= self.n_train <= 3500:
            raise ValueError(f"n_train must be in [1, 3500], got n_train={self.n_train}")
        if self.architecture not in _ARCHITECTURES:
            known = " or ".join(map(repr, _ARCHITECTURES))
            raise ValueError(f"architecture must be {known}, got {self.architecture!r}")

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        whole = _dataset()
        train = tuple(part[: self.n_train] for part in whole.train)
        return dataclasses.replace(whole, train=train)

    def model(self) -> nn.Module:
        """Return the network with torch's default initialisation."""
        return _ARCHITECTURES[self.architecture]()

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return mean cross-entropy (nats) and accuracy."""
        return classification_metrics(model, part)


task = Mnist1D


@functools.cache
def _dataset() -> Splits:
    from mnist1d.data import get_dataset_args, make_dataset

    with preserved():  # the package seeds the global generators
        made = make_dataset(get_dataset_args())
    x, y = torch.from_numpy(made["x"]).float(), torch.from_numpy(made["y"]).long()
    x_test, y_test = (
        torch.from_numpy(made["x_test"]).float(),
        torch.from_numpy(made["y_test"]).long(),
    )
    return Splits(
        train=(x[:3500].clone(), y[:3500].clone()),
        validation=(x[3500:].clone(), y[3500:].clone()),
        test=(x_test, y_test),
    )
