"""Handwritten digits again, few to train on and many to test on."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar

import torch

from lrlab.tasks.base import Splits
from lrlab.tasks.mnist import Mnist


@dataclasses.dataclass(frozen=True)
class MnistFew(Mnist):
    """MNIST and LeNet-5 as in `Mnist`, where the images not trained on join the test part.

    The test accuracy of a classifier at 95 % has a sampling error of ±0.7 % (95 %) on 4,000 images,
    and of ±1.4 % on 1,000. Pixels are scaled as in `Mnist`, by mean and standard deviation of all
    images that could have been trained on.

    Args:
        n_train: training images, fewer than 3,500 of the subset, at most 50,000 of the full set.
        source: as in `Mnist`.
        bias_shift: as in `Mnist`.

    Raises:
        ValueError: if n_train is out of range or the source is unknown.

    Example:
        >>> MnistFew(n_train=500).data().sizes()
        {'train': 500, 'validation': 500, 'test': 4000}
    """

    name: ClassVar[str] = "mnist_few"

    def data(self) -> Splits:
        """Return inputs (n, 1, 28, 28) float32 and labels (n,) int64 in three parts."""
        return _parted(self.source, self.n_train)


task = MnistFew


@functools.cache
def _parted(source: str, n_train: int) -> Splits:
    whole = Mnist(n_train=3500 if source == "subset" else 50_000, source=source).data()
    rest = (torch.cat([b, a[n_train:]]) for a, b in zip(whole.train, whole.test, strict=True))
    return dataclasses.replace(
        whole, train=tuple(part[:n_train] for part in whole.train), test=tuple(rest)
    )
