"""Two updates: whether gradients are cleared, and whether all weights move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, snapshot
from lrlab.randomness import stream_seed

_ROUNDING = 1e-5  # of the largest gradient


def two_updates(subject: Subject, frozen: Sequence[str]) -> list[Finding]:
    """Do two updates, with and without what the first left in the gradients."""
    a, b = subject.batches[0], subject.batches[min(1, len(subject.batches) - 1)]
    grads = _gradients(subject, a)
    start = snapshot(subject.state().model)
    after, trainable = _after_two(subject, a, b, clear=False)
    clean, _ = _after_two(subject, a, b, clear=True)
    moved = {name for name in start if not torch.equal(start[name], after[name])}
    if not moved:
        if all(float(g.abs().max()) == 0 for g in grads.values()):
            return []  # nothing could move: the dead layers are found later
        return [Finding("no-update", 3, "Two updates have left every weight as it was.")]
    found = []
    far = math.sqrt(sum(float((after[n] - clean[n]).abs().square().sum()) for n in start))
    way = math.sqrt(sum(float((clean[n] - start[n]).abs().square().sum()) for n in start))
    if not far <= 1e-5 * way:
        evidence = (
            "The second update depends on the gradients that the first one left: clearing them "
            f"by hand changes the weights by {100 * far / max(way, 1e-30):.3g} % of the way."
        )
        found.append(Finding("zero-grad", 3, evidence))
    # A bias in front of a normalisation has a gradient of rounding errors, and may stay.
    sizes = {name: float(grad.norm()) for name, grad in grads.items()}
    least = _ROUNDING * max(sizes.values(), default=0.0)
    stays = (n for n in start if n not in moved and not n.startswith(tuple(frozen)))
    stuck = [name for name in stays if not trainable[name] or sizes.get(name, 0.0) > least]
    if stuck:
        shown = ", ".join(stuck[:4]) + (" …" if len(stuck) > 4 else "")
        evidence = f"{len(stuck)} of {len(start)} parameters stay: {shown}."
        found.append(Finding("frozen", 3, evidence))
    return found


def _after_two(
    subject: Subject, a: Any, b: Any, clear: bool
) -> tuple[dict[str, torch.Tensor], dict[str, bool]]:
    """Return the weights after two updates, and which can be trained.

    Args:
        subject: what is examined.
        a: batch of the first update.
        b: batch of the second one.
        clear: clear the gradients by hand in between.
    """
    state = subject.state()
    state.to_training_mode()
    for batch in (a, b):
        torch.manual_seed(stream_seed(subject.seed, "checkup"))
        subject.update(state, batch, subject.rate, subject.noise())
        for parameter in state.parameters if clear else ():
            parameter.grad = None
    trainable = {name: p.requires_grad for name, p in state.model.named_parameters()}
    return snapshot(state.model), trainable


def _gradients(subject: Subject, batch: Any) -> dict[str, torch.Tensor]:
    state = subject.state()
    state.to_training_mode()
    for p in state.model.parameters():
        p.requires_grad_(True)
    subject.loss(state.model, batch).backward()
    named = [(name, p.grad) for name, p in state.model.named_parameters() if p.grad is not None]
    return {name: grad.to_dense() if grad.is_sparse else grad for name, grad in named}
