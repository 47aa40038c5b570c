"""A task made of a module, an optimizer and a loader of your own; they are never touched."""

from __future__ import annotations

import copy
import dataclasses
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.optimizers import Optimizer
from lrlab.recipe import Recipe
from lrlab.schedules import Constant
from lrlab.tasks.base import Batch, Splits, Task

LossFunction = Callable[..., Tensor]
_GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
_DEPTH, _LONGEST = 5, 100  # how deep, and how long a list, a dataset is searched for generators


def from_module(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: Iterable[Any],
    loss_fn: LossFunction,
    *,
    steps: int = 1000,
) -> ModuleTask:
    """Make a task of a module, its optimizer and its loader, as they are now.

    What trains is a copy that starts from the present weights, buffers and optimizer state;
    parameter groups keep their settings and the ratios of their rates. The originals are never
    written to: weights, gradients, buffers, optimizer, generators, and the position of samplers.

    Args:
        model: the module, on the CPU or a device.
        optimizer: a torch optimizer over its parameters, or over some of them.
        loader: gives batches, again and again; usually a `torch.utils.data.DataLoader`. A batch
            (x₁, …, y) is a tuple or a list: the last is the target. A dataset's random generators
            are restored; other state that it changes when it is read is not.
        loss_fn: ``loss_fn(model(x₁, …), y)`` is a scalar tensor.
        steps: length of the training that is planned [updates].

    Returns:
        A task with its own `recipe`, for `lrlab.range_test` and `lrlab.train`.

    Raises:
        ValueError: if there is no parameter to train, the optimizer holds one that the model does
            not have, or the loader is empty or can't be started again.

    Example:
        >>> from torch.utils.data import DataLoader, TensorDataset
        >>> from lrlab.range_test import range_test
        >>> x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Linear(3, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
        >>> task = from_module(model, optimizer, loader, nn.functional.mse_loss)
        >>> range_test(task, lr_max=100.0).suggest().lr > 0
        True
    """
    names = {id(p): name for name, p in model.named_parameters()}
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if any(id(p) not in names for p in held):
        raise ValueError("the optimizer holds a parameter that the model does not have")
    if not any(p.requires_grad for p in held):
        raise ValueError("the model has no parameter that can be trained")
    if isinstance(loader, Iterator):
        raise ValueError("the loader can be read once only; give one that can be started again")
    if hasattr(loader, "__len__") and len(loader) == 0:
        raise ValueError("the loader is empty: it gives no batch")
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    largest = max(rates) or 1.0
    ratios: dict[str, float] = {}
    if len(rates) > 1:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            ratios |= {names[id(p)]: rate / largest for p in group["params"] if p.requires_grad}
    recipe = Recipe(
        schedule=Constant(largest),
        steps=steps,
        batch_size=1,  # the loader's own counts
        optimizer=LiveOptimizer(model, optimizer),
        eval_every=0,
        # A name is a prefix of itself and perhaps of longer ones, which have to come first.
        lr_ratios=sorted(ratios.items(), key=lambda item: -len(item[0])),
    )
    return ModuleTask(model, optimizer, loader, loss_fn, recipe)


@dataclasses.dataclass(frozen=True, eq=False)
class ModuleTask(Task):
    """What `from_module` makes.

    Args:
        original: the module.
        optimizer: its optimizer.
        loader: where batches come from.
        loss_fn: of the output and the target.
        recipe: how it is trained: the optimizer's own settings.
    """

    original: nn.Module
    optimizer: torch.optim.Optimizer
    loader: Iterable[Any]
    loss_fn: LossFunction
    recipe: Recipe

    name: ClassVar[str] = "module"
    live: ClassVar[bool] = True
    """Not described by its fields: its runs are kept in no store."""

    def data(self) -> Splits:
        """Return three empty parts: a module's own data come from its loader alone."""
        nothing = (torch.empty(0),)
        return Splits(nothing, nothing, nothing)

    def model(self) -> nn.Module:
        """Return a copy of the module with its present weights and buffers."""
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        twin = copy.deepcopy(self.original)
        for mine, theirs in zip(twin.parameters(), self.original.parameters(), strict=True):
            mine.grad = None
            mine.requires_grad_(theirs.requires_grad and id(theirs) in held)
        return twin

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the loss of a batch."""
        device = next(model.parameters()).device
        *inputs, target = (part.to(device) for part in batch)
        return self.loss_fn(model(*inputs), target)

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return no metric: there are no data to evaluate on."""
        return {}

    def batches(self, batch_size: int, order: torch.Generator) -> LoaderBatches:
        """Return the endless sequence of the loader's batches, drawn from a copy of it."""
        return LoaderBatches(self.loader, order)

    def to_dict(self) -> dict[str, Any]:
        """Return the names of what it is made of, for reading only."""
        return {
            "task": self.name,
            "model": type(self.original).__name__,
            "loss": getattr(self.loss_fn, "__name__", type(self.loss_fn).__name__),
        }


class LoaderBatches:
    """The batches of a loader, epoch after epoch, without moving the loader itself.

    The loader, its sampler and their generators are copied; the dataset is shared, and the
    generators found in it are put back after each batch.

    Args:
        loader: gives batches.
        order: seeds the copied generators, so that each seed of a range test has its own order.

    Raises:
        ValueError: if the loader gives no batch, or one that is not a tuple of tensors.
    """

    def __init__(self, loader: Iterable[Any], order: torch.Generator) -> None:
        dataset = getattr(loader, "dataset", None)
        self._loader = loader
        if hasattr(loader, "__dict__"):
            self._loader = copy.deepcopy(loader, {id(dataset): dataset})
        self._shared = list(_generators(dataset))
        self._own_states = [_state(g) for g in self._shared]
        seed = int(torch.randint(2**31, (1,), generator=order))
        for holder in (self._loader, *_samplers(self._loader)):
            if isinstance(getattr(holder, "generator", None), torch.Generator):
                holder.generator.manual_seed(seed)
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        outside = [_state(g) for g in self._shared]
        _restore(self._shared, self._own_states)
        try:
            batch = self._next()
        finally:
            self._own_states = [_state(g) for g in self._shared]
            _restore(self._shared, outside)
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise ValueError(
                f"a batch must be a tuple (inputs, target), got {type(batch).__name__}"
            )
        return tuple(batch)

    def _next(self) -> Any:
        if self._iterator is not None:
            for batch in self._iterator:
                return batch
        self._iterator = iter(self._loader)
        for batch in self._iterator:
            return batch
        raise ValueError("the loader is empty: it gives no batch")

    def state_dict(self) -> dict[str, Any]:
        """Raise a ValueError: a loader's position can't be kept."""
        raise ValueError("a run on a loader of your own can't be continued from a checkpoint")

    load_state_dict = state_dict


@dataclasses.dataclass(frozen=True, eq=False)
class LiveOptimizer(Optimizer):
    """A torch optimizer of one's own as a value: what it builds are copies, with its state.

    Args:
        original: the module that it trains.
        optimizer: the optimizer.
    """

    original: nn.Module | None = None
    optimizer: torch.optim.Optimizer | None = None

    def __init__(self, original: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        object.__setattr__(self, "original", original)
        object.__setattr__(self, "optimizer", optimizer)

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return a copy of the optimizer that trains the parameters of a copied module.

        Args:
            groups: the copied parameters in the order of the module: all in one group, or each in
                a group of its own.
        """
        options = {id(p): group for group in self.optimizer.param_groups for p in group["params"]}
        theirs = [p for p in self.original.parameters() if p.requires_grad and id(p) in options]
        mine = [p for group in groups for p in group["params"]]
        memo = {id(a): b for a, b in zip(theirs, mine, strict=True)}
        twin = copy.deepcopy(self.optimizer, memo)
        for name, value in vars(self.optimizer).items():  # what its pickling leaves out
            if name not in vars(twin) and not callable(value):
                setattr(twin, name, copy.deepcopy(value, memo))
        if len(groups) > 1:
            twin.param_groups = [
                {k: v for k, v in options[id(a)].items() if k != "params"} | {"params": [b]}
                for a, b in zip(theirs, mine, strict=True)
            ]
        return twin

    def to_dict(self) -> dict[str, Any]:
        """Return its name and those of its settings that JSON can hold, for reading only."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.optimizer.defaults.items()
            if isinstance(value, bool | int | float | str | tuple | None)
        }
        return {"optimizer": type(self.optimizer).__name__} | plain


def _samplers(loader: Any) -> Iterator[Any]:
    """Yield the samplers of a loader, which may hold generators of their own."""
    for name in ("sampler", "batch_sampler"):
        sampler = getattr(loader, name, None)
        while sampler is not None:
            yield sampler
            sampler = getattr(sampler, "sampler", None)


def _generators(value: Any, depth: int = _DEPTH, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield the random generators that an object holds, in attributes, lists and dicts."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, torch.Tensor | np.ndarray | str | bytes):
        return
    seen.add(id(value))
    if isinstance(value, _GENERATORS):
        yield value
        return
    if depth == 0:
        return
    if isinstance(value, dict):
        inner: Iterable[Any] = list(value.values())
    elif isinstance(value, list | tuple):
        inner = value if len(value) <= _LONGEST else ()
    else:
        inner = list(getattr(value, "__dict__", {}).values())
    for part in inner:
        yield from _generators(part, depth - 1, seen)


def _state(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.Generator):
        return copy.deepcopy(generator.bit_generator.state)
    return generator.get_state()


def _restore(generators: Sequence[Any], states: Sequence[Any]) -> None:
    for generator, state in zip(generators, states, strict=True):
        if isinstance(generator, random.Random):
            generator.setstate(state)
        elif isinstance(generator, np.random.Generator):
            generator.bit_generator.state = state
        else:
            generator.set_state(state)
