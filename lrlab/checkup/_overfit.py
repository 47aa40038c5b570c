"""A small sample, learned by heart."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import nn

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, calm, dense, examples, part_of, size, softmax_floor

LEARNED = 0.05  # of the first loss: at or below, a sample counts as known by heart
DEAD = 0.9  # share of a layer's units without gradient
_LITTLE = 1e-3  # where a loss has no known bound: a fall by more than this is one
_WARM = 10  # updates before dead units are counted, so that a last layer may start at zero


@dataclasses.dataclass(frozen=True)
class Heart:
    """A small sample, learned by heart with Adam.

    Args:
        loss: of the sample before each update, shape (updates,).
        learned: whether it fell to a twentieth of the first loss.
    """

    loss: np.ndarray
    learned: bool


def bounded(curve: np.ndarray) -> bool:
    """Say whether 0 may be the least that a loss can be; below it, how low is low is not known."""
    return bool(curve[0] > 0 and curve.min() >= 0)


def overfit(
    subject: Subject, sample: int, budget: int, classes: int | None
) -> tuple[Heart, list[Finding]]:
    """Learn a few examples by heart: no weight decay, no dropout, the same noise every time.

    Args:
        subject: what is examined.
        sample: number of examples.
        budget: updates at most.
        classes: C where the loss is a cross-entropy.
    """
    pool = examples(subject.batches) if subject.alike else subject.batches[0]
    batch = part_of(pool, slice(0, sample)) if subject.parts else pool
    state = subject.state()
    state.to_training_mode()
    model = calm(dense(state.model))
    optimizer = torch.optim.Adam(state.parameters, lr=3e-3)
    losses: list[float] = []
    dead: list[Finding] = []
    for update in range(budget):
        optimizer.zero_grad()
        loss = subject.loss(model, batch)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or 0 <= losses[-1] <= 0.5 * LEARNED * losses[0]:
            break
        loss.backward()
        optimizer.step()
        if update == _WARM and (dead := _dead(subject, model)):
            break
    curve = np.array(losses)
    learned = bool(curve.min() <= (LEARNED * curve[0] if bounded(curve) else curve[0] - _LITTLE))
    heart = Heart(curve, learned)
    if learned or dead:
        return heart, dead
    evidence = (
        f"{size(batch)} examples are not learned by heart: their loss goes from {curve[0]:.3g} "
        f"to {curve.min():.3g} in {len(curve)} updates."
    )
    if classes:
        floor = softmax_floor(classes)
        if floor - 0.02 <= curve.min() <= floor + 0.3 * (math.log(classes) - floor):
            floors = f" Cross-entropy of a softmax's output can't go below {floor:.3g}."
            return heart, [Finding("softmax", 2, evidence + floors)]
    return heart, [Finding("overfit", 2, evidence)]


def _dead(subject: Subject, model: nn.Module) -> list[Finding]:
    """Count the units of each layer without gradient over all batches."""
    model.zero_grad()
    largest: dict[str, torch.Tensor] = {}
    for batch in subject.batches[:4]:
        model.zero_grad()
        subject.loss(model, batch).backward()
        for name, p in model.named_parameters():
            if p.grad is not None and p.ndim >= 2:
                rows = p.grad.flatten(1).abs().amax(1)
                largest[name] = torch.maximum(largest.get(name, rows), rows)
    embeddings = {
        f"{name}.weight" for name, m in model.named_modules() if isinstance(m, nn.Embedding)
    }
    shares = {n: float((r == 0).double().mean()) for n, r in largest.items() if n not in embeddings}
    silent = {name: share for name, share in shares.items() if share > DEAD}
    if not silent:
        return []
    shown = ", ".join(f"{name} ({100 * share:.0f} %)" for name, share in list(silent.items())[:4])
    return [Finding("dead", 2, f"Layers with units without any gradient: {shown}.")]
