"""Several moving averages of one training's weights, evaluated at its end."""

from __future__ import annotations

import copy
import dataclasses
import math
import weakref

import torch
from torch import Tensor, nn

from lrlab.randomness import generator
from lrlab.training.probes import Probe, StepContext, Value
from lrlab.training.record import Run

__all__ = ["Averages", "final"]

_PARTS = ("validation", "test")
_kept: weakref.WeakKeyDictionary[nn.Module, list[list[Tensor]]] = weakref.WeakKeyDictionary()


@dataclasses.dataclass(frozen=True)
class Averages(Probe):
    r"""Exponential moving averages of the weights with several decays, beside the weights.

    $$\bar w \leftarrow \beta^k \bar w + (1 - \beta^k) w$$

    after every k-th update, from the weights after the first k on; so β is the decay for one
    update. All are evaluated once, after the last update, on the validation and the test part, with
    the same noise: losses under names such as ``"0.98_test_loss"``, ``"0.0_…"`` of the weights
    themselves. Until then, and where a run diverges, the numbers are NaN.

    Args:
        every: k.
        decays: β of each, in [0, 1); 0 is the weights as they are.
        last: updates of the training, a multiple of k.

    Raises:
        ValueError: if an argument makes no sense, or a training is taken up that was begun
            elsewhere: the averages of its beginning are not in a checkpoint.

    Example:
        >>> Averages(every=5, decays=(0.0, 0.9), last=100).last
        100
    """

    every: int = 5
    decays: tuple[float, ...] = (0.0, 0.9, 0.98, 0.995)
    last: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_int("last")
        object.__setattr__(self, "decays", tuple(float(decay) for decay in self.decays))
        if not self.decays or any(not 0 <= decay < 1 for decay in self.decays):
            raise ValueError(f"decays must be in [0, 1), got decays={self.decays}")
        if self.last % self.every:
            raise ValueError(f"last must be a multiple of every={self.every}, got last={self.last}")

    @torch.no_grad()
    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Take the weights into the averages; at the last update, evaluate them."""
        weights = [parameter.detach() for parameter in context.model.parameters()]
        if context.step == self.every:
            _kept[context.model] = [[w.clone() for w in weights] for _ in self.decays]
        averages = _kept.get(context.model)
        if averages is None:
            raise ValueError("averages begin with the training, and can't go on from a checkpoint")
        for decay, average in zip(self.decays, averages, strict=True):
            torch._foreach_lerp_(average, weights, 1 - decay**self.every)
        names = [f"{decay}_{part}" for decay in self.decays for part in _PARTS]
        metrics = ("loss", "accuracy") if context.task.classes else ("loss",)
        if context.step < self.last:
            return {f"{name}_{metric}": math.nan for name in names for metric in metrics}
        data = context.task.data()
        model = copy.deepcopy(context.model).eval()
        found: dict[str, Value] = {}
        for decay, average in zip(self.decays, averages, strict=True):
            torch._foreach_copy_(list(model.parameters()), average)
            for part in _PARTS:
                noise = generator(0, f"averages {part}")
                measured = context.task.evaluate(model, getattr(data, part), noise)
                found |= {f"{decay}_{part}_{metric}": measured[metric] for metric in metrics}
        return found


def final(run: Run, decay: float, metric: str) -> float:
    """Return what was measured of an average at the end of a run, at worst what guessing scores.

    Args:
        run: one that `Averages` measured.
        decay: β of the average; 0 for the weights themselves.
        metric: ``"validation_loss"``, ``"test_accuracy"`` and so on.

    Raises:
        KeyError: if it was not measured.
    """
    guess = run.chance[metric.partition("_")[2]]
    probes = run.probes["Averages"]
    if run.diverged or not probes:
        return guess
    value = float(probes[f"{float(decay)}_{metric}"][-1])
    if math.isnan(value):
        return guess
    return max(value, guess) if metric.endswith("accuracy") else min(value, guess)
