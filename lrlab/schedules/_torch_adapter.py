"""A schedule as a learning-rate scheduler of PyTorch."""

from __future__ import annotations

import weakref
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrlab.schedules._base import Schedule


class ScheduleLR(LRScheduler):
    """A schedule that drives an optimizer; made by `as_torch`."""

    def __init__(self, optimizer: Optimizer, schedule: Schedule, momentum: bool) -> None:
        self.schedule = schedule
        self._momentum = momentum
        super().__init__(optimizer)
        # A group added later is met before its first update, without waiting for the next step().
        adapter = weakref.ref(self)

        def adopt(*_: Any) -> None:
            scheduler = adapter()
            if scheduler and len(scheduler.optimizer.param_groups) > len(scheduler.base_lrs):
                scheduler._write()

        optimizer.register_step_pre_hook(adopt)

    def get_lr(self) -> list[float]:
        """Return the rate of every parameter group at the current step."""
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))
        rate = self.schedule(self.last_epoch)
        first = float(self.base_lrs[0])
        # The state of a resumed run may know groups that are still to be added.
        return [rate * (float(base) / first) for base in self.base_lrs[: len(groups)]]

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next update's rate: call it after ``optimizer.step()``."""
        super().step(epoch)
        self._write_momentum()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resume needs, as plain values that `torch.load` reads safely."""
        return {
            "schedule": self.schedule.to_dict(),
            "last_epoch": self.last_epoch,
            "base_lrs": [float(base) for base in self.base_lrs],
            "_step_count": self._step_count,
            "_last_lr": [float(rate) for rate in self._last_lr],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on at the step of the state, and write that step's rates to the optimizer.

        Raises:
            ValueError: if the state is of another schedule. To change the schedule on purpose,
                remove "schedule" from the state.
        """
        state = dict(state_dict)
        saved = state.pop("schedule", None)
        if saved is not None and saved != self.schedule.to_dict():
            raise ValueError(
                f"the state is of another schedule: {saved}, not {self.schedule.to_dict()}; "
                'to go on with this one, remove "schedule" from the state'
            )
        super().load_state_dict(state)
        self.base_lrs = list(self.base_lrs)
        self._write()

    def _write(self) -> None:
        rates = self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self._last_lr = rates
        self._write_momentum()

    def _write_momentum(self) -> None:
        if not self._momentum:
            return
        momentum = self.schedule.momentum(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def as_torch(optimizer: Optimizer, schedule: Schedule, *, momentum: bool = False) -> ScheduleLR:
    """Return a scheduler of PyTorch that gives the optimizer the schedule's rates.

    It is a `torch.optim.lr_scheduler.LRScheduler`: call ``step()`` after every update, or hand it
    to Lightning (with ``interval: "step"``) or to a Hugging Face ``Trainer``. The rate is computed
    from the step alone, so that a resumed run has the rates of an uninterrupted one, in whatever
    order the states of optimizer and scheduler are loaded.

    Args:
        optimizer: its first parameter group gets the schedule's rate; the others keep the ratio
            that their rates had to the first one's. A group added later counts by the rate that it
            is added with (by default, that of the optimizer's constructor).
        schedule: gives the rate at each step.
        momentum: also set the momentum (β₁, for Adam) by the schedule's `OneCycle.momentum`.

    Raises:
        ValueError: if the first group's rate is not positive, so that there is no ratio to keep; or
            if the momentum is asked for and the schedule or the optimizer has none.

    Example:
        >>> import torch
        >>> from lrlab.schedules import LinearDecayToZero, as_torch
        >>> weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
        >>> optimizer = torch.optim.SGD(
        ...     [{"params": weights[0]}, {"params": weights[1], "lr": 0.01}], lr=0.1
        ... )
        >>> scheduler = as_torch(optimizer, LinearDecayToZero(0.4, steps=4))
        >>> for _ in range(2):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 3) for rate in scheduler.get_last_lr()]
        [0.2, 0.02]
    """
    first = optimizer.param_groups[0]
    base = float(first.get("initial_lr", first["lr"]))
    if not base > 0:
        raise ValueError(f"the first group's lr must be positive, got lr={base}")
    if momentum and not hasattr(schedule, "momentum"):
        raise ValueError(f"momentum needs a OneCycle schedule, got {schedule}")
    if momentum and not {"momentum", "betas"} & first.keys():
        raise ValueError(f"momentum needs an optimizer that has it, got {type(optimizer).__name__}")
    return ScheduleLR(optimizer, schedule, momentum)
