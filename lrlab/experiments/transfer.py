"""Some digits of MNIST or MNIST-1D, learned from scratch or from weights that learned others."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from lrlab.tasks import mnist, mnist1d
from lrlab.tasks.base import Batch, Splits, Task, classification_metrics

_BASES = {"mnist": mnist.Mnist(), "mnist1d": mnist1d.Mnist1D(architecture="cnn")}
_BATCH = 50  # of the pretraining


@dataclasses.dataclass(frozen=True)
class Transfer(Task):
    """A few examples of some digits, and a network that may know other digits already.

    The network is LeNet-5 (``"mnist"``) or the convolutional network of MNIST-1D (``"mnist1d"``)
    with one output for each digit. Pretraining trains the same network on all training examples of
    the digits in `known`: `lrlab.train`, Adam, batches of 50, a rate that falls linearly to zero.
    Then its last layer is drawn anew, from the seed of the run that asks for the model. All of it
    follows from the fields.

    Args:
        base: where the digits come from.
        digits: the digits to be told apart, in the order of their labels.
        n_train: training examples, equally many of each digit; None: all there are.
        sample: which examples, where not all are taken.
        known: the digits of the pretraining; empty: from scratch.
        pretraining_steps: updates of the pretraining.
        pretraining_rate: its first rate.
        pretraining_seed: of its first weights and order.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> task = Transfer(n_train=50)
        >>> task.data().sizes(), task.model()[-1].out_features
        ({'train': 50, 'validation': 261, 'test': 493}, 5)
    """

    base: Literal["mnist", "mnist1d"] = "mnist1d"
    digits: tuple[int, ...] = (5, 6, 7, 8, 9)
    n_train: int | None = None
    sample: int = 0
    known: tuple[int, ...] = ()
    pretraining_steps: int = 800
    pretraining_rate: float = 0.01
    pretraining_seed: int = 0

    name: ClassVar[str] = "transfer"

    def __post_init__(self) -> None:
        if self.base not in _BASES:
            raise ValueError(f"base must be one of {', '.join(_BASES)}, got base={self.base!r}")
        for field in ("digits", "known"):
            chosen = tuple(getattr(self, field))
            object.__setattr__(self, field, chosen)
            if not set(chosen) <= set(range(10)) or len(set(chosen)) < len(chosen):
                raise ValueError(f"{field} must be different digits, got {field}={chosen}")
        if len(self.digits) < 2 or len(self.known) == 1:
            raise ValueError(f"need two digits at least, got {self.digits} and {self.known}")
        n = self.n_train
        if n is not None and not (n > 0 and n % len(self.digits) == 0):
            raise ValueError(f"n_train must be a multiple of {len(self.digits)}, got n_train={n}")
        if self.pretraining_steps < 1:
            raise ValueError(f"pretraining_steps must be positive, got {self.pretraining_steps}")
        if not 0 < self.pretraining_rate < math.inf:
            raise ValueError(f"pretraining_rate must be positive, got {self.pretraining_rate}")

    @property
    def chance_loss(self) -> float:
        """The loss of guessing, ln of the number of digits, in nats."""
        return math.log(len(self.digits))

    @property
    def chance(self) -> dict[str, float]:
        """What guessing scores: the loss in nats, and the accuracy."""
        return {"loss": self.chance_loss, "accuracy": 1 / len(self.digits)}

    def data(self) -> Splits:
        """Return inputs and labels (n,) int64, 0 for the first of the digits, in three parts."""
        return _data(self.base, self.digits, self.n_train, self.sample)

    def model(self) -> nn.Module:
        """Return the network: all of it drawn anew, or the last layer only."""
        model = _BASES[self.base].model()
        model[-1] = nn.Linear(model[-1].in_features, len(self.digits))
        if self.known:
            last = f"{len(model) - 1}."
            body = {k: v for k, v in _pretrained(self).items() if not k.startswith(last)}
            model.load_state_dict(body, strict=False)
        return model

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy of a batch in nats."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(inputs), labels)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return mean cross-entropy (nats) and accuracy."""
        return classification_metrics(model, part)

    def discriminative(self, ratio: float) -> dict[str, float]:
        r"""Return the factor on each layer's rate, by the prefix of its parameters' names.

        $\eta^{l-1} = \eta^l / \text{ratio}$ from the last layer, whose factor is 1, down to the
        first; with an infinite ratio the last layer is trained alone.

        Args:
            ratio: of the rates of a layer and the one below, at least 1.

        Returns:
            What `Recipe.lr_ratios` takes.

        Raises:
            ValueError: if the ratio is below 1.

        Source:
            Howard and Ruder (2018), *Universal language model fine-tuning for text classification*.

        Example:
            >>> Transfer().discriminative(2.0)
            {'1.': 0.125, '3.': 0.25, '5.': 0.5, '8.': 1.0}
        """
        if not ratio >= 1:
            raise ValueError(f"ratio must be at least 1, got ratio={ratio}")
        names = (name for name, _ in _BASES[self.base].model().named_parameters())
        layers = list(dict.fromkeys(name.partition(".")[0] + "." for name in names))
        return {layer: ratio ** (1 + i - len(layers)) for i, layer in enumerate(layers)}


task = Transfer


@functools.lru_cache(maxsize=64)
def _data(base: str, digits: tuple[int, ...], n_train: int | None, sample: int) -> Splits:
    whole = _BASES[base].data()
    parts = {}
    for name in ("train", "validation", "test"):
        x, y = getattr(whole, name)
        rows = [torch.nonzero(y == digit).flatten() for digit in digits]
        if name == "train" and n_train is not None:
            each = n_train // len(digits)
            if each > min(map(len, rows)):
                raise ValueError(f"there are fewer than {each} examples of a digit")
            draw = torch.Generator().manual_seed(sample)
            rows = [r[torch.randperm(len(r), generator=draw)[:each]] for r in rows]
        labels = torch.cat([torch.full((len(r),), i) for i, r in enumerate(rows)])
        order = torch.cat(rows)
        parts[name] = (x[order], labels)
    return Splits(**parts)


def _pretrained(task: Transfer) -> dict[str, Tensor]:
    """Return the weights after the pretraining; trained once in a process."""
    source = dataclasses.replace(task, digits=task.known, known=(), n_train=None, sample=0)
    return _trained(source)


@functools.lru_cache(maxsize=64)
def _trained(source: Transfer) -> dict[str, Tensor]:
    from lrlab.optimizers import Adam
    from lrlab.recipe import Recipe
    from lrlab.schedules import Linear
    from lrlab.training.loop import train

    steps = source.pretraining_steps
    recipe = Recipe(  # one more update than is done: `until` keeps the weights
        schedule=Linear(source.pretraining_rate, end_lr=0.0, steps=steps),
        steps=steps + 1,
        batch_size=_BATCH,
        optimizer=Adam(),
        seed=source.pretraining_seed,
        eval_every=0,
    )
    return train(source, recipe, until=steps).checkpoint.state["model"]
