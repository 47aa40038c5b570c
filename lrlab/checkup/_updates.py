"""Two updates: whether gradients are cleared, and whether all weights move."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, snapshot
from lrlab.randomness import stream_seed
from lrlab.tasks.base import Batch

_ROUNDING = 1e-5  # of the largest gradient


def two_updates(subject: Subject, frozen: Sequence[str]) -> list[Finding]:
    """Do two updates, with and without what the first left in the gradients."""
    state = subject.state()
    start = snapshot(state.model)
    state.model.train()
    a, b = subject.batches[0], subject.batches[min(1, len(subject.batches) - 1)]
    grads = _gradients(subject, a)
    _seeded(subject, lambda: subject.update(state, a, subject.rate, subject.noise()))
    other = copy.copy(state)
    # The copies of parameters have no gradient: torch leaves it behind.
    other.model, other.optimizer = copy.deepcopy((state.model, state.optimizer))
    other.parameters = [p for p in other.model.parameters() if p.requires_grad]
    for one in (state, other):
        _seeded(subject, lambda one=one: subject.update(one, b, subject.rate, subject.noise()))
    after, clean = snapshot(state.model), snapshot(other.model)
    moved = {name for name in start if not torch.equal(start[name], after[name])}
    if not moved:
        if all(float(g.abs().max()) == 0 for g in grads.values()):
            return []  # nothing could move: the dead layers are found later
        return [Finding("no-update", 3, "Two updates have left every weight as it was.")]
    found = []
    far = math.sqrt(sum(float((after[n] - clean[n]).square().sum()) for n in start))
    way = math.sqrt(sum(float((clean[n] - start[n]).square().sum()) for n in start))
    if not far <= 1e-5 * way:
        found.append(
            Finding(
                "zero-grad",
                3,
                "The second update depends on the gradients that the first one left: clearing "
                f"them by hand changes the weights by {100 * far / max(way, 1e-30):.3g} % of the "
                "way.",
            )
        )
    # A bias in front of a normalisation has a gradient of rounding errors, and may stay.
    sizes = {name: float(grad.norm()) for name, grad in grads.items()}
    least = _ROUNDING * max(sizes.values(), default=0.0)
    trainable = {n: p.requires_grad for n, p in state.model.named_parameters()}
    stuck = [
        name
        for name in start
        if name not in moved
        and not any(name.startswith(prefix) for prefix in frozen)
        and (not trainable[name] or sizes.get(name, 0.0) > least)
    ]
    if stuck:
        shown = ", ".join(stuck[:4]) + (" …" if len(stuck) > 4 else "")
        found.append(
            Finding("frozen", 3, f"{len(stuck)} of {len(start)} parameters stay: {shown}.")
        )
    return found


def _gradients(subject: Subject, batch: Batch) -> dict[str, torch.Tensor]:
    model = subject.state().model.train()
    for p in model.parameters():
        p.requires_grad_(True)
    subject.loss(model, batch).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def _seeded(subject: Subject, call: Callable[[], object]) -> None:
    torch.manual_seed(stream_seed(subject.seed, "checkup"))
    call()
