"""A task made of a module, an optimizer and a loader of your own, which stay as they were."""

from __future__ import annotations

import contextlib
import copy
import copyreg
import dataclasses
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lrlab.checks import is_integer
from lrlab.recipe import Recipe
from lrlab.schedules import Constant
from lrlab.tasks._live import LiveOptimizer, LiveTask, Parts, rates_of
from lrlab.tasks._loader import length
from lrlab.tasks._loss import BatchLoss, batch_loss, modules_held_by
from lrlab.tasks._snapshot import Snapshot

__all__ = ["from_module"]

LossFunction = Callable[..., Tensor]
_ADAPTER = "lrlab.schedules._torch_adapter"
_ONCE = ("builtins", "itertools", "torch.utils.data.dataloader")


def from_module(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: Iterable[Any],
    loss_fn: LossFunction | None = None,
    *,
    loss: BatchLoss | None = None,
    steps: int = 1000,
) -> ModuleTask:
    """Make a task of a module, its optimizer and its loader, as they are now.

    What trains is a copy that starts from the present weights, buffers and optimizer state;
    parameter groups keep their settings and the ratios of their rates, layers in evaluation mode
    stay there. The originals are never written to: weights, gradients, buffers, optimizer,
    generators, and the position of samplers. What can't be copied (``weight_norm``, kept
    activations, locks), or is used by the loss without being handed to it, is trained itself, in
    this process alone, and then put back bit for bit, after an exception too.

    Args:
        model: the module, on the CPU or a device.
        optimizer: a torch optimizer over its parameters, or over some of them and the loss's.
        loader: gives batches, again and again; usually a `torch.utils.data.DataLoader`, with a
            length or without. A dataset's random generators are restored; other state that it
            changes when it is read is not.
        loss_fn: ``loss_fn(model(x₁, …), y)`` is a scalar tensor, for batches (x₁, …, y).
        loss: in its place, the general door: ``loss(model, batch)`` of a copy of a batch as the
            loader gives it, of any kind. What names its second parameter ``target``, as torch's
            losses do, is taken as a loss_fn. Without either the model itself returns its loss, for
            batches that are its arguments: a tensor, ``{"loss": …}``, or an object with `loss`.
        steps: length of the training that is planned [updates].

    Returns:
        A task with its own `recipe`, for `lrlab.range_test`, `lrlab.checkup` and `lrlab.train`.

    Raises:
        ValueError: if there is no parameter to train, the optimizer holds one that neither model
            nor loss has, or has no rate, or if the loader is empty or can't be started again.

    Example:
        >>> from torch.utils.data import DataLoader, TensorDataset
        >>> from lrlab.range_test import range_test
        >>> _ = torch.manual_seed(0)
        >>> x = torch.randn(64, 3)
        >>> model = nn.Linear(3, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
        >>> task = from_module(model, optimizer, loader, nn.functional.mse_loss)
        >>> range_test(task, lr_max=100.0).suggest().lr > 0
        True
    """
    if loss_fn is not None and loss is not None:
        raise ValueError("give loss_fn(output, target) or loss(model, batch), not both")
    if is_integer(steps):
        steps = int(steps)
    function = loss_fn if loss is None else loss
    check_parts(model, optimizer, loader, function)
    held = [m for m in modules_held_by(function) if m is not function]
    hooks = [hook for hook in _hooks(optimizer) if hook.__module__ != _ADAPTER]
    obstacle = None
    if any(m is model or next(m.parameters(), None) is not None for m in held):
        obstacle = "the loss uses a module that it is not handed"
    else:
        try:
            _copies(model, optimizer, function)
        except Exception as error:  # copying fails with whatever a part of it raises
            obstacle = f"{type(error).__name__}: {str(error).split('. ')[0]}"
    recipe = recipe_of(optimizer, steps)
    place = _Place((*held, *(m for hook in hooks for m in modules_held_by(hook))))
    return ModuleTask(model, optimizer, loader, loss_fn, loss, recipe, obstacle, place)


def check_parts(
    model: nn.Module, optimizer: torch.optim.Optimizer, loader: Iterable[Any], loss: Any
) -> None:
    """Raise a ValueError if this can't be trained."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"the model must be a torch.nn.Module, got {type(model).__name__}")
    if isinstance(optimizer, type) or not hasattr(optimizer, "param_groups"):
        raise ValueError(
            f"one torch optimizer is needed, got {optimizer!r:.60}; several go together behind an "
            "object with their param_groups, zero_grad() and step()"
        )
    if isinstance(loss, type):
        raise ValueError(f"the loss is a class: give an instance, {loss.__name__}()")
    owners = [model, *modules_held_by(loss)]
    known = {id(p): p for owner in owners for p in owner.parameters()}
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if any(id(p) not in known for p in held):
        raise ValueError("the optimizer holds a parameter that the model does not have")
    if any(torch.nn.parameter.is_lazy(p) for p in model.parameters()):
        raise ValueError("the model has a lazy parameter: run one batch through it beforehand")
    if any(p.is_meta for p in known.values()):
        raise ValueError("the model is on the meta device: give its parameters values beforehand")
    if not any(p.requires_grad for p in held):
        raise ValueError("the model has no parameter that can be trained")
    if any(group.get("maximize") for group in optimizer.param_groups):
        raise ValueError("the optimizer has maximize=True: leave it out, and turn the loss's sign")
    if not isinstance(loader, Iterable) and not hasattr(loader, "__getitem__"):
        raise ValueError(f"the loader must give batches, again and again, got {loader!r:.60}")
    if isinstance(loader, Iterator) and type(loader).__module__ in _ONCE:  # others may start again
        raise ValueError("the loader can be read once only; give one that can be started again")
    if length(loader) == 0:
        raise ValueError("the loader is empty: it gives no batch")


def recipe_of(optimizer: torch.optim.Optimizer, steps: int) -> Recipe:
    """Return how a training with an optimizer of one's own is described."""
    largest, _ = rates_of(optimizer)
    return Recipe(
        schedule=Constant(largest),
        steps=steps,
        batch_size=1,  # the loader's own counts
        optimizer=LiveOptimizer.of(optimizer),
        eval_every=0,
        max_loss=float("inf"),  # losses are in a unit of one's own
    )


@dataclasses.dataclass(eq=False)
class _Place:
    """The things that are trained in place, and their state while they are."""

    others: tuple[nn.Module, ...] = ()
    snapshot: Snapshot | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class ModuleTask(LiveTask):
    """What `from_module` makes.

    Args:
        original: the module.
        optimizer: its optimizer.
        loader: where batches come from.
        loss_fn: of output and target; None where there is none.
        batch_loss: of the model and a batch; None where there is none.
        recipe: how it is trained: the optimizer's own settings.
        obstacle: why it can't be copied; None where it can.
    """

    original: nn.Module
    optimizer: torch.optim.Optimizer
    loader: Iterable[Any]
    loss_fn: LossFunction | None
    batch_loss: BatchLoss | None
    recipe: Recipe
    obstacle: str | None = None
    _place: _Place = dataclasses.field(default_factory=_Place, repr=False)

    name: ClassVar[str] = "module"

    @property
    def function(self) -> Any:
        """The loss, of output and target or of the model and a batch; None where there is none."""
        return self.batch_loss if self.loss_fn is None else self.loss_fn

    @property
    def serial(self) -> bool:  # type: ignore[override]  # of other tasks it is a constant
        """Whether runs must follow each other in this process: the originals are trained."""
        return self.obstacle is not None

    def parts(self, seed: int) -> Parts:
        """Return model, optimizer, loader and loss, with the present weights; any seed.

        Raises:
            RuntimeError: if the originals are to be trained and `kept` would not restore them.
        """
        function: Any = self.function
        if not self.serial:
            model, optimizer, function = _copies(self.original, self.optimizer, function)
        elif self._place.snapshot is None:
            raise RuntimeError(f"only inside of kept(), since nothing is copied ({self.obstacle})")
        else:
            self._place.snapshot.restore()
            model, optimizer = self.original, self.optimizer
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        for parameter in model.parameters():
            parameter.grad = None
            parameter.requires_grad_(parameter.requires_grad and id(parameter) in held)
        function = batch_loss(function, self.loss_fn is not None)
        return Parts(model, optimizer, function, self.loader, False, rates_of(self.optimizer)[1])

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Put what is trained in place back at the end, whatever happens; may be nested."""
        super().kept()
        if not self.serial or self._place.snapshot is not None:
            yield
            return
        roots = (self.original, self.optimizer, *self._place.others, self.function)
        self._place.snapshot = Snapshot(*roots)
        try:
            yield
        finally:
            self._place.snapshot.restore()
            self._place.snapshot = None

    def to_dict(self) -> dict[str, Any]:
        """Return the names of what it is made of, for reading only."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        loss = "own" if self.function is None else name
        return {"task": self.name, "model": type(self.original).__name__, "loss": loss}


def _copies(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Any
) -> tuple[nn.Module, torch.optim.Optimizer, Any]:
    """Return copies that belong together: the optimizer's are of the model's and loss's copies."""
    if "_optimizer_step_pre_hooks" not in vars(optimizer):
        # A copy of it would add hooks to its class, which its own step then misses.
        raise ValueError("the optimizer has never called Optimizer.__init__")
    weights: list[Any] = list(model.parameters())
    hooks = [p._backward_hooks or p._post_accumulate_grad_hooks for p in weights]
    hooks += [hook.__module__ != _ADAPTER for hook in _hooks(optimizer)]
    if any(hooks):
        raise ValueError("a copy would lose the hooks of parameters or optimizer")
    memo: dict[int, Any] = {}
    twin, loss = copy.deepcopy((model, loss), memo)
    if any(not p.is_leaf for p in twin.parameters()) or {*weights} & {*twin.parameters()}:
        raise ValueError("a copy of the model has no parameters of its own")
    for function in _functions(model) & _functions(twin):
        if any(next(m.parameters(), None) is not None for m in modules_held_by(function)):
            raise ValueError("a hook or a replaced method uses the model itself")
    copied = copy.deepcopy(optimizer, memo)
    for name, value in vars(optimizer).items():  # what its pickling leaves out
        if callable(value) and hasattr(type(optimizer), name):
            if not hasattr(value, "_wrapped_by_lr_sched"):  # a scheduler counts steps
                raise ValueError("a copy would lose a replaced method of the optimizer")
        elif name not in vars(copied):
            if isinstance(value, types.FunctionType) and any(modules_held_by(value)):
                raise ValueError("a function of the optimizer uses the model itself")
            vars(copied)[name] = copy.deepcopy(value, memo)
    for old, new in zip((*model.modules(), optimizer), (*twin.modules(), copied), strict=True):
        for name in copyreg._slotnames(type(old)):  # type: ignore[attr-defined]
            if hasattr(old, name) and not hasattr(new, name):
                object.__setattr__(new, name, copy.deepcopy(getattr(old, name), memo))
    mine = [p for group in copied.param_groups for p in group["params"]]
    theirs = [p for group in optimizer.param_groups for p in group["params"]]
    if [id(p) for p in mine] != [id(memo.get(id(p))) for p in theirs]:
        raise ValueError("a copy of the optimizer does not hold the copied parameters")
    return twin, copied, loss


def _hooks(optimizer: torch.optim.Optimizer) -> list[Any]:
    """Return what is called before and after the steps of an optimizer."""
    kinds = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
    return [hook for kind in kinds for hook in vars(optimizer).get(kind, {}).values()]


def _functions(model: nn.Module) -> set[Any]:
    """Return the functions that modules hold as hooks or in place of their methods."""
    held = [value for module in model.modules() for value in vars(module).values()]
    held += [part for value in held if isinstance(value, dict) for part in value.values()]
    return {part for part in held if isinstance(part, types.FunctionType)}
