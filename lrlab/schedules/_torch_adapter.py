"""Schedules and plateau controllers as learning-rate schedulers of PyTorch."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrlab.checks import is_integer
from lrlab.schedules import _base
from lrlab.schedules._base import Schedule
from lrlab.schedules.controllers import Controller

Source = Schedule | Controller | Sequence[Schedule]
_COMPARED = 10_000  # steps at which the pasts of two schedules are compared, at most


class ScheduleLR(LRScheduler):
    """A schedule that drives an optimizer; made by `as_torch`."""

    def __init__(self, optimizer: Optimizer, source: Source, momentum: bool, extend: bool) -> None:
        self.schedule = source
        self._momentum, self._extend = momentum, extend
        self._state = source.start() if isinstance(source, Controller) else None
        for group, base in zip(optimizer.param_groups, _bases(optimizer), strict=True):
            group["initial_lr"] = base
        super().__init__(optimizer)
        self._attach()

    _updated = _counts = _listens = False

    def _attach(self) -> None:
        """Listen to the optimizer: for groups added later, and for updates that it leaves out."""
        inner = (self.optimizer, *vars(self.optimizer).values())  # of a wrapper, what it wraps
        hooks = "_optimizer_step_pre_hooks"
        listened = next((one for one in inner if hooks in getattr(one, "__dict__", ())), None)
        self._updated, self._counts, self._listens = False, False, listened is not None
        if listened is None:
            return
        adapter = weakref.ref(self)

        def before(*_: Any) -> None:
            if scheduler := adapter():
                scheduler._adopt()

        def after(*_: Any) -> None:
            if scheduler := adapter():
                scheduler._updated = scheduler._counts = True

        listened.register_step_pre_hook(before)
        listened.register_step_post_hook(after)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on after a copy or from a pickle, with the optimizer that came along."""
        self.__dict__.update(state)
        self._step_count = max(2, self._step_count)  # torch's check of the order follows no copy
        self._attach()

    def _adopt(self) -> None:
        """Give a group that was added since its rate, unless another scheduler has taken it."""
        new = self.optimizer.param_groups[len(self.base_lrs) :]
        fresh = [group for group in new if "initial_lr" not in group]
        if fresh and self.last_epoch >= 0:
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                if any(group is one for one in fresh):
                    _write(group, rate)

    def get_lr(self) -> list[float | Tensor]:
        """Return the rate of every parameter group at the current step."""
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:
            self.base_lrs.append(group.setdefault("initial_lr", _number(group["lr"])))
        # The state of a resumed run may know groups that are still to be added.
        bases = [float(base) for base in self.base_lrs[: len(groups)]]
        if isinstance(self.schedule, Schedule | Controller):
            rate = self._rate(self.schedule)
            first = next((base for base in bases if base > 0), 1.0)
            return [rate * (base / first) for base in bases]
        own = [self._rate(schedule) for schedule in self.schedule[: len(groups)]]
        return [*own, *bases[len(own) :]]

    def _rate(self, source: Schedule | Controller) -> float:
        if isinstance(source, Controller):
            return float(source.rate(self._state, self.last_epoch))
        return source(self.last_epoch)

    def step(self, epoch: Any = None, *, metrics: Any = None) -> None:
        """Go on to the next update's rate: call it after ``optimizer.step()``.

        Where the update was left out (a GradScaler does that when gradients overflow), the rate
        stays: steps count updates. What is given to a controller is a metric, as it is to torch's
        ``ReduceLROnPlateau``: ``step(loss)`` is ``observe(loss)``, and counts no update.

        Raises:
            ValueError: if a metric is no number, or something else than a step is given to a
                schedule.
        """
        if metrics is not None or (epoch is not None and isinstance(self.schedule, Controller)):
            return self.observe(epoch if metrics is None else metrics)
        if epoch is not None and not (is_integer(epoch) and epoch >= 0):
            raise ValueError(
                f"a schedule's step counts updates, got {epoch!r:.60}; for a metric give as_torch "
                "a controller"
            )
        listens = self._listens and epoch is None and not self._is_initial
        if listens and not self._updated and (self._counts or _overflowed(self.optimizer)):
            return
        super().step(epoch if epoch is None else int(epoch))

    def _update_lr(self, epoch: int | None = None) -> None:
        self._updated = False
        super()._update_lr(epoch)
        self._write_momentum()

    def observe(self, metric: float) -> None:
        """Show a metric to the controller, after an evaluation, and write what follows from it.

        Raises:
            ValueError: if the rate is a schedule's, which observes nothing, or the metric is no
                number.
        """
        if not isinstance(self.schedule, Controller):
            raise ValueError("a schedule observes nothing; give as_torch a controller")
        try:
            value = float(metric)
        except (TypeError, ValueError, RuntimeError):
            raise ValueError(f"a metric is one number, got {metric!r:.60}") from None
        if self.last_epoch >= self.schedule.waits:
            self._state, _ = self.schedule.update(self._state, value)
            self._write_all()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resume needs, as plain values that `torch.load` reads safely."""
        state = {
            "schedule": _described(self.schedule),
            "last_epoch": self.last_epoch,
            "base_lrs": [float(base) for base in self.base_lrs],
            "_step_count": self._step_count,
            "_last_lr": [float(rate) for rate in self._last_lr],
        }
        return state | ({"controller": self._state.to_dict()} if self._state is not None else {})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on at the step of the state, and write that step's rates to the optimizer.

        A schedule that had the same rates so far, such as a longer one with the same constant part,
        goes on where the other was.

        Raises:
            ValueError: if it is no scheduler's state, or that of a schedule whose rates so far were
                others. To go on at this one's rates on purpose, make it with ``extend=True``.
        """
        state = dict(state_dict) if isinstance(state_dict, Mapping) else {}
        if not is_integer(state.get("last_epoch")):
            got = list(state) or state_dict
            raise ValueError(f"no scheduler's state, which has a last_epoch: got {got!r:.60}")
        saved, own = state.pop("schedule", None), _described(self.schedule)
        other = saved is not None and saved != own and not self._extend
        if other and not _same_past(saved, self.schedule, int(state["last_epoch"])):
            raise ValueError(
                f"the state is of another schedule: {saved}, not {own}; to go on with this one's "
                "rates, give as_torch extend=True"
            )
        kept = state.pop("controller", None)
        if kept is not None and isinstance(self.schedule, Controller):
            self._state = self.schedule.resume(kept)
        super().load_state_dict(state)
        self.base_lrs = list(self.base_lrs)
        if self.last_epoch >= 0:  # else it waits for its turn in a SequentialLR
            self._write_all()

    def _write_all(self) -> None:
        rates = self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            _write(group, rate)
        self._last_lr = rates
        self._write_momentum()

    def _write_momentum(self) -> None:
        if not self._momentum:
            return
        schedule: Any = self.schedule
        momentum = schedule.momentum(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def as_torch(
    optimizer: Optimizer, schedule: Source, *, momentum: bool = False, extend: bool = False
) -> ScheduleLR:
    """Return a scheduler of PyTorch that gives the optimizer the schedule's rates.

    It is a `torch.optim.lr_scheduler.LRScheduler`: call ``step()`` after every update, or hand it
    to Lightning (with ``interval: "step"``) or to a Hugging Face ``Trainer``. The rate is computed
    from the step alone, so that a resumed run has the rates of an uninterrupted one, in whatever
    order the states of optimizer and scheduler are loaded.

    Args:
        optimizer: its first parameter group with a positive rate gets the schedule's; the others
            keep the ratio that their rates have to that one's, at 0 they stay there. Where a
            former scheduler has left all of them at 0, their ``initial_lr`` counts. A group added
            later counts by the rate that it is added with (by default, that of the optimizer's
            constructor).
        schedule: gives the rate at each step. Or a list of schedules, one for each group, without
            ratios; groups added later keep their rates. Or a controller of a metric, such as
            ``AfterWarmup(ReduceOnPlateau(0.1), warmup_steps=500)``: then also call
            ``observe(loss)`` or, as torch's plateau has it, ``step(loss)`` after each evaluation.
        momentum: also set the momentum (β₁, for Adam) by the schedule's `OneCycle.momentum`.
        extend: take up the state of any other schedule, at its step with this one's rates: for
            prolonging a run on purpose. A state whose rates so far are this one's is always taken.

    Raises:
        ValueError: if it is no optimizer or no schedule; if no group has a positive rate, or one
            has none that is a number; if there are not as many schedules as groups, or the
            controller observes gradients; or if the momentum is asked for and the schedule or the
            optimizer has none.

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
    groups = optimizer.param_groups if isinstance(optimizer, Optimizer) else ()
    if not groups:
        raise ValueError(
            f"as_torch needs a torch optimizer first, with a group at least, got {optimizer!r:.60}"
        )
    if not isinstance(schedule, Schedule | Controller):
        given, schedule = schedule, tuple(schedule) if isinstance(schedule, Iterable) else ()
        if not schedule or not all(isinstance(one, Schedule) for one in schedule):
            raise ValueError(
                "as_torch needs a schedule, a controller, or a list of schedules, one for each "
                f"group, got {given!r:.60}; a rule of one's own is a subclass of Schedule"
            )
        if len(schedule) != len(groups):
            raise ValueError(
                f"one schedule for each parameter group, got {len(schedule)} for {len(groups)}"
            )
    elif isinstance(schedule, Controller) and schedule.observes != "metric":
        raise ValueError(f"as_torch needs a controller of a metric, got {schedule}")
    bases = _bases(optimizer)
    if not any(base > 0 for base in bases) and not isinstance(schedule, tuple):
        raise ValueError(f"at least one group's lr must be positive, got lr={bases[0]}")
    if momentum and not hasattr(schedule, "momentum"):
        raise ValueError(f"momentum needs a OneCycle schedule, got {schedule}")
    if momentum and not {"momentum", "betas"} & groups[0].keys():
        raise ValueError(f"momentum needs an optimizer that has it, got {type(optimizer).__name__}")
    return ScheduleLR(optimizer, schedule, momentum, extend)


def _bases(optimizer: Optimizer) -> list[float]:
    """Return the rates whose ratios are kept: those of now, or their exact start.

    What a former scheduler has scaled as a whole counts by its ``initial_lr``, whose ratios are the
    same without rounding; where rates were changed since, those of now count.
    """
    groups = optimizer.param_groups
    now = [_number(group.get("lr"), optimizer) for group in groups]
    first = [_number(g.get("initial_lr", rate)) for g, rate in zip(groups, now, strict=True)]
    if not any(now) or _ratios_agree(now, first):
        return first
    return now


def _ratios_agree(a: Sequence[float], b: Sequence[float]) -> bool:
    largest = max(range(len(a)), key=lambda i: a[i])
    if not (a[largest] > 0 and b[largest] > 0):
        return False
    pairs = zip(a, b, strict=True)
    return all(math.isclose(x * b[largest], y * a[largest], rel_tol=1e-6) for x, y in pairs)


def _number(rate: Any, optimizer: Optimizer | None = None) -> float:
    try:
        return float(rate)
    except (TypeError, ValueError):
        raise ValueError(
            f"a parameter group of {type(optimizer).__name__} has lr={rate!r}: an optimizer that "
            "sets its own rate (Adafactor with relative_step=True) has none to be scheduled; give "
            "it a number as lr"
        ) from None


def _write(group: dict[str, Any], rate: float | Tensor) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def _overflowed(optimizer: Optimizer) -> bool:
    """Say whether a gradient is there that is not finite, so that an update was left out."""
    grads = (p.grad for group in optimizer.param_groups for p in group["params"])
    return any(grad is not None and not bool(torch.isfinite(grad).all()) for grad in grads)


def _described(source: Source) -> Any:
    if isinstance(source, Schedule | Controller):
        return source.to_dict()
    return [schedule.to_dict() for schedule in source]


def _same_past(saved: Any, source: Source, step: int) -> bool:
    """Say whether a described schedule had the rates of another one up to a step, 1 at least."""
    if isinstance(saved, list) or not isinstance(source, Schedule):
        pairs = zip(saved, source, strict=False) if isinstance(source, tuple) else ()
        same = isinstance(saved, list) and isinstance(source, tuple) and len(saved) == len(source)
        return same and all(_same_past(a, b, step) for a, b in pairs)
    try:
        old = _base.from_dict(saved)
    except (ValueError, KeyError, TypeError):  # of a class that is not known here
        return False
    near = np.arange(max(0, step - _COMPARED // 2), max(step, 0) + 1)
    far = np.linspace(0, max(step, 0), _COMPARED // 2).astype(np.int64)
    steps = np.union1d(near, far)
    return step > 0 and bool(np.array_equal(old(steps), source(steps)))
