"""What can be seen without training: data, first loss, what the loss does with outputs."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.stats import chi2
from torch import Tensor

from lrlab.checkup._finding import Finding
from lrlab.checkup._subject import Subject, classes_of, examples, part_of, size, softmax_floor
from lrlab.training.state import in_evaluation

LARGEST_RMS, LARGEST_SHIFT, LARGEST_RATIO = 5.0, 5.0, 100.0  # of healthy inputs
LARGEST_F = 2.0  # of variance between batches over what a random order gives; that is 1
CHANCE = 1e-3  # that few batches in random order differ by more than they may
SUMMED = 1.5  # a sum's loss doubles with the batch, a mean's stays
TOLERANCE = 0.4  # of the expected first loss, relative to it
OFFSET = 3.0  # of a last bias: in nats, and in spreads over examples
_FEATURES = 200  # of an input, looked at


def inputs(subject: Subject) -> list[Finding]:
    """Look at scale and shift of real inputs; whole numbers (tokens) are not looked at."""
    if not subject.paired:
        return []
    whole = examples(subject.batches) if subject.alike else subject.batches[0]
    for x in filter(Tensor.is_floating_point, whole[: max(1, len(whole) - 1)]):
        x = x.flatten(1).double()
        rms, mean, std = x.square().mean().sqrt().item(), x.mean().item(), x.std().item()
        each = x.std(0)
        each = each[each > 1e-6 * each.max()]
        ratio = (each.quantile(0.9) / each.quantile(0.1)).item() if len(each) > 1 else 1.0
        scale = f"The inputs have mean {mean:.3g} and standard deviation {std:.3g}"
        if rms > LARGEST_RMS or rms < 1 / (10 * LARGEST_RMS) or abs(mean) > LARGEST_SHIFT * std:
            return [Finding("inputs", 1, f"{scale}.")]
        if ratio > LARGEST_RATIO and x.shape[1] <= _FEATURES:
            return [Finding("inputs", 1, f"{scale}; those of features differ {ratio:.3g} times.")]
    return []


def order(subject: Subject) -> list[Finding]:
    r"""Compare the variance between batches with the one that a random order would give.

    $$F = \frac{\sum_f B\,\mathrm{var}_k(\bar z_{kf})}{\sum_f \mathrm{var}_i(z_{if})}$$

    over features z of the target (one-hot where it is a whole number), batches k, examples i. In
    random order F is about 1.
    """
    if len(subject.batches) < 4 or not subject.paired:
        return []
    sizes = {len(batch[0]) for batch in subject.batches}
    if len(sizes) > 1 or sizes == {1} or len({b[-1].shape for b in subject.batches}) > 1:
        return []
    z = torch.stack([_features(batch[-1]) for batch in _one_coding(subject)])
    _, size, _ = z.shape
    within = z.var(1).mean(0).sum().item()
    between = size * z.mean(1).var(0).sum().item()
    ratio = between / max(within, 1e-12 * size * z.square().sum().item(), 1e-300)
    freedom = len(z) - 1
    if ratio > max(LARGEST_F, chi2.ppf(1 - CHANCE, freedom) / freedom):
        evidence = (
            f"Targets differ {ratio:.3g} times as much between batches as a random order would "
            "make them (variance ratio, 1 expected)."
        )
        return [Finding("order", 1, evidence)]
    return []


def _one_coding(subject: Subject) -> list[tuple[Tensor, ...]]:
    """Whole-number targets as one-hot codes of the same width in all batches."""
    targets = [batch[-1] for batch in subject.batches]
    if targets[0].is_floating_point():
        return list(subject.batches)
    first = [target.reshape(len(target), -1)[:, 0].long() for target in targets]
    low = min(int(t.min()) for t in first)
    width = max(int(t.max()) for t in first) - low + 1
    if width > 1000:
        return [(t.double()[:, None],) for t in first]
    return [(torch.nn.functional.one_hot(t - low, width),) for t in first]


def _features(target: Tensor) -> Tensor:
    return target.reshape(len(target), -1)[:, :_FEATURES].double()


def expected_loss(subject: Subject, given: float | None) -> float | None:
    """Return the loss of guessing: given, or the task's, or ln C for a cross-entropy of C classes.

    A loss is taken for a cross-entropy if equal outputs cost ln C; the mean over the batch, or
    its sum.
    """
    if given is not None:
        return given
    if subject.task.chance_loss is not None:
        return float(subject.task.chance_loss)
    return math.log(c) if (c := classes(subject)) else None


def classes(subject: Subject) -> int | None:
    """Return C if the loss is a cross-entropy over C classes with the labels in the batch."""
    if not subject.paired:
        return None
    model, batch = subject.state().model, subject.batches[0]
    outputs = subject.outputs(model, batch)
    count = classes_of(outputs, batch)
    if count is None or outputs is None:
        return None
    even = subject.loss_of(model, batch, torch.zeros_like(outputs))
    near = any(abs(even / (k * math.log(count)) - 1) < 0.02 for k in (1, len(batch[0])))
    return count if near else None


def reduction(subject: Subject) -> list[Finding]:
    """Compare the loss of a batch with the losses of its halves."""
    batch = subject.batches[0]
    half = size(batch) // 2
    if half < 1 or not subject.parts:
        return []
    model = subject.state().model
    with torch.no_grad(), in_evaluation(model):
        whole = subject.loss(model, part_of(batch, slice(0, 2 * half))).item()
        halves = slice(0, half), slice(half, 2 * half)
        parts = [subject.loss(model, part_of(batch, rows)).item() for rows in halves]
    mean = float(np.mean(parts))
    ratio = whole / mean if abs(mean) > 1e-3 * max(map(abs, parts)) else math.nan
    if ratio > SUMMED:
        return [Finding("reduction", 1, f"A batch's loss is {ratio:.3g} times that of half of it.")]
    return []


def softmax(subject: Subject) -> list[Finding]:
    """Ask the loss what a perfect answer costs: nothing, or what is left behind a softmax."""
    count = classes(subject)
    model, batch = subject.state().model, subject.batches[0]
    outputs = subject.outputs(model, batch)
    if count is None or outputs is None:
        return []
    sums = outputs.sum(1)
    if outputs.min() >= 0 and (sums - 1).abs().max() < 1e-4:
        return [Finding("softmax", 1, "The outputs are probabilities: each row sums to 1.")]
    perfect = 30.0 * torch.nn.functional.one_hot(batch[-1].long().clamp(min=0), count).to(outputs)
    cost = subject.loss_of(model, batch, perfect)
    floor = softmax_floor(count)
    if cost > 0.5 * floor:
        evidence = (
            f"A perfect answer still costs {cost:.3g}; ln(e + {count - 1}) - 1 = {floor:.3g} "
            "is what a second softmax leaves of it."
        )
        return [Finding("softmax", 1, evidence)]
    return []


def initial(
    subject: Subject, expected: float | None, known: list[Finding]
) -> tuple[float, list[Finding]]:
    """Compare the first loss with the loss of guessing.

    Args:
        subject: what is examined.
        expected: the loss of guessing; None if it is not known.
        known: findings so far, which may explain it.

    Returns:
        The first loss, a mean over batches, and what follows from it.
    """
    state = subject.state()
    state.to_training_mode()
    model = state.model
    with torch.no_grad():
        each = [subject.loss(model, b).item() for b in subject.batches]
    first, subject.spread = float(np.mean(each)), float(np.std(each))
    if not math.isfinite(first):
        return first, [Finding("not-finite", 1, f"The first loss is {first}.")]
    kinds = {finding.kind for finding in known}
    if expected is None or kinds & {"reduction", "inputs", "softmax"}:
        return first, []
    if first <= expected + TOLERANCE * abs(expected):
        return first, []
    evidence = f"The first loss is {first:.4g}; guessing costs {expected:.4g}."
    shown = examples(subject.batches) if subject.alike else subject.batches[0]
    outputs = subject.outputs(model, shown)
    if outputs is not None and outputs.ndim == 2 and outputs.shape[1] > 1:
        mean, spread = outputs.mean(0), outputs.std(0).mean().item()
        offset = (mean - mean.median()).abs().max().item()
        if offset > OFFSET and offset > OFFSET * spread:
            shown = f" One output lies {offset:.3g} beside the others, whatever the input."
            return first, [Finding("last-bias", 1, evidence + shown)]
    return first, [Finding("initial-loss", 1, evidence)]
