"""What takes training: two updates, a small sample by heart, rates, what is learned of the rest."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lrlab.checkup.finding import Finding
from lrlab.checkup.subject import Subject, calm, examples, snapshot, softmax_floor
from lrlab.randomness import stream_seed
from lrlab.tasks.base import Batch

LEARNED = 0.05  # of the first loss: at or below, a sample counts as known by heart
DEAD = 0.9  # share of a layer's units without gradient
TOO_LOW, LITTLE_LOW = 30.0, 0.2  # a rate so far below the best, with so little of its drop
TOO_HIGH, LITTLE_HIGH = 5.0, 0.6  # and so far above it
FALLEN = 0.03  # of the first loss: a smaller drop is none
_WARM = 10  # updates before dead units are counted, so that a last layer may start at zero
_ROUNDING = 1e-5  # of the largest gradient
_PERMUTATIONS, _P = 199, 0.01


def updates(subject: Subject, frozen: Sequence[str]) -> list[Finding]:
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
                "zero-grad", 3,
                "The second update depends on the gradients that the first one left: clearing "
                f"them by hand changes the weights by {100 * far / max(way, 1e-30):.3g} % of the "
                "way.",
            )
        )  # fmt: skip
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


@dataclasses.dataclass(frozen=True)
class Heart:
    """A small sample, learned by heart with Adam.

    Args:
        loss: of the sample before each update, shape (updates,).
        learned: whether it fell to a twentieth of the first loss.
    """

    loss: np.ndarray
    learned: bool


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
    batch = tuple(part[:sample] for part in examples(subject.batches))
    model = calm(subject.state().model)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses: list[float] = []
    dead: list[Finding] = []
    for update in range(budget):
        optimizer.zero_grad()
        loss = subject.loss(model, batch)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] <= 0.5 * LEARNED * abs(losses[0]):
            break
        loss.backward()
        optimizer.step()
        if update == _WARM and (dead := _dead(subject, model)):
            break
    curve = np.array(losses)
    learned = bool(curve.min() <= LEARNED * abs(curve[0]))
    heart = Heart(curve, learned)
    if learned or dead:
        return heart, dead
    evidence = (
        f"{len(batch[0])} examples are not learned by heart: their loss goes from {curve[0]:.3g} "
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


@dataclasses.dataclass(frozen=True)
class Search:
    """Short trainings at constant rates, all from the same start on the same batches.

    Args:
        rates: in rising order.
        curves: losses of each, before each update; shorter where it stopped being finite.
        updates: that each was given.
        first: the loss at the start, a mean over the batches of the search.
    """

    rates: np.ndarray
    curves: tuple[np.ndarray, ...]
    updates: int
    first: float

    @property
    def ends(self) -> np.ndarray:
        """Mean loss over the last third of each curve; infinite where it diverged."""
        tail = max(3, self.updates // 3)
        return np.array(
            [
                float(c[-tail:].mean()) if len(c) == self.updates and np.isfinite(c).all()
                else math.inf
                for c in self.curves
            ]
        )  # fmt: skip

    @property
    def best(self) -> float:
        """The rate with the lowest end."""
        return float(self.rates[int(np.argmin(self.ends))])

    def drop(self, rate: float) -> float:
        """How far the loss falls at a rate that was tried; 0 where it rises."""
        end = self.ends[int(np.argmin(np.abs(np.log(self.rates / rate))))]
        return max(0.0, self.first - float(end))


def search(subject: Subject, budget: int, span: int) -> Search:
    """Coarse search: the recipe's rate times powers of ten; then twice finer around the best.

    Args:
        subject: what is examined.
        budget: updates of each training.
        span: largest power of ten, up and down.
    """
    curves: dict[float, np.ndarray] = {}

    def try_rates(rates: Sequence[float]) -> None:
        for rate in rates:
            if rate not in curves:
                curves[rate] = _short(subject, rate, budget)

    def result() -> Search:
        rates = sorted(curves)
        first = float(np.mean([curve[0] for curve in curves.values()]))
        return Search(np.array(rates), tuple(curves[r] for r in rates), budget, first)

    rate = subject.rate if subject.rate > 0 else 1e-3
    try_rates([rate * 10.0**k for k in range(-span, span + 1)])
    for factor in (math.sqrt(10), math.sqrt(math.sqrt(10))):
        best = result().best
        try_rates([best / factor, best * factor])
    return result()


def _short(subject: Subject, rate: float, budget: int) -> np.ndarray:
    state = subject.state()
    state.model.train()
    noise = subject.noise("search")
    losses: list[float] = []
    for update in range(budget):
        batch = subject.batches[update % len(subject.batches)]
        losses.append(subject.update(state, batch, rate, noise))
        if not math.isfinite(losses[-1]) or losses[-1] > 1e3 * (abs(losses[0]) + 1):
            break
    return np.array(losses)


def judge_rate(subject: Subject, found: Search, explained: bool) -> list[Finding]:
    """Compare the recipe's rate with the best of the search.

    Args:
        subject: what is examined.
        found: the search.
        explained: whether another finding already explains a loss that does not fall.
    """
    best, top = found.best, found.drop(found.best)
    if top < FALLEN * abs(found.first):
        if explained:
            return []
        tried = f"{found.rates[0]:.2g} to {found.rates[-1]:.2g}"
        return [Finding("no-rate", 3, f"At no rate from {tried} does the loss fall.")]
    share = found.drop(subject.rate) / top
    ratio = best / subject.rate
    evidence = (
        f"In {found.updates} updates the loss falls by {100 * share:.0f} % of what it falls at "
        f"{best:.2g}; the recipe's rate is {subject.rate:.2g}."
    )
    if share < LITTLE_LOW and ratio >= TOO_LOW:
        return [Finding("rate-low", 4, evidence)]
    if share < LITTLE_HIGH and ratio <= 1 / TOO_HIGH:
        return [Finding("rate-high", 4, evidence)]
    return []


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
            "labels", 6,
            f"After {budget} updates on {cut} examples, the loss of {n - cut} others ({best:.3g}) "
            f"is no lower than with their targets permuted (p = {p:.2g}).",
        )
    ]  # fmt: skip


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


def _gradients(subject: Subject, batch: Batch) -> dict[str, torch.Tensor]:
    model = subject.state().model.train()
    for p in model.parameters():
        p.requires_grad_(True)
    subject.loss(model, batch).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def _seeded(subject: Subject, call) -> None:
    torch.manual_seed(stream_seed(subject.seed, "checkup"))
    call()
