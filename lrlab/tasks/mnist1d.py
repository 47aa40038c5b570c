"""MNIST-1D (Greydanus and Kobak, 2024): digits as one-dimensional signals of 40 points."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from lrlab.checks import need
from lrlab.randomness import fork_rng
from lrlab.tasks._once import drawn_once
from lrlab.tasks.base import Batch, Splits, Task, classification_metrics

__all__ = ["Mnist1D", "task"]


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


def logistic() -> nn.Module:
    """Return multinomial logistic regression: (B, 40) → (B, 10)."""
    return nn.Linear(40, 10)


def tanh() -> nn.Module:
    """Return a smooth perceptron 40-50-10, for measurements of curvature: (B, 40) → (B, 10)."""
    return nn.Sequential(nn.Linear(40, 50), nn.Tanh(), nn.Linear(50, 10))


class Gru(nn.Module):
    """The recurrent network of the dataset's authors: (B, 40) → (B, 10).

    A bidirectional GRU with six units a direction reads the signal point by point; its outputs at
    all 40 points are classified linearly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 6, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * 6 * 40, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self.linear(self.gru(x.unsqueeze(-1))[0].flatten(1))


_ARCHITECTURES = {"mlp": mlp, "cnn": cnn, "gru": Gru, "logistic": logistic, "tanh": tanh}
_SHUFFLE_SEED = 42  # of the permutation of the points; not a run's seed


@dataclasses.dataclass(frozen=True)
class Mnist1D(Task):
    """MNIST-1D, classified with cross-entropy (nats) or with squared error.

    The data are made by the `mnist1d` package from its own seed: 5,000 signals, the first 4,000 of
    which are parted into training and validation, the other 1,000 are the test part, as published.

    Args:
        n_train: training signals, at most 3,500; 500 more are for validation.
        architecture: ``"mlp"`` (15,210 weights), ``"cnn"`` (5,210), ``"gru"`` (5,134),
            ``"logistic"`` (410) or ``"tanh"`` (2,560).
        objective: ``"cross-entropy"``, or ``"squared"``: ½ ‖f(x) − onehot(y)‖², averaged over
            examples.
        shuffled: whether the 40 points of all signals are permuted, in one fixed order, which
            takes away what is known of their neighbourhood.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> Mnist1D().data().sizes()
        {'train': 3500, 'validation': 500, 'test': 1000}
    """

    n_train: int = 3500
    architecture: Literal["mlp", "cnn", "gru", "logistic", "tanh"] = "mlp"
    objective: Literal["cross-entropy", "squared"] = "cross-entropy"
    shuffled: bool = False

    name: ClassVar[str] = "mnist1d"
    classes: ClassVar[int] = 10

    def __post_init__(self) -> None:
        self._check_int("n_train", high=3500)
        self._check_choice("architecture", tuple(_ARCHITECTURES))
        self._check_choice("objective", ("cross-entropy", "squared"))

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        whole = _shuffled() if self.shuffled else _dataset()
        train = tuple(part[: self.n_train] for part in whole.train)
        return dataclasses.replace(whole, train=train)

    def model(self) -> nn.Module:
        """Return the network with torch's default initialisation."""
        return _ARCHITECTURES[self.architecture]()

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats, or half its mean squared error."""
        inputs, labels = batch
        if self.objective == "squared":
            return _squared(model(inputs), labels)
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean loss (cross-entropy in nats, or squared error) and accuracy."""
        metrics = classification_metrics(model, part)
        if self.objective == "squared":
            metrics["loss"] = _squared(model(part[0]), part[1]).item()
        return metrics

    @property
    def chance_loss(self) -> float:
        """The loss of guessing: ln 10 nats, or for squared error 0.45 (0.1 for each class)."""
        return math.log(self.classes) if self.objective == "cross-entropy" else 0.45


task = Mnist1D


def _squared(outputs: Tensor, labels: Tensor) -> Tensor:
    targets = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs)
    return 0.5 * (outputs - targets).square().sum(1).mean()


@drawn_once("mnist1d")
def _dataset() -> Splits:
    need("mnist1d")
    from mnist1d.data import get_dataset_args, make_dataset

    with fork_rng():  # the package seeds the global generators
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


@functools.cache
def _shuffled() -> Splits:
    order = torch.randperm(40, generator=torch.Generator().manual_seed(_SHUFFLE_SEED))
    whole = _dataset()
    parts = {name: getattr(whole, name) for name in ("train", "validation", "test")}
    return Splits(**{name: (x[:, order], y) for name, (x, y) in parts.items()})
