"""The loss on the same batch after its update: what one update did, without the batches' noise."""

from __future__ import annotations

import dataclasses
import time

import torch

from lrlab.randomness import generator, preserved
from lrlab.training.probes import Moment, Probe, Value


@dataclasses.dataclass(frozen=True)
class SameBatch(Probe):
    """Measures the loss on each batch before and after the update, with the same random numbers.

    The model stays in training mode; no generator moves on, and buffers (running means) are put
    back. ``"seconds"`` is what the measuring took, the surcharge of this option.

    Example:
        >>> SameBatch().to_dict()
        {'probe': 'SameBatch', 'every': 1}
    """

    def before(self, moment: Moment) -> tuple[float, float]:
        """Return the loss before the update, and the time that it took."""
        return _measure(moment)

    def after(self, moment: Moment, before: tuple[float, float]) -> dict[str, Value]:
        """Return the losses before and after the update."""
        (first, took_first), (second, took_second) = before, _measure(moment)
        return {"before": first, "after": second, "seconds": took_first + took_second}


@torch.no_grad()
def _measure(moment: Moment) -> tuple[float, float]:
    assert moment.batch is not None  # it measures at updates only
    began = time.perf_counter()
    buffers = [buffer.clone() for buffer in moment.model.buffers()]
    with preserved():
        torch.manual_seed(moment.step)  # for dropout
        loss = moment.task.loss(moment.model, moment.batch, generator(moment.step, "same batch"))
    for buffer, kept in zip(moment.model.buffers(), buffers, strict=True):
        buffer.copy_(kept)
    return loss.item(), time.perf_counter() - began
