"""What a short training learns of examples that it has not seen."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, dense, examples, like, part_of, size
from lrlab.training.state import in_evaluation

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


def learn(subject: Subject, budget: int) -> tuple[Curves | None, list[Finding]]:
    """Train with Adam on four fifths of the pool; ask whether targets follow from inputs.

    Where the targets of the held-out examples can be permuted without a loss, nothing was learned
    of them. Where all there is is one batch that belongs together, nothing can be held out: None.
    """
    if len(subject.batches) == 1 and not subject.parts:
        return None, []
    kept, held = _parted(subject)
    known = size(kept) if isinstance(kept, tuple) else sum(map(size, kept))
    unseen = sum(map(size, held))
    state = subject.state()
    state.to_training_mode()
    model = dense(state.model)
    optimizer = torch.optim.Adam(state.parameters, lr=2e-3)
    draw, noise = subject.noise("batches"), subject.noise("learn")
    seen = [part_of(kept, slice(0, unseen))] if isinstance(kept, tuple) else kept[: len(held)]
    steps, train, other = [], [], []
    best, best_state = math.inf, None
    for update in range(budget + 1):
        if update % max(1, budget // 10) == 0:
            with torch.no_grad(), in_evaluation(model):
                train.append(float(np.mean([subject.loss(model, b).item() for b in seen])))
                other.append(float(np.mean([subject.loss(model, b).item() for b in held])))
            steps.append(update)
            if other[-1] < best or best_state is None:
                best, best_state = other[-1], copy.deepcopy(model.state_dict())
        if update < budget:
            if isinstance(kept, tuple):
                picked = torch.randint(known, (min(64, known),), generator=draw)
                batch = part_of(kept, picked)
            else:
                batch = kept[int(torch.randint(len(kept), (1,), generator=draw))]
            optimizer.zero_grad()
            subject.loss(model, batch, noise).backward()
            optimizer.step()
    if best_state is not None:
        model.load_state_dict(best_state)
    with in_evaluation(model):
        p = _permutation_p(subject, model, held)
    curves = Curves(np.array(steps), np.array(train), np.array(other), p)
    if p is None or p <= _P:
        return curves, []
    evidence = (
        f"After {budget} updates on {known} examples, the loss of {unseen} others ({best:.3g}) "
        f"is no lower than with their targets permuted (p = {p:.2g})."
    )
    return curves, [Finding("labels", 6, evidence)]


def _parted(subject: Subject) -> tuple[Any, list[Any]]:
    """Return what is trained on, and a fifth of it held out, as batches.

    Where batches are alike, what is trained on is one tuple of all its examples; else batches stay
    as they are.
    """
    order = subject.noise("held out")
    if subject.alike:
        pool = examples(subject.batches)
        n = len(pool[0])
        cut = max(1, n - max(1, n // 5))
        rows = torch.randperm(n, generator=order)
        return part_of(pool, rows[:cut]), [part_of(pool, rows[cut:])]
    batches = subject.batches
    if len(batches) == 1:
        n = size(batches[0])
        cut = max(1, n - max(1, n // 5))
        return [part_of(batches[0], slice(0, cut))], [part_of(batches[0], slice(cut, n))]
    cut = len(batches) - max(1, len(batches) // 5)
    mixed = [batches[i] for i in torch.randperm(len(batches), generator=order).tolist()]
    return mixed[:cut], mixed[cut:]


@torch.no_grad()
def _permutation_p(subject: Subject, model: nn.Module, held: Sequence[Any]) -> float | None:
    """Return the share of permutations that fit no worse; None where the loss ignores targets."""
    if not subject.paired or len(held[0]) < 2:
        return None
    draw = subject.noise("permutations")
    # The outputs don't depend on the target, so that one forward pass serves all permutations.
    outputs = [subject.outputs(model, batch) for batch in held]

    def loss(targets: Sequence[torch.Tensor]) -> float:
        total = 0.0
        for batch, output, target in zip(held, outputs, targets, strict=True):
            changed = like(batch, (*batch[:-1], target))
            if output is None:
                total += subject.loss(model, changed).item()
            else:
                total += subject.loss_of(model, changed, output)
        return total / len(held)

    targets = [batch[-1] for batch in held]
    right = loss(targets)
    others = [
        loss([target[torch.randperm(len(target), generator=draw)] for target in targets])
        for _ in range(_PERMUTATIONS)
    ]
    if not math.isfinite(right) or all(value == right for value in others):
        return None
    return (1 + sum(value <= right for value in others)) / (1 + _PERMUTATIONS)
