"""How a task is trained: a frozen value that prints as JSON and hashes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lrlab import optimizers, schedules
from lrlab.checks import Checked
from lrlab.optimizers import SGD, Optimizer
from lrlab.schedules import Schedule, controllers
from lrlab.schedules.controllers import Controller


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """Everything that decides a training run, apart from the task.

    Args:
        schedule: the learning rate as a function of the step, or a controller that sets it from
            what it observes.
        steps: number of optimizer updates.
        batch_size: examples in a batch.
        optimizer: the update rule, without its learning rate.
        seed: of the initial weights, the order of the data and all noise. Non-negative.
        init_seed: of the initial weights alone; None means `seed`.
        order_seed: of the order of the data alone; None means `seed`.
        eval_every: updates between two evaluations; None evaluates at the start and the end only,
            0 never.
        clip_norm: the gradient is scaled down to this global norm before the update; None: never.
            The recorded gradient norm is the one before clipping.
        lr_ratios: factors on the rate of the parameters whose names start with a prefix, such as
            ``{"0.": 0.1}``; the first prefix that fits counts, all others have ratio 1.
        average_decay: β in [0, 1) of an exponential moving average of the weights,
            w̄ ← β w̄ + (1 − β) w after each update, which is evaluated too, under
            ``averaged_train_loss`` and so on; None: none.
        max_loss: a batch loss above this ends the run as diverged, as does one that isn't finite.

    Raises:
        ValueError: if an argument makes no sense; the message holds the value.

    Example:
        >>> from lrlab.schedules import Cosine
        >>> recipe = Recipe(schedule=Cosine(0.1, steps=100), steps=100, batch_size=32)
        >>> Recipe.from_dict(recipe.to_dict()) == recipe
        True
    """

    schedule: Schedule | Controller
    steps: int
    batch_size: int
    optimizer: Optimizer = dataclasses.field(default_factory=SGD)
    seed: int = 0
    init_seed: int | None = None
    order_seed: int | None = None
    eval_every: int | None = None
    clip_norm: float | None = None
    lr_ratios: tuple[tuple[str, float], ...] | Mapping[str, float] = ()
    average_decay: float | None = None
    max_loss: float = 1e6

    def __post_init__(self) -> None:
        given = self.lr_ratios
        pairs = given.items() if isinstance(given, Mapping) else given
        ratios = tuple((str(prefix), float(ratio)) for prefix, ratio in pairs)
        object.__setattr__(self, "lr_ratios", ratios)
        self._check_int("steps", "batch_size")
        self._check_int("seed", low=0)
        self._check_int("init_seed", "order_seed", "eval_every", low=0, optional=True)
        self._check_float("clip_norm", open_low=True, optional=True)
        self._check_float("average_decay", high=1.0, optional=True)
        self._check_float("max_loss", open_low=True, open_high=False)
        for prefix, ratio in ratios:
            if not 0 <= ratio < float("inf"):
                raise ValueError(f"lr_ratios must not be negative, got {prefix!r}: {ratio}")

    def replace(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return data | {
            "schedule": self.schedule.to_dict(),
            "optimizer": self.optimizer.to_dict(),
            "lr_ratios": dict(self.lr_ratios),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Return the recipe that `to_dict` described.

        Raises:
            ValueError: if a name or a value in it is not known.
        """
        fields = dict(data)
        kind = controllers if "controller" in fields["schedule"] else schedules
        fields["schedule"] = kind.from_dict(fields["schedule"])
        fields["optimizer"] = optimizers.from_dict(fields["optimizer"])
        return cls(**fields)
