"""Digits from noise: a sampler for denoisers, and how well a classifier recognises its digits."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any

import torch
from torch import Tensor, nn

from lrlab.checks import need
from lrlab.randomness import generator
from lrlab.tasks.digits_diffusion import CLASSES, DigitsDiffusion, noise_levels
from lrlab.training.probes import Probe, StepContext, Value


@torch.no_grad()
def _sample(
    model: nn.Module, labels: Tensor, pixels: int, noise: torch.Generator, steps: int = 25
) -> Tensor:
    r"""Return generated images (n, pixels) in [−1, 1], one for each label.

    The deterministic sampler of Song et al. (2021): from pure noise at t = 1 downwards,

    $$\hat x_0 = \operatorname{clip}\frac{x_t - \sigma_t \hat\varepsilon}{\alpha_t}, \qquad
    x_s = \alpha_s \hat x_0 + \sigma_s \frac{x_t - \alpha_t \hat x_0}{\sigma_t}$$

    Args:
        model: maps (images, times, labels) to the predicted noise.
        labels: the digits asked for, shape (n,).
        pixels: of one image.
        noise: generator of the first noise.
        steps: evaluations of the model.

    Raises:
        ValueError: if steps is not positive.

    Example:
        >>> class NoNoise(nn.Module):
        ...     def forward(self, images, times, labels):
        ...         return torch.zeros_like(images)
        >>> _sample(NoNoise(), torch.arange(3), 64, torch.Generator().manual_seed(0)).shape
        torch.Size([3, 64])
    """
    if steps < 1:
        raise ValueError(f"steps must be positive, got steps={steps}")
    x = torch.randn(len(labels), pixels, generator=noise)
    times = torch.linspace(0.99, 0.0, steps + 1)
    clean = x
    for now, then in itertools.pairwise(times):
        alpha, sigma = noise_levels(now)
        predicted = model(x, now.expand(len(labels)), labels)
        clean = ((x - sigma * predicted) / alpha).clamp(-1, 1)
        next_alpha, next_sigma = noise_levels(then)
        x = next_alpha * clean + next_sigma * (x - alpha * clean) / sigma
    return clean


@functools.lru_cache(maxsize=4)
def _classifier(task: DigitsDiffusion) -> Any:
    """Return a support vector machine that was fitted to all real training images of a source.

    It is deterministic, and on 8×8 digits it recognises about 98 % of the test images.

    Args:
        task: says which digits; its `n_train` doesn't matter.

    Returns:
        A fitted `sklearn.svm.SVC`, which takes images of shape (n, 64).

    Example:
        >>> from lrlab import tasks
        >>> task = tasks.get("digits_diffusion")
        >>> images, labels = task.data().test
        >>> float(_classifier(task).score(images.numpy(), labels.numpy())) > 0.95
        True
    """
    need("sklearn")
    from sklearn.svm import SVC

    images, labels = (
        DigitsDiffusion(source=task.source, n_train=1400 if task.source == "digits" else 3500)
        .data()
        .train
    )
    return SVC(C=10.0, gamma="scale").fit(images.numpy(), labels.numpy())


def _recognised(task: DigitsDiffusion, images: Tensor, labels: Tensor) -> float:
    """Return the share of images that the classifier takes for what their labels say.

    Args:
        task: says which digits.
        images: shape (n, pixels), in [−1, 1].
        labels: shape (n,).

    Example:
        >>> from lrlab import tasks
        >>> task = tasks.get("digits_diffusion")
        >>> images, labels = task.data().test
        >>> _recognised(task, images, labels) > 0.95 > _recognised(task, -images, labels)
        True
    """
    return float((_classifier(task).predict(images.numpy()) == labels.numpy()).mean())


@dataclasses.dataclass(frozen=True)
class GeneratedDigits(Probe):
    """Digits that the model generates now: how many are recognised, and the first of them.

    ``accuracy`` is the share that a classifier, fitted to real digits, takes for the digit asked
    for; ``images`` holds the first `shown` of them, flattened. They start from the same noise at
    every measurement, run and seed, unless `fresh` noise is asked for.

    Args:
        every: updates between two measurements.
        count: digits generated, as many of each class, a multiple of 10.
        shown: how many are kept.
        fresh: start from other noise at each measurement.

    Raises:
        ValueError: if the counts make no sense.

    Example:
        >>> GeneratedDigits(every=100, count=200, shown=10).name
        'GeneratedDigits'
    """

    count: int = 200
    shown: int = 0
    fresh: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count < CLASSES or self.count % CLASSES:
            raise ValueError(f"count must be a multiple of {CLASSES}, got count={self.count}")
        self._check_int("shown", low=0, high=self.count)

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return the accuracy and the pixels of the first images."""
        task = context.task
        assert isinstance(task, DigitsDiffusion)  # nothing else is sampled from
        labels = torch.arange(self.count) % CLASSES
        stream = f"generated {context.step}" if self.fresh else "generated"
        context.model.eval()
        images = _sample(context.model, labels, task.side**2, generator(0, stream))
        context.model.train()
        found: dict[str, Value] = {"accuracy": _recognised(task, images, labels)}
        if self.shown:
            found["images"] = images[: self.shown].flatten().tolist()
        return found
