"""MNIST-1D drawn anew: so many signals that a run sees none of them twice."""

from __future__ import annotations

import dataclasses
import itertools
from typing import ClassVar

import torch

from lrlab.checks import need
from lrlab.randomness import fork_rng
from lrlab.tasks.base import Splits
from lrlab.tasks.mnist1d import Mnist1D, drawn_once

_SEED = 2026  # of the drawing; not a run's seed, and not that of the published data (42)
_HELD_OUT = 1000  # signals of the validation part and of the test part, each


@dataclasses.dataclass(frozen=True)
class Mnist1DStream(Mnist1D):
    """MNIST-1D with as many training signals as are asked for, drawn by its authors' package.

    A run of updates × batch size ≤ `n_train` sees each signal at most once: one pass.

    Args:
        n_train: training signals; 1,000 more are drawn for each of the other parts.
        architecture: as of `lrlab.tasks.mnist1d.Mnist1D`.
        objective: as there.
        shuffled: must be False.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> Mnist1DStream(n_train=500).data().sizes()
        {'train': 500, 'validation': 1000, 'test': 1000}
    """

    name: ClassVar[str] = "mnist1d_stream"

    def __post_init__(self) -> None:
        self._check_int("n_train")
        dataclasses.replace(Mnist1D(), architecture=self.architecture, objective=self.objective)
        if self.shuffled:
            raise ValueError("shuffled must be False, got shuffled=True")

    def data(self) -> Splits:
        """Return inputs (n, 40) float32 and labels (n,) int64 in three parts."""
        return _drawn(self.n_train)


task = Mnist1DStream


@drawn_once("mnist1d")
def _drawn(n_train: int) -> Splits:
    need("mnist1d")
    from mnist1d.data import get_dataset_args, make_dataset

    wanted = get_dataset_args()
    # As many of each of the ten classes; what is over is dropped.
    wanted.num_samples, wanted.train_split = -(-(n_train + 2 * _HELD_OUT) // 10) * 10, 1.0
    wanted.seed = _SEED
    with fork_rng():  # the package seeds the global generators
        made = make_dataset(wanted)
    x, y = torch.from_numpy(made["x"]).float(), torch.from_numpy(made["y"]).long()
    ends = (0, _HELD_OUT, 2 * _HELD_OUT, 2 * _HELD_OUT + n_train)
    parts = [(x[a:b].clone(), y[a:b].clone()) for a, b in itertools.pairwise(ends)]
    validation, test, train = parts
    return Splits(train=train, validation=validation, test=test)
