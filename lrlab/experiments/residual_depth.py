"""MNIST-1D with residual perceptrons of any depth, with and without scaling of their branches."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from lrlab.tasks.base import Batch, Splits, Task, classification_metrics
from lrlab.tasks.mnist1d import Mnist1D

__all__ = ["Mnist1DDepth", "ResidualPerceptron"]


class ResidualPerceptron(nn.Module):
    r"""A perceptron 40-width-…-width-10 whose hidden layers are residual: (B, 40) → (B, 10).

    $$x_0 = W_0 z + b_0, \qquad x_l = x_{l-1} + m\,(W_l \operatorname{ReLU}(x_{l-1}) + b_l)$$

    for l = 1 … depth, and logits $W x + b$ of the last. All layers are drawn as torch draws them.

    Args:
        depth: number of residual layers.
        width: units of each.
        branch: the factor m.
        norm: whether $x_{l-1}$ is normalised in each branch, and the last x before the output
            layer, to mean 0 and variance 1 over the units, without weights of its own.

    Example:
        >>> ResidualPerceptron(3, 16, branch=0.5)(torch.zeros(3, 40)).shape
        torch.Size([3, 10])
    """

    def __init__(self, depth: int, width: int, branch: float, norm: bool = False) -> None:
        super().__init__()
        self.input = nn.Linear(40, width)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.output = nn.Linear(width, 10)
        self.branch = branch
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.input(x)
        for block in self.blocks:
            x = torch.add(x, block(self.norm(x).relu()), alpha=self.branch)
        return self.output(self.norm(x))


@dataclasses.dataclass(frozen=True)
class Mnist1DDepth(Task):
    r"""MNIST-1D, classified by a residual perceptron of a given depth; cross-entropy in nats.

    With L the depth and L₀ the base depth, branches are multiplied by 1 (``"plain"``,
    ``"normed"``) or by $\sqrt{L_0/L}$ (``"scaled"``): at the base depth plain and scaled are one
    network. `lr_ratios` divides the rate of the branches' weights by the same root, as depth-muP
    does with Adam.

    Args:
        depth: residual layers, L.
        width: units in each of them.
        branches: ``"plain"``, ``"scaled"``, or ``"normed"``: plain, with layer normalisation at the
            start of each branch and before the output layer.
        base_depth: L₀.

    Raises:
        ValueError: if an argument makes no sense.

    Source:
        Yang et al. (2024), arXiv:2310.02244; Bordelon et al. (2024), arXiv:2309.16620.

    Example:
        >>> task = Mnist1DDepth(depth=8, branches="scaled")
        >>> task.model().branch, task.lr_ratios
        (0.5, {'blocks.': 0.5})
    """

    depth: int = 2
    width: int = 64
    branches: Literal["plain", "scaled", "normed"] = "plain"
    base_depth: int = 2

    name: ClassVar[str] = "mnist1d_depth"
    classes: ClassVar[int] = 10

    def __post_init__(self) -> None:
        self._check_int("depth", "width", "base_depth")
        self._check_choice("branches", ("plain", "scaled", "normed"))

    @property
    def _root(self) -> float:
        return math.sqrt(self.base_depth / self.depth)

    @property
    def lr_ratios(self) -> dict[str, float]:
        """Factors on the rate by the parameter's name, for `lrlab.Recipe`."""
        return {"blocks.": self._root}

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        return Mnist1D().data()

    def model(self) -> nn.Module:
        """Return the network."""
        branch = self._root if self.branches == "scaled" else 1.0
        return ResidualPerceptron(self.depth, self.width, branch, self.branches == "normed")

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean cross-entropy in nats and the accuracy."""
        return classification_metrics(model, part)


task = Mnist1DDepth
