"""The seven steps, one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from lrlab.checks import is_integer, is_number
from lrlab.checkup import _static as static
from lrlab.checkup._curves import learn
from lrlab.checkup._finding import Finding
from lrlab.checkup._overfit import overfit
from lrlab.checkup._rates import falls, judge_rate, search_rates
from lrlab.checkup._report import Report
from lrlab.checkup._subject import Subject, UserStep
from lrlab.checkup._updates import two_updates
from lrlab.randomness import fork_rng
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task

_NOT_DONE = "not done, because of what was found before"


def checkup(
    task: Task | nn.Module,
    recipe: Recipe | None = None,
    *,
    optimizer: torch.optim.Optimizer | None = None,
    loader: Iterable[Any] | None = None,
    loss_fn: Any = None,
    loss: Any = None,
    step: UserStep | None = None,
    expected: float | None = None,
    frozen: Sequence[str] | str = (),
    seed: int = 0,
    sample: int = 8,
    heart_updates: int = 300,
    search_updates: int = 40,
    learn_updates: int = 300,
    span: int = 3,
    pool: int = 1500,
) -> Report:
    """Go through the seven steps of choosing hyperparameters and report what is probably wrong.

    (1) The first loss against that of guessing, without weight decay, and what data and loss look
    like; (2) a small sample learned by heart; (3) two updates of the loop as it is, and a rate that
    makes the loss fall; (4) a coarse search of the rate; (5) a finer one; (6) the curves of
    training and held-out loss; (7) a decision. Everything is done on copies: module, optimizer,
    loader, batches and all generators stay as they were.

    Mistakes of a loop of your own are seen if it hands over its update, as a function of a model,
    an optimizer and a batch: ::

        def step(model, optimizer, batch):
            x, y = batch
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.item()

    Args:
        task: a task of the laboratory, one of `lrlab.tasks.from_module`, or a module.
        recipe: how it is trained; None for a module of your own, which brings its optimizer.
        optimizer: for a module: its optimizer.
        loader: for a module: where batches come from.
        loss_fn: for a module: the loss of output and target.
        loss: for a module, in its place: the loss of model and batch, as in
            `lrlab.tasks.from_module`. What is looked at in inputs and targets needs batches that
            are tuples of tensors; the rest works with any.
        step: one update of your loop, which returns the loss; None: that of `lrlab.train`. It must
            use the model, the optimizer and the rate that it is given.
        expected: the loss of guessing, in the loss's unit; None: the task's, or ln C where the
            loss is a cross-entropy of C classes.
        frozen: prefixes of parameters that are meant to stay as they are, or one prefix.
        seed: of the first weights, the order of the data and the noise.
        sample: examples learned by heart.
        heart_updates: updates for that, at most.
        search_updates: updates at each rate of the search.
        learn_updates: updates of the curves.
        span: powers of ten that the coarse search goes up and down from the recipe's rate.
        pool: examples that are looked at, about; never more than an epoch.

    Returns:
        The report: findings with evidence, probable cause and what to do.

    Raises:
        ValueError: if an argument makes no sense.

    Source:
        The first two steps are as in lecture notes that break off there; the first loss and the
        sample learned by heart are also in Karpathy (2019), A recipe for training neural networks.

    Example:
        >>> from lrlab import Recipe, schedules, tasks
        >>> from lrlab.optimizers import SGD
        >>> recipe = Recipe(
        ...     schedule=schedules.Constant(0.05), steps=1000, batch_size=50,
        ...     optimizer=SGD(momentum=0.9),
        ... )
        >>> checkup(tasks.get("mnist1d"), recipe).healthy
        True
    """
    names = ("sample", "heart_updates", "search_updates", "learn_updates", "span", "pool")
    values = (sample, heart_updates, search_updates, learn_updates, span, pool)
    counts = dict(zip(names, values, strict=True))
    for name, value in counts.items():
        if not is_integer(value) or value < 1:
            raise ValueError(f"{name} must be at least 1, got {name}={value!r}")
    if expected is not None and not (is_number(expected) and math.isfinite(expected)):
        raise ValueError(f"expected must be a loss, one number, got expected={expected!r}")
    if isinstance(task, nn.Module):
        if optimizer is None or loader is None:
            raise ValueError("a module needs its optimizer, loader and loss_fn")
        from lrlab.tasks.module import from_module

        task = from_module(task, optimizer, loader, loss_fn, loss=loss)
    recipe = getattr(task, "recipe", None) if recipe is None else recipe
    if not (isinstance(task, Task) and isinstance(recipe, Recipe)):
        made = "checkup(model, optimizer=…, loader=…, loss_fn=…)"
        raise ValueError(f"checkup(task, recipe): a task needs a recipe; a module goes in {made}")
    with fork_rng(), task.kept():
        torch.set_num_threads(1)
        drawn = -(-pool // max(1, recipe.batch_size))
        subject = Subject(task, recipe, step, seed, min(drawn, 60))
        prefixes = (frozen,) if isinstance(frozen, str) else tuple(frozen or ())
        known = [name for name, _ in subject.state().model.named_parameters()]
        if lost := [part for part in prefixes if not any(n.startswith(part) for n in known)]:
            raise ValueError(f"frozen: no parameter's name starts with {lost[0]!r}")
        return _steps(subject, expected, prefixes, counts)


def _steps(
    subject: Subject, given: float | None, frozen: Sequence[str], counts: dict[str, int]
) -> Report:
    found: list[Finding] = []
    says: list[str] = []

    def known(*kinds: str) -> bool:
        return any(finding.kind in kinds for finding in found)

    # 1
    expected = static.expected_loss(subject, given)
    classes = static.classes(subject) or _alphabet(subject)
    for look in (static.inputs, static.order, static.reduction, static.softmax):
        found += look(subject)
    first, more = static.initial(subject, expected, found)
    found += more
    beside = "no expectation is known" if expected is None else f"expected {expected:.4g}"
    says.append(f"{first:.4g}, {beside}")
    if known("not-finite"):
        says += [_NOT_DONE] * 6
        return Report(tuple(found), tuple(says), first, expected, subject.rate)
    # 2
    heart, more = overfit(subject, counts["sample"], counts["heart_updates"], classes)
    if not known("reduction", "inputs", "softmax"):
        found += more
    says.append(f"{heart.loss[0]:.3g} to {heart.loss.min():.3g} in {len(heart.loss)} updates")
    # 3, 4, 5
    found += two_updates(subject, frozen)
    search = None
    if known("no-update", "dead"):
        says += [_NOT_DONE] * 3
    else:
        search = search_rates(subject, counts["search_updates"], counts["span"])
        if not known("zero-grad", "reduction", "inputs", "softmax", "overfit", "order"):
            found += judge_rate(subject, search)
        says.append(f"at {search.best:.2g}" if falls(subject, search) else "none of the search")
        low, high = search.rates[[0, -1]]
        says.append(f"{low:.2g} to {high:.2g}, {search.updates} updates each")
        says.append(f"lowest at {search.best:.2g}, the recipe's is {subject.rate:.2g}")
    # 6
    curves = None
    if known("dead", "overfit", "inputs", "softmax", "reduction", "order"):
        says.append(_NOT_DONE)
    else:
        curves, more = learn(subject, counts["learn_updates"])
        found += more
        if known("labels"):  # which explains why no rate does much in a short run
            found = [finding for finding in found if finding.kind != "no-rate"]
        seen = "not drawn: of one batch that belongs together nothing can be held out"
        if curves:
            seen = f"training {curves.train[-1]:.3g}, held out {curves.held_out.min():.3g}"
        says.append(seen)
    # 7
    peak = f"; a peak rate near {search.best:.2g} suits a short training" if search else ""
    says.append("mend what was found, then check again" if found else f"go on{peak}")
    found.sort(key=lambda finding: finding.step)
    return Report(tuple(found), tuple(says), first, expected, subject.rate, heart, search, curves)


def _alphabet(subject: Subject) -> int | None:
    """Return the size of the alphabet of a language model, whose targets are in its windows."""
    alphabet = getattr(getattr(subject.task, "right", subject.task), "alphabet", None)
    return len(alphabet) if alphabet else None
