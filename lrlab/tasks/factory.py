"""A task made by a function that builds everything anew for each seed: nothing is copied."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib
import inspect
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from lrlab.checks import is_integer
from lrlab.randomness import fork_rng, stream_seed
from lrlab.recipe import Recipe
from lrlab.tasks._live import LiveTask, Parts, rates_of
from lrlab.tasks._loss import batch_loss, scalar
from lrlab.tasks.batches import apart, moved
from lrlab.tasks.module import check_parts, recipe_of

__all__ = ["from_factory"]

Build = Callable[[int], tuple[Any, ...]]


def from_factory(build: Build | str, *, steps: int = 1000) -> FactoryTask:
    """Make a task of a function that builds model, optimizer, loader and loss for a seed.

    Nothing is copied, so that anything goes that trains; each seed has initial weights of its own;
    and where the function is in a module, workers of a cluster and sweeps import it: a `Plan`'s
    ``task: {task: factory, build: "package.module:function"}``.

    Args:
        build: ``build(seed)``, or ``build()``, returns a fresh (model, optimizer, loader, loss),
            where ``loss(model, batch)`` is a scalar tensor, as for `from_module`, or a fifth part
            besides: a loader of validation batches, whose mean loss is then evaluated, as
            ``validation_loss``. Or its name, ``"package.module:function"``. The global generators
            of torch, NumPy and Python are seeded beforehand. An argument with a default gets the
            seed where it is named ``seed``.
        steps: length of the training that is planned [updates].

    Returns:
        A task with its own `recipe`.

    Raises:
        ValueError: if there is no such function, or what it builds can't be trained.

    Example:
        >>> from lrlab.range_test import range_test
        >>> def build(seed):
        ...     x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
        ...     model = nn.Linear(3, 1)
        ...     optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        ...     loader = [(part, part.sum(1, keepdim=True)) for part in x.split(16)]
        ...     return model, optimizer, loader, lambda m, b: (m(b[0]) - b[1]).square().mean()
        >>> range_test(from_factory(build), lr_max=100.0).suggest().lr > 0
        True
    """
    return FactoryTask(build, int(steps) if is_integer(steps) else steps)


@dataclasses.dataclass(frozen=True, eq=False)
class FactoryTask(LiveTask):
    """What `from_factory` makes.

    Args:
        build: the function, or its name.
        steps: length of the training that is planned [updates].
    """

    build: Build | str
    steps: int = 1000

    name: ClassVar[str] = "factory"

    def __post_init__(self) -> None:
        _function(self.build)

    @functools.cached_property
    def recipe(self) -> Recipe:
        """How it is trained, by the optimizer that is built for seed 0; that one is discarded."""
        with fork_rng():
            return recipe_of(self.parts(0).optimizer, self.steps)

    def parts(self, seed: int) -> Parts:
        """Return what the function builds for a seed.

        Raises:
            ValueError: if it is not what can be trained.
        """
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(stream_seed(seed, "initialisation"))
        built = _built(_function(self.build), seed)
        if not isinstance(built, tuple | list) or len(built) not in (4, 5):
            raise ValueError(
                "build(seed) must return (model, optimizer, loader, loss) or a validation loader "
                f"besides, got {type(built).__name__}"
            )
        model, optimizer, loader, loss, *validation = built
        if "_lrlab_validation" in getattr(model, "__dict__", ()):
            raise ValueError("build(seed) has returned one model twice: make it anew inside of it")
        check_parts(model, optimizer, loader, loss)
        model.__dict__["_lrlab_validation"] = validation
        return Parts(model, optimizer, batch_loss(loss), loader, True, rates_of(optimizer)[1])

    def metrics(self, model: nn.Module) -> dict[str, float]:
        """Return the mean loss over the validation loader, where there is one.

        Called without gradients and with the model in evaluation mode.
        """
        device = next(model.parameters(), torch.empty(0)).device
        loss = vars(model)["_lrlab_loss"]
        values = [
            scalar(loss(model, moved(apart(batch), device))).item()
            for loader in vars(model)["_lrlab_validation"]
            for batch in loader
        ]
        return {"validation_loss": sum(values) / len(values)} if values else {}

    @functools.cached_property
    def source(self) -> str | None:
        """A hash of the Python files beside the function's; None where it is in no module."""
        if not isinstance(self.build, str):
            return None
        file = sys.modules[_function(self.build).__module__].__file__
        files = sorted(Path(file).parent.glob("*.py")) if file else []
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the name of the function, which `lrlab.tasks.from_dict` imports."""
        build = self.build
        name = build if isinstance(build, str) else getattr(build, "__name__", type(build).__name__)
        return {"task": self.name, "build": name}


def _built(build: Build, seed: int) -> Any:
    """Return what a function builds for a seed, which it need not take."""
    arguments = inspect.signature(build).parameters
    named = {"seed": seed} if "seed" in arguments else {}
    needed = [p for p in arguments.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    given = (seed,) if needed and not named else ()
    try:
        inspect.signature(build).bind(*given, **named)
    except TypeError as error:
        raise ValueError(f"build must be a function of a seed, or of nothing: {error}") from error
    return build(*given, **named)


def _function(build: Build | str) -> Build:
    if not isinstance(build, str):
        if not callable(build):
            raise ValueError(f"build must be a function or 'module:function', got {build!r}")
        return build
    module, _, name = build.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"build must be 'module:function', got {build!r}: {error}") from error


task = FactoryTask
