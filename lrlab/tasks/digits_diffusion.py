"""Denoising diffusion on handwritten digits: a small network that predicts the noise."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.checks import need
from lrlab.randomness import generator
from lrlab.tasks._once import drawn_once
from lrlab.tasks.base import Batch, Splits, Task

__all__ = ["DigitsDiffusion", "noise_levels", "task"]

CLASSES = 10
_FREQUENCIES = 8
_SPLIT_SEED = 20_250_306  # of the permutation that parts the data; not a run's seed
_SIZES = {"digits": (1400, 147), "mnist": (3500, 500)}  # training and validation images


def noise_levels(times: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return signal and noise amplitudes of the cosine noise schedule.

    $$\alpha(t) = \cos(\pi t / 2), \qquad \sigma(t) = \sin(\pi t / 2), \qquad
    x_t = \alpha(t)\, x_0 + \sigma(t)\, \varepsilon$$

    Args:
        times: t in [0, 1], of any shape; 0 is the clean image, 1 is pure noise.

    Returns:
        α and σ, each of the same shape, with α² + σ² = 1.

    Source:
        Nichol and Dhariwal (2021), without their offset; Salimans and Ho (2022).

    Example:
        >>> alpha, sigma = noise_levels(torch.tensor([0.0, 1.0]))
        >>> alpha.round().tolist(), sigma.tolist()
        ([1.0, -0.0], [0.0, 1.0])
    """
    angle = times * (math.pi / 2)
    return angle.cos(), angle.sin()


class HeldLinear(nn.Linear):
    """A dense layer whose weight matrix never trains beyond a norm: (B, n) → (B, m).

    Before each forward pass in training, W ← W · min(1, c‖W₀‖ / ‖W‖) with the Frobenius norm,
    which projects the result of the last update back into a ball.

    Args:
        n_in: number of inputs.
        n_out: number of outputs.
        factor: c, how many times its first norm a matrix may reach.

    Source:
        After the forced weight normalisation of Karras et al. (2024), which holds every row.

    Example:
        >>> layer = HeldLinear(2, 2, factor=1.0)
        >>> first = layer.weight.norm().item()
        >>> _ = layer.weight.data.mul_(3), layer(torch.zeros(1, 2))
        >>> abs(layer.weight.norm().item() - first) < 1e-6
        True
    """

    def __init__(self, n_in: int, n_out: int, factor: float) -> None:
        super().__init__(n_in, n_out)
        self.register_buffer("bound", factor * self.weight.detach().norm())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs, after the projection when in training."""
        if self.training:
            with torch.no_grad():
                self.weight.mul_((self.bound / self.weight.norm()).clamp(max=1.0))
        return super().forward(inputs)


class Denoiser(nn.Module):
    """A residual perceptron: noisy images (B, d), times (B,), labels (B,) → noise (B, d).

    The input is the image beside 16 Fourier features of the time and the label one-hot; `blocks`
    residual blocks x + W₂ SiLU(W₁ N(x)) of one width follow, where N is layer normalisation.

    Args:
        pixels: d.
        width: of all layers between.
        blocks: number of residual blocks.
        hold_norms: how many times its first norm a weight matrix may reach; None: no bound.

    Example:
        >>> model = Denoiser(pixels=64, width=128, blocks=1)
        >>> model(torch.zeros(3, 64), torch.zeros(3), torch.zeros(3, dtype=torch.long)).shape
        torch.Size([3, 64])
        >>> sum(p.numel() for p in model.parameters())
        52928
    """

    def __init__(
        self, pixels: int, width: int, blocks: int, hold_norms: float | None = None
    ) -> None:
        super().__init__()

        def dense(n_in: int, n_out: int) -> nn.Linear:
            if hold_norms is None:
                return nn.Linear(n_in, n_out)
            return HeldLinear(n_in, n_out, hold_norms)

        self.enter = dense(pixels + 2 * _FREQUENCIES + CLASSES, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width, elementwise_affine=False),
                dense(width, width),
                nn.SiLU(),
                dense(width, width),
            )
            for _ in range(blocks)
        )
        self.leave = dense(width, pixels)
        multiples = math.pi * torch.arange(1, _FREQUENCIES + 1)
        self.register_buffer("frequencies", multiples, persistent=False)

    frequencies: Tensor

    def forward(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """Return the predicted noise."""
        angles = times[:, None] * self.frequencies
        one_hot = nn.functional.one_hot(labels, CLASSES).to(noisy.dtype)
        x = self.enter(torch.cat([noisy, angles.sin(), angles.cos(), one_hot], dim=1))
        for block in self.blocks:
            x = x + block(x)
        return self.leave(nn.functional.silu(x))


@dataclasses.dataclass(frozen=True)
class DigitsDiffusion(Task):
    r"""Class-conditional denoising diffusion of digits; the loss is the noise's squared error.

    $$L = \mathbb E_{x_0, t, \varepsilon}\,
    \lVert \varepsilon - \hat\varepsilon(x_t, t, y) \rVert^2 / d$$

    with t uniform in [0, 1] and the cosine noise schedule (`noise_levels`); predicting no noise
    at all has a loss of 1. Pixels are scaled to [−1, 1].

    Evaluation takes the mean over a fixed noise set: four draws of (t, ε) for each image, t spread
    evenly, the same for every model, step and seed, so that nothing but the weights moves the loss.

    Args:
        n_train: training images, at most 1,400 of the 8×8 digits (3,500 of MNIST).
        source: ``"digits"``, the 1,797 8×8 digits of the UCI repository that scikit-learn ships
            (1,400 for training, 147 for validation, 250 for testing), or ``"mnist"``, the 28×28
            subset of the task ``mnist``.
        width: of the denoiser's layers; 128 gives 52,928 weights on 8×8 digits.
        blocks: number of residual blocks.
        redrawn: also evaluate on a noise set drawn anew at each evaluation, once for each image,
            as simple training scripts do: the metric ``redrawn_loss``.
        hold_norms: bound on the norms of weight matrices, in units of their first ones; None:
            none (see `HeldLinear`).

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> DigitsDiffusion().data().sizes()
        {'train': 1400, 'validation': 147, 'test': 250}
    """

    n_train: int = 1400
    source: Literal["digits", "mnist"] = "digits"
    width: int = 128
    blocks: int = 1
    redrawn: bool = False
    hold_norms: float | None = None

    name: ClassVar[str] = "digits_diffusion"
    chance_loss: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        self._check_choice("source", tuple(_SIZES))
        self._check_int("n_train", high=_SIZES[self.source][0])
        self._check_int("width", "blocks")
        self._check_float("hold_norms", open_low=True, optional=True)

    @property
    def side(self) -> int:
        """Pixels along an edge of an image."""
        return 8 if self.source == "digits" else 28

    def data(self) -> Splits:
        """Return images (n, side²) float32 in [−1, 1] and labels (n,) int64 in three parts."""
        whole = _whole(self.source)
        train = tuple(part[: self.n_train] for part in whole.train)
        return dataclasses.replace(whole, train=train)

    def model(self) -> nn.Module:
        """Return a denoiser with torch's default initialisation."""
        return Denoiser(self.side**2, self.width, self.blocks, self.hold_norms)

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean squared error of the noise, one draw of (t, ε) for each image."""
        images, labels = batch
        times = torch.rand(len(images), generator=noise)
        return _error(model, images, labels, times, torch.randn(images.shape, generator=noise))

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return ``loss`` on the fixed noise set and, if asked for, ``redrawn_loss``."""
        images, labels = part
        times, drawn = _fixed_noise(*images.shape)
        repeats = len(times) // len(images)
        metrics = {
            "loss": _error(
                model, images.repeat(repeats, 1), labels.repeat(repeats), times, drawn
            ).item()
        }
        if self.redrawn:
            metrics["redrawn_loss"] = self.loss(model, part, noise).item()
        return metrics


task = DigitsDiffusion


def _error(
    model: nn.Module, images: Tensor, labels: Tensor, times: Tensor, drawn: Tensor
) -> Tensor:
    alpha, sigma = noise_levels(times)
    noisy = alpha[:, None] * images + sigma[:, None] * drawn
    return nn.functional.mse_loss(model(noisy, times, labels), drawn)


@functools.lru_cache(maxsize=8)
def _fixed_noise(n: int, pixels: int, draws: int = 4) -> tuple[Tensor, Tensor]:
    """Return times (draws·n,), one in the middle of each of as many cells, and noise for them."""
    stream = generator(_SPLIT_SEED, f"fixed noise {n}")
    times = (torch.randperm(draws * n, generator=stream) + 0.5) / (draws * n)
    return times, torch.randn(draws * n, pixels, generator=stream)


@functools.cache
def _whole(source: str) -> Splits:
    if source == "mnist":
        from lrlab.tasks.mnist import Mnist

        splits = Mnist().data()
        low, high = splits.train[0].min(), splits.train[0].max()

        def scaled(part: Batch) -> Batch:
            return 2 * (part[0].flatten(1) - low) / (high - low) - 1, part[1]

        return Splits(*(scaled(p) for p in (splits.train, splits.validation, splits.test)))

    return _digits()


@drawn_once("scikit-learn")
def _digits() -> Splits:
    need("sklearn")
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.Generator(np.random.PCG64(_SPLIT_SEED)).permutation(len(digits.target))
    images = torch.from_numpy(digits.data[order] / 8 - 1).float()
    labels = torch.from_numpy(digits.target[order]).long()
    n_train, n_validation = _SIZES["digits"]
    bounds = (0, n_train, n_train + n_validation, len(images))
    return Splits(
        *((images[a:b].clone(), labels[a:b].clone()) for a, b in itertools.pairwise(bounds))
    )
