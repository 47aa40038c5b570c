"""The loss of whatever a loader gives and a model returns."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lrlab.tasks.batches import described, holds_tensor

BatchLoss = Callable[[nn.Module, Any], Any]
_NONE: Mapping[str, Any] = {}


def scalar(value: Any) -> Tensor:
    """Return the loss as a scalar tensor: given so, or as ``loss`` of a dict or an object.

    Raises:
        ValueError: if it is none, or has no gradient where one is needed.

    Example:
        >>> scalar({"loss": torch.ones(1, requires_grad=True), "logits": None}).shape
        torch.Size([])
    """
    given = value
    if isinstance(value, Mapping):
        value = value.get("loss")
    elif not isinstance(value, Tensor) and hasattr(value, "loss"):
        value = value.loss
    elif isinstance(value, tuple | list) and value:
        value = value[0]
    if not isinstance(value, Tensor) or value.numel() != 1 or value.is_complex():
        raise ValueError(
            f"the loss of a batch must be a scalar tensor, got {described(given)}; "
            "take the mean or real part, of a dict the sum as 'loss', no item() or numpy(); leave "
            "batches that have none out in the loader; give a loss_fn to a model of outputs"
        )
    if torch.is_grad_enabled() and not value.requires_grad:
        raise ValueError(
            "the loss of a batch has no gradient: it was detached, or made without the model that "
            "the loss is given"
        )
    return value if value.ndim == 0 else value.reshape(())


def of_outputs(loss_fn: Callable[..., Any]) -> BatchLoss:
    """Return the loss of batches (inputs, …, target) for a loss of output and target.

    What follows the last part that holds a tensor (names, texts) is left out.
    """

    def loss(model: nn.Module, batch: Any) -> Any:
        parts = batch if isinstance(batch, tuple | list) else ()
        last = max((i for i, part in enumerate(parts) if holds_tensor(part)), default=0)
        if last == 0:
            raise ValueError(_refusal(batch))
        *inputs, target = parts[: last + 1]
        use = "loss_fn(model(x₁, …), y) takes a batch (x₁, …, y)"
        output = _called(model, batch, use, inputs)
        return _called(loss_fn, batch, use, (output, target))

    return loss


def batch_loss(function: Any, outputs: bool = False) -> BatchLoss:
    """Return the loss of a model and a batch for what a door was given.

    What names its second parameter a target is of output and target, as torch's own losses are.

    Args:
        function: the loss; None: the model's own.
        outputs: whether it was given as one of output and target.
    """
    if function is None:
        return of_model
    second = [*getattr(_signature(function), "parameters", ())][1:2]
    if outputs or second in (["target"], ["targets"], ["y_true"]):
        return of_outputs(function)
    return functools.partial(_of_both, function)  # copied where the model is, with what it holds


def _of_both(function: Any, model: nn.Module, batch: Any) -> Any:
    use = "loss(model, batch) takes the model and the batch, loss_fn(output, target) what it gives"
    return _called(function, batch, use, (model, batch))


def of_model(model: nn.Module, batch: Any) -> Any:
    """Return what a model returns for a batch that is its arguments, by name or by position."""
    use = "without loss_fn a model takes its batch and returns its loss"
    if isinstance(batch, Mapping):
        return _called(model, batch, use, (), batch)
    return _called(model, batch, use, batch if isinstance(batch, tuple | list) else (batch,))


def _called(
    function: Any, batch: Any, use: str, given: Iterable[Any], named: Mapping[str, Any] = _NONE
) -> Any:
    """Call what a user wrote: what it raises stays its own, a call that does not fit is refused."""
    try:
        return function(*given, **named)
    except (TypeError, AttributeError) as error:
        try:
            if (signature := _signature(function)) is not None:
                signature.bind(*given, **named)
        except TypeError as reason:
            raise ValueError(_refusal(batch, f"TypeError: {reason}; {use}")) from error
        error.add_note(f"{use}, got {described(batch)}")
        raise


def _signature(function: Any) -> inspect.Signature | None:
    """Return how a function or a module is called; None where it does not say."""
    try:
        return inspect.signature(function.forward if isinstance(function, nn.Module) else function)
    except (TypeError, ValueError):
        return None


def _refusal(batch: Any, said: str = "a batch must be a tuple (inputs, target)") -> str:
    hint = "loss_fn(model(batch), batch)"
    if isinstance(batch, Mapping) and batch:
        names = [repr(name) for name in batch]
        hint = f"loss_fn(model(batch[{names[0]}]), batch[{names[-1]}])"
    elif isinstance(batch, tuple | list) and batch:
        hint = f"loss_fn(model(batch[0]), batch[{min(1, len(batch) - 1)}])"
    return (
        f"{said}, got {described(batch)}; for any other write "
        f"the loss of a batch yourself: from_module(…, loss=lambda model, batch: {hint})"
    )


def modules_held_by(function: Any, depth: int = 3) -> Iterator[nn.Module]:
    """Yield the modules that a function would use whatever it is given.

    Those in its closure, among the globals that it names, in the object that it is a method of, and
    in the attributes of such objects.
    """
    parts: Iterable[Any] = ()
    if isinstance(function, nn.Module):
        yield function
    elif isinstance(function, functools.partial):
        parts = (function.func, *function.args, *function.keywords.values())
    elif isinstance(function, types.MethodType):
        yield from modules_held_by(function.__self__, depth)
    elif isinstance(function, types.FunctionType):
        with contextlib.suppress(ValueError):  # a variable of its closure is not there yet
            variables = inspect.getclosurevars(function)
            parts = (*variables.nonlocals.values(), *variables.globals.values())
    elif not isinstance(function, type | types.ModuleType):
        parts = getattr(function, "__dict__", {}).values()
    for part in parts if depth > 1 else ():
        yield from modules_held_by(part, depth - 1)
