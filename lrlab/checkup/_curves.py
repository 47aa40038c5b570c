"""What a short training learns of examples that it has not seen."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import torch
from torch import nn

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, examples
from lrlab.tasks.base import Batch

_PERMUTATIONS, _P = 199, 0.01


@dataclasses.dataclass(frozen=True)
class Curves:
    """A short training on a part of the examples, the others held out.

    Args:
        step: updates done at each evaluation, shape (evaluations,).
        train: loss on the examples trained on.
        held_out: loss on the others.
        p: share of permutations of the held-out targets at which their loss is no higher than
            with the right ones; None where a batch has no target of its own.
    """

    step: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    p: float | None


def learn(subject: Subject, budget: int) -> tuple[Curves, list[Finding]]:
    """Train with Adam on four fifths of the pool; ask whether targets follow from inputs.

    Where the targets of the held-out examples can be permuted without a loss, nothing was learned
    of them.
    """
    pool = examples(subject.batches)
    n = len(pool[0])
    cut = max(1, n - max(1, n // 5))
    order = torch.randperm(n, generator=subject.noise("held out"))
    kept = tuple(part[order[:cut]] for part in pool)
    other = tuple(part[order[cut:]] for part in pool)
    model = subject.state().model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    draw, noise = subject.noise("batches"), subject.noise("learn")
    size = min(64, cut)
    steps, train, held = [], [], []
    best, best_model = math.inf, None
    for update in range(budget + 1):
        if update % max(1, budget // 10) == 0:
            model.eval()
            with torch.no_grad():
                train.append(subject.loss(model, tuple(p[: len(other[0])] for p in kept)).item())
                held.append(subject.loss(model, other).item())
            steps.append(update)
            if held[-1] < best or best_model is None:
                best, best_model = held[-1], copy.deepcopy(model)
            model.train()
        if update < budget:
            picked = torch.randint(cut, (size,), generator=draw)
            optimizer.zero_grad()
            subject.loss(model, tuple(p[picked] for p in kept), noise).backward()
            optimizer.step()
    p = _permutation_p(subject, best_model, other) if len(pool) > 1 else None
    curves = Curves(np.array(steps), np.array(train), np.array(held), p)
    if p is None or p <= _P:
        return curves, []
    return curves, [
        Finding(
            "labels",
            6,
            f"After {budget} updates on {cut} examples, the loss of {n - cut} others ({best:.3g}) "
            f"is no lower than with their targets permuted (p = {p:.2g}).",
        )
    ]


@torch.no_grad()
def _permutation_p(subject: Subject, model: nn.Module, part: Batch) -> float | None:
    """Return the share of permutations that fit no worse; None where the loss ignores targets."""
    *inputs, target = part
    draw = subject.noise("permutations")
    # The outputs don't depend on the target, so that one forward pass serves all permutations.
    outputs = subject.outputs(model, part)

    def loss(permuted: torch.Tensor) -> float:
        if outputs is None:
            return subject.loss(model, (*inputs, permuted)).item()
        return subject.loss_of(model, (*inputs, permuted), outputs)

    right = loss(target)
    others = [
        loss(target[torch.randperm(len(target), generator=draw)]) for _ in range(_PERMUTATIONS)
    ]
    if all(value == right for value in others):
        return None
    return (1 + sum(value <= right for value in others)) / (1 + _PERMUTATIONS)
