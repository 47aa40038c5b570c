"""The loss on the same batch after its update: what one update did, without the batches' noise."""

from __future__ import annotations

import dataclasses
import time

import torch

from lrlab.randomness import fork_rng, generator
from lrlab.training.probes import Probe, StepContext, Value


@dataclasses.dataclass(frozen=True)
class SameBatch(Probe):
    """Measures the loss on each batch before and after the update, with the same random numbers.

    The model stays in training mode; no generator moves on, and buffers (running means) are put
    back. ``"seconds"`` is what the measuring took, the surcharge of this option.

    Example:
        >>> SameBatch().to_dict()
        {'probe': 'SameBatch', 'every': 1}
    """

    def before(self, context: StepContext) -> tuple[float, float]:
        """Return the loss before the update, and the time that it took."""
        return _measure(context)

    def after(self, context: StepContext, before: tuple[float, float]) -> dict[str, Value]:
        """Return the losses before and after the update."""
        (first, took_first), (second, took_second) = before, _measure(context)
        return {"before": first, "after": second, "seconds": took_first + took_second}


@torch.no_grad()
def _measure(context: StepContext) -> tuple[float, float]:
    assert context.batch is not None  # it measures at updates only
    began = time.perf_counter()
    buffers = [buffer.clone() for buffer in context.model.buffers()]
    with fork_rng():
        torch.manual_seed(context.step)  # for dropout
        loss = context.task.loss(
            context.model, context.batch, generator(context.step, "same batch")
        )
    for buffer, kept in zip(context.model.buffers(), buffers, strict=True):
        buffer.copy_(kept)
    return loss.item(), time.perf_counter() - began
