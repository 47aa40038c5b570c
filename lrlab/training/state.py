"""The moving parts of a run while it trains: built from a recipe, saved and restored as one."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lrlab.randomness import generator, stream_seed
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training._history import History
from lrlab.training._rate import Rate
from lrlab.training.probes import Probe

__all__ = ["TrainingState"]


class TrainingState:
    """Model, optimizer, data position, generators, rate, weight average and history of a run.

    Seeds torch's global generator, from which layers draw; call it inside
    `lrlab.randomness.fork_rng`.

    Args:
        task: data, model and loss.
        recipe: how it is trained.
        probes: what will be measured.

    Raises:
        ValueError: if there is nothing to train, or a prefix of `lr_ratios` fits no parameter.

    Example:
        >>> from lrlab import schedules, tasks
        >>> from lrlab.randomness import fork_rng
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> with fork_rng():
        ...     state = TrainingState(tasks.get("mnist", n_train=32), recipe, ())
        >>> state.history.steps
        0
    """

    def __init__(self, task: Task, recipe: Recipe, probes: Sequence[Probe]) -> None:
        init_seed = recipe.seed if recipe.init_seed is None else recipe.init_seed
        order_seed = recipe.seed if recipe.order_seed is None else recipe.order_seed
        order = generator(order_seed, "order")
        if task.live:
            mine: Any = task
            own = mine.parts(init_seed)
            self.model, self.optimizer, self.ratios = own.model, own.optimizer, own.ratios
            self.parameters, self.batches = own.parameters, own.batches(order)
            torch.manual_seed(stream_seed(recipe.seed, "layers"))
        else:
            torch.manual_seed(stream_seed(init_seed, "initialisation"))
            self.model = task.model()
            torch.manual_seed(stream_seed(recipe.seed, "layers"))  # dropout and the like
            groups, self.ratios = parameter_groups(self.model, dict(recipe.lr_ratios))
            self.optimizer = recipe.optimizer.build(groups)
            self.parameters = [p for group in groups for p in group["params"]]
            self.batches = task.batches(recipe.batch_size, order)
        self.brought = task.live
        self._wants_closure = False
        self.noise = generator(recipe.seed, "noise")
        self.rate = Rate(recipe.schedule, recipe.steps)
        self.history = History(recipe.steps, probes)
        self.average: AveragedModel | None = None
        if recipe.average_decay is not None:
            rule = get_ema_multi_avg_fn(recipe.average_decay)
            self.average = AveragedModel(self.model, multi_avg_fn=rule, use_buffers=True)

    def to_training_mode(self) -> None:
        """Put the model into training mode; one of one's own keeps the modes of its layers.

        A frozen normalisation stays in evaluation mode; a model that was wholly in it does not.
        """
        if not (self.brought and any(module.training for module in self.model.modules())):
            self.model.train()
        if hasattr(self.optimizer, "train"):  # a schedule-free one has modes of its own
            self.optimizer.train()

    def gradient_norm(self) -> torch.Tensor:
        """Return the norm of all gradients together, sparse ones included.

        Raises:
            ValueError: if a model of one's own has none.
        """
        grads = [p.grad for p in self.parameters if p.grad is not None]
        if not grads and self.brought:
            raise ValueError(
                "no parameter has a gradient: the loss must use the model that it is given, not "
                "one that it has found elsewhere"
            )
        if any(grad.is_sparse for grad in grads):
            grads = [grad.coalesce().values() if grad.is_sparse else grad for grad in grads]
        return nn.utils.get_total_norm(grads)

    def update(self, closure: Callable[[], torch.Tensor]) -> None:
        """Let the optimizer do its update.

        Args:
            closure: clears the gradients, computes loss and gradients again and returns the loss;
                for optimizers that ask for it (LBFGS, SAM).

        Raises:
            ValueError: if the optimizer needs gradients that can be derived again.
        """
        if not self._wants_closure:
            try:
                self.optimizer.step()
                return
            except Exception as error:  # of whatever class the optimizer's author has chosen
                if "grad_fn" in str(error):
                    raise ValueError(f"it needs backward(create_graph=True): {error}") from error
                if "closure" not in str(error).lower():
                    raise
                self._wants_closure = True  # it has changed nothing yet
        self.optimizer.step(closure)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Put an optimizer that has modes of its own (schedule-free) into evaluation mode.

        The weights come back bit for bit: an evaluation changes nothing of what follows.
        """
        own: Any = self.optimizer
        if not hasattr(own, "eval"):
            yield
            return
        kept = [parameter.detach().clone() for parameter in self.parameters]
        own.eval()
        try:
            yield
        finally:
            own.train()
            with torch.no_grad():
                torch._foreach_copy_(self.parameters, kept)

    def models(self) -> dict[str, nn.Module]:
        """Return what is evaluated, by the prefix of its metrics' names."""
        averaged = {"averaged_": self.average} if self.average is not None else {}
        return {"": self.model} | averaged

    def state_dict(self, seconds: float) -> dict[str, Any]:
        """Return all of it as tensors and plain values; `seconds` is the time taken so far."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "batches": self.batches.state_dict(),
            "noise": self.noise.get_state(),
            "layers": torch.get_rng_state(),
            "rate": self.rate.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "history": self.history.state_dict(seconds),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` described; nothing is shared with it afterwards."""
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.batches.load_state_dict(state["batches"])
        self.noise.set_state(state["noise"])
        torch.set_rng_state(state["layers"])
        self.rate.load_state_dict(state["rate"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.history.load_state_dict(state["history"])


@contextlib.contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode for a moment; each layer gets its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def parameter_groups(
    model: nn.Module, lr_ratios: dict[str, float]
) -> tuple[list[dict[str, Any]], list[float]]:
    """Return parameter groups for torch, and the ratio of each group's rate to the scheduled one.

    Args:
        model: the model; parameters that need no gradient are left out.
        lr_ratios: ratio by prefix of the parameter's name; the first prefix that fits counts.

    Raises:
        ValueError: if no parameter can be trained, or a prefix fits none.

    Example:
        >>> groups, ratios = parameter_groups(nn.Linear(2, 1), {"bias": 2.0})
        >>> [len(group["params"]) for group in groups], ratios
        ([1, 1], [1.0, 2.0])
    """
    by_prefix: dict[str | None, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            fits = (prefix for prefix in lr_ratios if name.startswith(prefix))
            by_prefix.setdefault(next(fits, None), []).append(parameter)
    if not by_prefix:
        raise ValueError("the model has no parameter that can be trained")
    for prefix in lr_ratios:
        if prefix not in by_prefix:
            raise ValueError(f"lr_ratios: no parameter's name starts with {prefix!r}")
    groups = [{"params": parameters} for parameters in by_prefix.values()]
    return groups, [1.0 if prefix is None else lr_ratios[prefix] for prefix in by_prefix]
