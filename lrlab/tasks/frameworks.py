"""Tasks made of what a framework's user has written: Lightning's modules, Hugging Face's trainers.

Neither framework is imported here; only what their own objects offer is used.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from lrlab.tasks._loader import length
from lrlab.tasks.module import ModuleTask, from_module


def from_lightning(module: nn.Module, datamodule: Any = None, *, steps: int = 1000) -> ModuleTask:
    """Make a task of a LightningModule and its data, by the module's own `training_step`.

    The optimizer is that of `configure_optimizers`, made for a copy; batches come from
    `train_dataloader`, after `prepare_data` and `setup` where no Trainer has called them. Other
    hooks, loggers and callbacks are not called.

    Args:
        module: a LightningModule with automatic optimization and one optimizer.
        datamodule: a LightningDataModule, or a loader; None: the module has `train_dataloader`.
        steps: length of the training that is planned [updates].

    Returns:
        A task with its own `recipe`.

    Raises:
        ValueError: if the module optimizes by hand, has several optimizers or training loaders, or
            needs a Trainer that is not attached.

    Example:
        >>> class Module(nn.Linear):  # for short: a LightningModule has these methods too
        ...     def training_step(self, batch, batch_idx):
        ...         return nn.functional.mse_loss(self(batch[0]), batch[1])
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), lr=0.1)
        ...     def train_dataloader(self):
        ...         return [(torch.ones(8, 2), torch.zeros(8, 1))]
        >>> from_lightning(Module(2, 1)).recipe.schedule.lr
        0.1
    """
    if not getattr(module, "automatic_optimization", True):
        raise ValueError(
            "the module optimizes by hand (automatic_optimization is False): write its update with "
            "lrlab.tasks.from_factory"
        )
    own: Any = module
    with contextlib.suppress(Exception):  # what can't be copied is trained in place
        own = copy.deepcopy(module)
    with warnings.catch_warnings(), _no_trainer():
        warnings.simplefilter("ignore")  # a module without a Trainer says so
        for one in (datamodule, own):
            if hasattr(one, "setup") and not any(map(vars(one).get, ("_trainer", "trainer"))):
                one.prepare_data()
                one.setup("fit")
        optimizer = _one_optimizer(own.configure_optimizers())
        source = own if datamodule is None else datamodule
        loader = source.train_dataloader() if hasattr(source, "train_dataloader") else source
    listed = isinstance(loader, list | tuple) and any(isinstance(one, DataLoader) for one in loader)
    if listed or isinstance(loader, Mapping) or type(loader).__name__ == "CombinedLoader":
        raise ValueError("several training loaders: write the loss of a batch with from_module")
    kinds = [p.kind for p in inspect.signature(own.training_step).parameters.values()]
    one = inspect.Parameter
    named = sum(kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for kind in kinds)
    index = (0,) if named > 1 or one.VAR_POSITIONAL in kinds else ()

    def loss(model: Any, batch: Any) -> Any:
        with warnings.catch_warnings(), _no_trainer():
            warnings.filterwarnings("ignore", ".*self.log.*")
            return model.training_step(batch, *index)

    return from_module(own, optimizer, loader, loss=loss, steps=steps)


@contextlib.contextmanager
def _no_trainer() -> Iterator[None]:
    """Say what to do where a user's own method fails for want of a Trainer."""
    try:
        yield
    except Exception as error:  # whatever a user's method raises
        if isinstance(error, ValueError) or not re.search("Trainer|NoneType", str(error)):
            raise
        raise ValueError(
            f"{type(error).__name__} without a Trainer: {error}; attach one beforehand "
            "(module.trainer = …), or hand over module, optimizer, loader and "
            "loss=lambda m, batch: m.training_step(batch, 0) with lrlab.tasks.from_module"
        ) from error


def _one_optimizer(given: Any) -> torch.optim.Optimizer:
    """Return the optimizer of what `configure_optimizers` may return."""
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], list):
        given = given[0]  # optimizers, schedulers
    if isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    if isinstance(given, Mapping):
        given = given.get("optimizer")
    if not isinstance(given, torch.optim.Optimizer):
        raise ValueError(
            f"configure_optimizers must give one optimizer, got {type(given).__name__}; for "
            "several write the update with lrlab.tasks.from_factory"
        )
    return given


def from_trainer(trainer: Any, *, steps: int | None = None) -> ModuleTask:
    """Make a task of a Hugging Face `Trainer`: its model, optimizer, batches and `compute_loss`.

    Gradients are clipped as the trainer's arguments say; an update takes one batch. A loss that
    uses the trainer's own `model` finds the one that is trained.

    Args:
        trainer: the trainer, before or after training; it stays as it was.
        steps: length of the training that is planned [updates]; None: the trainer's `max_steps`,
            or its epochs.

    Returns:
        A task with its own `recipe`.

    Raises:
        ValueError: if the trainer has no training data, or its optimizer has no rate.

    Example:
        >>> task = from_trainer(trainer)  # doctest: +SKIP
    """
    if getattr(trainer, "train_dataset", None) is None:
        raise ValueError("the trainer has no train_dataset")
    own = copy.copy(trainer)  # what is set to it, by its methods too, is not set to the original
    optimizer = own.create_optimizer() if own.optimizer is None else own.optimizer
    loader, arguments = own.get_train_dataloader(), own.args
    if (per_update := max(1, arguments.gradient_accumulation_steps)) > 1:
        said = f"an update takes one batch here, not {per_update}: give batches that much larger"
        warnings.warn(f"gradient_accumulation_steps={per_update}: {said}", stacklevel=2)
    steps = steps or max(0, arguments.max_steps)
    if not steps:
        if (epoch := length(loader)) is None:
            raise ValueError("the trainer's data have no length: say steps, or max_steps to it")
        steps = int(arguments.num_train_epochs * epoch // per_update)

    def loss(model: nn.Module, batch: Any) -> Any:
        own.model = own.model_wrapped = model  # which the method may use as its own
        return own.compute_loss(model, batch)

    own.model = own.model_wrapped = None  # the method finds the one that is handed to the loss
    task = from_module(trainer.model, optimizer, loader, loss=loss, steps=max(1, steps))
    clip = getattr(arguments, "max_grad_norm", None) or None
    return dataclasses.replace(task, recipe=task.recipe.replace(clip_norm=clip))
