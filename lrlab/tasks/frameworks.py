"""Tasks made of what a framework's user has written: Lightning's modules, Hugging Face's trainers.

Neither framework is imported here; only what their own objects offer is used.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lrlab.tasks.module import ModuleTask, from_module


def from_lightning(module: nn.Module, datamodule: Any = None, *, steps: int = 1000) -> ModuleTask:
    """Make a task of a LightningModule and its data, by the module's own `training_step`.

    The optimizer is that of `configure_optimizers`, made for a copy; batches come from
    `train_dataloader`. Hooks other than these, loggers and callbacks are not called.

    Args:
        module: a LightningModule with automatic optimization and one optimizer.
        datamodule: a LightningDataModule; None: the module has `train_dataloader` itself.
        steps: length of the training that is planned [updates].

    Returns:
        A task with its own `recipe`.

    Raises:
        ValueError: if the module optimizes by hand, or has several optimizers or training loaders.

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
    own: Any = copy.deepcopy(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a module without a Trainer says so
        optimizer = _one_optimizer(own.configure_optimizers())
    if datamodule is not None:
        if getattr(datamodule, "trainer", None) is None:
            datamodule.prepare_data()
            datamodule.setup("fit")
        loader = datamodule.train_dataloader()
    else:
        loader = own.train_dataloader()
    if isinstance(loader, Mapping):
        raise ValueError("several training loaders: write the loss of a batch with from_module")
    takes_index = "batch_idx" in inspect.signature(own.training_step).parameters

    def loss(model: Any, batch: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*self.log.*")
            return model.training_step(batch, 0) if takes_index else model.training_step(batch)

    return from_module(own, optimizer, loader, loss=loss, steps=steps)


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
    kept = trainer.optimizer, trainer.lr_scheduler
    try:
        optimizer = trainer.create_optimizer() if kept[0] is None else kept[0]
    finally:
        trainer.optimizer, trainer.lr_scheduler = kept
    loader = trainer.get_train_dataloader()
    if steps is None:
        arguments = trainer.args
        epochs = arguments.num_train_epochs * len(loader) if arguments.max_steps <= 0 else 0
        per_update = max(1, arguments.gradient_accumulation_steps)
        steps = arguments.max_steps if arguments.max_steps > 0 else int(epochs // per_update)

    def loss(model: nn.Module, batch: Any) -> Any:
        return trainer.compute_loss(model, batch)

    return from_module(trainer.model, optimizer, loader, loss=loss, steps=max(1, steps))
