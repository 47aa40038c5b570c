"""MNIST-1D with perceptrons of any width, in the standard parametrisation or in muP."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from lrlab.tasks.base import Batch, Splits, Task, classification_metrics
from lrlab.tasks.mnist1d import Mnist1D

LAYERS = ("input", "hidden", "output")


class Perceptron(nn.Module):
    """A perceptron 40-width-width-10 with ReLU: (B, 40) → (B, 10).

    Weights are normal with mean 0, biases start at 0.

    Args:
        width: units in each of the two hidden layers.
        output_std: standard deviation of the output layer's weights.
        output_scale: factor on the output layer's product, not on its bias.

    Example:
        >>> Perceptron(16, output_std=0.25, output_scale=1.0)(torch.zeros(3, 40)).shape
        torch.Size([3, 10])
    """

    def __init__(self, width: int, output_std: float, output_scale: float) -> None:
        super().__init__()
        self.input = nn.Linear(40, width)
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, 10)
        self.output_scale = output_scale
        stds = (math.sqrt(2 / 40), math.sqrt(2 / width), output_std)
        for name, std in zip(LAYERS, stds, strict=True):
            layer = getattr(self, name)
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)

    def preactivations(self, x: Tensor) -> dict[str, Tensor]:
        """Return what each layer puts out, before the ReLU: (B, width), (B, width), (B, 10)."""
        first = self.input(x)
        second = self.hidden(first.relu())
        product = nn.functional.linear(second.relu(), self.output.weight)
        return dict(
            zip(
                LAYERS, (first, second, self.output_scale * product + self.output.bias), strict=True
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self.preactivations(x)["output"]


@dataclasses.dataclass(frozen=True)
class Mnist1DWidth(Task):
    r"""MNIST-1D, classified by a perceptron of a given width; cross-entropy in nats.

    With n the width, n₀ the base width, at Adam's rate η:

    ========  ================  =============  ==============  ============
    layer     standard: std     rate           muP: std        rate
    ========  ================  =============  ==============  ============
    input     √(2/40)           η              √(2/40)         η
    hidden    √(2/n)            η              √(2/n)          η n₀/n
    output    √(1/n)            η              √(1/n₀)         η
    ========  ================  =============  ==============  ============

    In muP the output layer's product is multiplied by n₀/n; biases start at 0 and learn at η in
    both. At the base width the two are one network and one training. The rates of the table are
    `lr_ratios`, to be put into the recipe.

    Args:
        width: units in each of the two hidden layers, n.
        parametrisation: ``"standard"`` or ``"mup"``.
        base_width: the width at which both are the same, n₀.

    Raises:
        ValueError: if an argument makes no sense.

    Source:
        Yang et al. (2022), arXiv:2203.03466, table 8 with Adam.

    Example:
        >>> task = Mnist1DWidth(width=128, parametrisation="mup")
        >>> task.lr_ratios
        {'hidden.weight': 0.25}
        >>> sum(p.numel() for p in task.model().parameters())
        23050
    """

    width: int = 32
    parametrisation: Literal["standard", "mup"] = "standard"
    base_width: int = 32

    name: ClassVar[str] = "mnist1d_width"
    classes: ClassVar[int] = 10

    def __post_init__(self) -> None:
        for name in ("width", "base_width"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value!r}")
        if self.parametrisation not in ("standard", "mup"):
            raise ValueError(
                f"parametrisation must be 'standard' or 'mup', got {self.parametrisation!r}"
            )

    @property
    def lr_ratios(self) -> dict[str, float]:
        """Factors on the rate by the parameter's name, for `lrlab.Recipe`."""
        if self.parametrisation == "standard":
            return {}
        return {"hidden.weight": self.base_width / self.width}

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        return Mnist1D().data()

    def model(self) -> nn.Module:
        """Return the perceptron."""
        if self.parametrisation == "standard":
            return Perceptron(self.width, math.sqrt(1 / self.width), 1.0)
        scale = self.base_width / self.width
        return Perceptron(self.width, math.sqrt(1 / self.base_width), scale)

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean cross-entropy in nats and the accuracy."""
        return classification_metrics(model, part)


task = Mnist1DWidth
