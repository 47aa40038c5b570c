"""What every search is, whatever it trains: a space, a metric, a sampler, a stopping rule."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from lrlab.checks import Checked
from lrlab.sweep import rules
from lrlab.sweep._space import Space, from_dict
from lrlab.sweep.ranges import Range, plain

__all__ = ["Search"]

SAMPLERS = ("random", "quasi-random", "grid", "tpe", "gp")
ENDLESS = 10**9  # evaluations of a run whose length nobody knows beforehand
_LARGER_IS_BETTER = re.compile(
    r"(^|[^a-z])(accuracy|acc\d?|auc|auroc|f1|precision|recall|reward|return|bleu|rouge|map|iou|dice"
    r"|psnr|ssim|r2|win_?rate)([^a-z]|$)"
)
_MOST = {"trials": 10**5, "wave": 10**4, "judge_every": 10**6, "seed": 2**63 - 1}
_LONGEST_NAME = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Search(Checked):
    """What is searched, whatever is trained: `Plan` is one over a task, and has an example.

    Another one says what its trials are, and comes to `lrlab.sweep.sweep` with the `Workers` that
    bring them on.

    Args:
        space: what is searched, a range for each name.
        trials: how many.
        metric: the name of what is made small, or large.
        direction: ``"minimize"`` or ``"maximize"``; None: small, unless that makes no sense.
        sampler: one of those of `Plan`.
        rule: the stopping rule and its arguments; None: no trial is stopped.
        grid: for the sampler ``"grid"``: the values of each name.
        wave: trials that are asked for at once and advance together.
        judge_every: evaluations between two judgements.
        seed: of the sampler.

    Raises:
        ValueError: if something makes no sense; the message holds the value.
    """

    space: Space
    trials: int
    metric: str = "validation_loss"
    direction: str | None = None
    sampler: str = "tpe"
    rule: Mapping[str, Any] | None = None
    grid: Mapping[str, tuple[Any, ...]] | None = None
    wave: int = 8
    judge_every: int = 1
    seed: int = 0

    free: ClassVar[frozenset[str]] = frozenset({"trials"})
    """Fields that may be others when a study goes on."""

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            self._check_int(name, low=int(name != "seed"), high=most)
        self._check_choice("sampler", SAMPLERS)
        self._check_metric()
        self._check_space()
        self._check_grid()
        if self.rule is not None:
            rules.make(self.rule)
            object.__setattr__(self, "rule", {k: plain(v) for k, v in self.rule.items()})

    def _check_metric(self) -> None:
        if not isinstance(self.metric, str) or not self.metric.strip():
            raise ValueError(f"metric must be the name of an evaluation, got {self.metric!r}")
        if self.metric == "step":
            raise ValueError("metric must be the name of an evaluation, and 'step' counts updates")
        if self.direction is not None:
            self._check_choice("direction", ("minimize", "maximize"))
        elif larger_is_better(self.metric):
            raise ValueError(
                f"a larger {self.metric} is better, and a search makes its metric small: say "
                "direction: maximize (goal: maximize in W&B's files), or minimize if that is meant"
            )

    def _check_space(self) -> None:
        if not isinstance(self.space, Mapping):
            raise ValueError(f"space must be a mapping, got {self.space!r}")
        if not self.space:
            raise ValueError("space is empty; name at least one hyperparameter")
        for name, searched in self.space.items():
            if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
                raise ValueError(f"the space can't hold {name!r}")
            if not isinstance(searched, Range):
                raise ValueError(
                    f"space: {name} must be a range such as LogUniform, got {searched!r}"
                )

    def _check_grid(self) -> None:
        if (self.sampler == "grid") != (self.grid is not None):
            raise ValueError("a grid and the sampler 'grid' belong together")
        if self.grid is None:
            return
        if not isinstance(self.grid, Mapping):
            raise ValueError(f"grid must be a mapping, got {self.grid!r}")
        if self.grid.keys() != self.space.keys():
            raise ValueError(
                f"grid and space need the same names, got {', '.join(map(str, self.grid))}"
            )
        grid, points = {}, 1
        for name, given in self.grid.items():
            values = plain(given) if hasattr(given, "tolist") else given
            if isinstance(values, (str, bytes)) or not isinstance(values, Sequence) or not values:
                raise ValueError(f"grid: {name} must be a list of values, got {values!r}")
            grid[name] = tuple(plain(value) for value in values)
            points *= len(values)
            if outside := [value for value in grid[name] if not self.space[name].holds(value)]:
                raise ValueError(f"grid: {name} {outside[0]!r} is outside of its range")
        if self.trials > points:
            raise ValueError(f"the grid has {points} points, got trials={self.trials}")
        object.__setattr__(self, "grid", grid)

    def check(self, *, metric: bool = True) -> None:
        """Look whether it can be carried out."""

    @property
    def evaluations(self) -> int:
        """How often the metric of a complete run is looked at, the start not counted."""
        return ENDLESS

    def step_of(self, evaluation: int) -> int:
        """Return the number of updates done at an evaluation, which are counted from 1."""
        return evaluation

    @property
    def maximizes(self) -> bool:
        """Whether a larger metric is better."""
        return self.direction == "maximize"

    def rungs(self) -> list[int]:
        """Return the evaluations after which the rule is asked, the last one left out."""
        return rules.rungs(self.rule, self.evaluations, self.judge_every)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["space"] = {name: searched.to_dict() for name, searched in self.space.items()}
        data["rule"] = None if self.rule is None else dict(self.rule)
        if self.grid is not None:
            data["grid"] = {name: list(values) for name, values in self.grid.items()}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the plan that `to_dict` described.

        Raises:
            ValueError: if a name or a value in it is not known.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"a sweep must be a mapping, got {data!r}")
        fields = dict(data)
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(map(str, fields.keys() - known)):
            raise ValueError(f"{unknown[0]!r} is not a part of a sweep; {', '.join(sorted(known))}")
        required = ("task", "recipe", "space", "trials")
        if missing := [name for name in required if name in known and name not in fields]:
            raise ValueError(f"the sweep has no {missing[0]}")
        if not isinstance(fields["space"], Mapping):
            raise ValueError(f"space must be a mapping, got {fields['space']!r}")
        fields["space"] = {name: from_dict(searched) for name, searched in fields["space"].items()}
        return cls(**fields)


def larger_is_better(metric: str) -> bool:
    """Return whether a metric is known to be better when it is large.

    Example:
        >>> larger_is_better("val/accuracy"), larger_is_better("validation_loss")
        (True, False)
    """
    return _LARGER_IS_BETTER.search(metric.lower()) is not None


def same(one: Search, other: Mapping[str, Any]) -> list[str]:
    """Return the fields in which a stored plan differs from this one, those left out that may."""
    mine = json.loads(json.dumps(one.to_dict()))
    try:
        theirs = json.loads(json.dumps(type(one).from_dict(other).to_dict()))
    except (ValueError, TypeError, KeyError):
        theirs = dict(other)
    return sorted(k for k in mine if k not in one.free and mine[k] != theirs.get(k))
