"""What a run on things of one's own is made of, and what such tasks share."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.optimizers import Optimizer
from lrlab.tasks._loader import LoaderBatches
from lrlab.tasks._loss import BatchLoss, scalar
from lrlab.tasks.base import Splits, Task
from lrlab.tasks.batches import apart, moved

_KEPT = "_lrlab_loss"


@dataclasses.dataclass(eq=False)
class Parts:
    """Model, optimizer, batches and loss of one run.

    Args:
        model: in the modes that it is to be trained in.
        optimizer: its optimizer.
        loss: of a model and a batch.
        loader: where batches come from.
        own: whether they were made for this run alone.
        ratios: the rate of each parameter group over the scheduled one.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: BatchLoss
    loader: Iterable[Any]
    own: bool
    ratios: list[float]

    def __post_init__(self) -> None:
        # Beside the module's own attributes: no child of it, and copied with it.
        vars(self.model)[_KEPT] = self.loss

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that the optimizer trains."""
        return trained(self.optimizer)

    def batches(self, order: torch.Generator) -> LoaderBatches:
        """Return the endless sequence of the loader's batches."""
        return LoaderBatches(self.loader, None if self.own else order)


@dataclasses.dataclass(frozen=True, eq=False)
class LiveTask(Task):
    """Base of the tasks that bring their own model, optimizer, loader and loss."""

    live: ClassVar[bool] = True

    def data(self) -> Splits:
        """Return three empty parts: data come from a loader alone."""
        nothing = (torch.empty(0),)
        return Splits(nothing, nothing, nothing)

    def model(self: Any) -> nn.Module:
        """Return the model of a fresh run."""
        return self.parts(0).model

    def loss(self, model: nn.Module, batch: Any, noise: torch.Generator) -> Tensor:
        """Return the loss of a batch as the loader gave it."""
        with torch.enable_grad():  # a loss may take gradients itself, where it is only looked at
            device = next(model.parameters(), torch.empty(0)).device
            value = vars(model)[_KEPT](model, moved(apart(batch), device))
        return _watched(scalar(value), model)

    def kept(self) -> contextlib.AbstractContextManager[None]:
        """Return what surrounds a run.

        Raises:
            ValueError: where nothing can have a gradient.
        """
        if torch.is_inference_mode_enabled():
            raise ValueError("torch.inference_mode() takes all gradients: call this outside of it")
        return contextlib.nullcontext()

    def metrics(self, model: nn.Module) -> dict[str, float]:
        """Return no metric: there are no data to evaluate on."""
        return {}


def _watched(loss: Tensor, model: nn.Module) -> Tensor:
    """Let the backward pass of a loss say where hooks of parameters update them already."""
    hooked: list[Any] = [p for p in model.parameters() if p.requires_grad]
    hooked = [p for p in hooked if p._post_accumulate_grad_hooks or p._backward_hooks]

    def backward() -> None:
        before = [(p._version, p.detach().clone()) for p in hooked]
        Tensor.backward(loss)
        for parameter, (version, old) in zip(hooked, before, strict=True):
            same = torch.allclose(parameter, old, rtol=0, atol=0, equal_nan=True)
            if parameter._version != version or not same:
                raise ValueError(
                    "a hook updates a parameter during backward(), before the rate of the step is "
                    "set: leave the update to the optimizer's step()"
                )

    if hooked:
        loss.backward = backward  # type: ignore[method-assign, assignment]
    return loss


@dataclasses.dataclass(frozen=True)
class LiveOptimizer(Optimizer):
    """What is known of a torch optimizer of one's own; it builds nothing.

    Args:
        described: its name and those of its settings that JSON can hold.
        momentum: β of gradient descent with momentum; None where it is none.
    """

    described: tuple[tuple[str, Any], ...] = ()
    momentum: float | None = None

    @classmethod
    def of(cls, optimizer: torch.optim.Optimizer) -> LiveOptimizer:
        """Describe an optimizer."""
        settings = getattr(optimizer, "defaults", {})
        plain = ((name, _plain(value)) for name, value in settings.items())
        known = tuple((name, value) for name, value in plain if value is not _UNKNOWN)
        ratios = rates_of(optimizer)[1]
        known += (("ratios", ratios),) if len(set(ratios)) > 1 else ()
        return cls(0.0, (("optimizer", type(optimizer).__name__), *known), _momentum(optimizer))

    def to_dict(self) -> dict[str, Any]:
        """Return its name and settings, for reading only."""
        return dict(self.described)


_UNKNOWN = object()


def _plain(value: Any) -> Any:
    """Return a setting as JSON holds it: numbers of NumPy and torch become Python's."""
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return _UNKNOWN if _UNKNOWN in parts else parts
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return value.item() if np.size(value) == 1 else _UNKNOWN
    return value if isinstance(value, bool | int | float | str | None) else _UNKNOWN


def _momentum(optimizer: torch.optim.Optimizer) -> float | None:
    """Return β where the optimizer is w ← w − η v, v ← β v + g, with one rate and β for all."""
    if type(optimizer) is not torch.optim.SGD:
        return None
    groups = optimizer.param_groups
    kinds = {(float(g["lr"]), float(g["momentum"]), float(g["dampening"])) for g in groups}
    if len(kinds) > 1 or any(g["nesterov"] or g["maximize"] or g["dampening"] for g in groups):
        return None
    return float(groups[0]["momentum"])


def trained(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """Return the parameters that an optimizer trains."""
    return [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]


def rates_of(optimizer: torch.optim.Optimizer) -> tuple[float, list[float]]:
    """Return the largest rate of the groups that train, and the ratio of each group's to it.

    Groups whose rates are all 0, as in a scheduler's first step, count by their ``initial_lr``.

    Raises:
        ValueError: if a group has no rate that is a number, not below 0.
    """
    training = [any(p.requires_grad for p in g["params"]) for g in optimizer.param_groups]
    for name in ("lr", "initial_lr"):
        try:
            rates = [float(group[name]) for group in optimizer.param_groups]
        except (KeyError, TypeError, ValueError):
            if name == "initial_lr":
                break
            given = optimizer.param_groups[0].get("lr")
            raise ValueError(
                f"{type(optimizer).__name__} has lr={given!r}, so that it sets its own rate; give "
                "it a number as lr (for Adafactor: relative_step=False) to search for one"
            ) from None
        if bad := [rate for rate in rates if not 0 <= rate < math.inf]:
            raise ValueError(f"a parameter group has lr={bad[0]}, not a finite rate from 0 on")
        if (top := max(r for r, trains in zip(rates, training, strict=True) if trains)) > 0:
            return top, [rate / top for rate in rates]
    return 1.0, [1.0] * len(optimizer.param_groups)
