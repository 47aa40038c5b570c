"""What a gotcha is, and what its demonstrations have in common."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import torch

Value = float | str


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a gotcha shows: for each label, PyTorch's value and ours.

    Args:
        labels: what each value is, such as ``"step 3"``.
        torch: PyTorch's values: learning rates, or the name of an error.
        ours: the values of this project.
    """

    labels: tuple[str, ...]
    torch: tuple[Value, ...]
    ours: tuple[Value, ...]


@dataclasses.dataclass(frozen=True)
class Gotcha:
    """A behaviour of PyTorch's schedulers, with what to know about it.

    Args:
        slug: name in links and in `GOTCHAS`.
        title: what happens, in a sentence.
        text: why it happens and what we do.
        run: runs it.
    """

    slug: str
    title: str
    text: str
    run: Callable[[], Shown]


GOTCHAS: dict[str, Gotcha] = {}


def gotcha(function: Callable[[], Shown]) -> Callable[[], Shown]:
    """Register a function whose docstring is the gotcha's title and text."""

    @functools.wraps(function)
    def run() -> Shown:
        with warnings.catch_warnings():
            # PyTorch warns of some of these, and of the order of step() calls in all.
            warnings.simplefilter("ignore")
            return function()

    slug = function.__name__.replace("_", "-")
    title, text = inspect.getdoc(function).split("\n\n", 1)
    GOTCHAS[slug] = Gotcha(slug, title.rstrip("."), " ".join(text.split()), run)
    return run


def new_optimizer(lr: float = 1.0) -> torch.optim.SGD:
    """Return an optimizer with one parameter."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)


def next_rates(scheduler: Any, updates: int) -> list[float]:
    """Return the rates of the next updates."""
    rates = []
    for _ in range(updates):
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def outcome(action: Callable[[], Any]) -> Value:
    """Return what an action returns, or the name of the error that it raises."""
    try:
        return action()
    except Exception as error:  # the error is what is shown
        return type(error).__name__


def step_labels(steps: range | list[int]) -> tuple[str, ...]:
    """Return a label for each step."""
    return tuple(f"step {step}" for step in steps)
