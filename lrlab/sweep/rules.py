"""When a sweep stops a run: W&B's rule, written out, and Optuna's pruners by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import optuna

from lrlab.checks import described, is_number
from lrlab.sweep._hyperband import wandb_bands, wandb_stops

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["WandbHyperband", "make", "rungs"]


class WandbHyperband(optuna.pruners.BasePruner):
    """W&B's `early_terminate: hyperband` as a pruner of Optuna: one asynchronous rule, no brackets.

    An iteration is one finite value that was reported: what counts is how often the metric is
    evaluated, not how many updates were made. In a study that makes its metric large, the same
    holds for the values turned round.

    Args:
        min_iter: evaluations before the first band.
        max_iter: evaluations of a complete run; counts if both are given.
        s: number of bands, with `max_iter`.
        eta: ratio of neighbouring bands; one in this many runs goes on.
        strict: compare the value at the band instead of the best so far.

    Raises:
        ValueError: if there is no band.

    Example:
        >>> WandbHyperband(min_iter=25, eta=2).bands[:4]
        (25, 50, 100, 200)
    """

    def __init__(
        self,
        *,
        min_iter: int | None = None,
        max_iter: int | None = None,
        s: int = 2,
        eta: float = 3,
        strict: bool = False,
    ) -> None:
        self.bands = wandb_bands(min_iter=min_iter, max_iter=max_iter, s=s, eta=eta)
        self.eta, self.strict = eta, strict

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether the trial is to be stopped now."""
        sign = -1.0 if study.direction == optuna.study.StudyDirection.MAXIMIZE else 1.0
        others = [
            _history(other, sign)
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
        ]
        mine = _history(trial, sign)
        return wandb_stops(mine, others, self.bands, eta=self.eta, strict=self.strict)


def _history(trial: FrozenTrial, sign: float) -> list[float]:
    # A database gives them in whatever order.
    return [sign * trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]


_RULES: Mapping[str, Any] = {
    "wandb-hyperband": WandbHyperband,
    "successive-halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "median": optuna.pruners.MedianPruner,
    "none": optuna.pruners.NopPruner,
}
_AUTO = (("successive-halving", "min_resource", "auto"), ("hyperband", "max_resource", "auto"))
_FROM_ZERO = {"min_early_stopping_rate", "bootstrap_count", "n_startup_trials", "n_warmup_steps"}
_MOST = {"s": 100, "reduction_factor": 1000, "min_early_stopping_rate": 100}
_LARGEST = 10**9


def _checked(name: str, key: str, value: Any) -> Any:
    if (name, key, value) in _AUTO:
        return value
    if key == "strict":
        if not isinstance(value, bool):
            raise ValueError(f"{name}: strict must be true or false, got {value!r}")
        return value
    if key == "eta":
        if not is_number(value) or not 1 < value <= _LARGEST:
            raise ValueError(f"{name}: eta must be a number above 1, got eta={value!r}")
        return float(value) if value % 1 else int(value)
    least = 2 if key == "reduction_factor" else int(key not in _FROM_ZERO)
    most = _MOST.get(key, _LARGEST)
    if not is_number(value):
        raise ValueError(f"{name}: {key} must be a number, got {value!r}")
    if not least <= value <= most or value % 1:
        raise ValueError(
            f"{name}: {key} must be a whole number from {least} to {most}, got {key}={value!r}"
        )
    return int(value)


def make(rule: Mapping[str, Any] | None) -> optuna.pruners.BasePruner:
    """Return a stopping rule by its name and arguments.

    Args:
        rule: ``{"rule": name, …}`` with a name of ``wandb-hyperband``, ``successive-halving``,
            ``hyperband``, ``median`` (the last three are Optuna's) or ``none``, and the rule's own
            arguments, in evaluations; None: no rule.

    Raises:
        ValueError: if there is no such rule, or an argument is unknown or makes no sense.

    Example:
        >>> make({"rule": "wandb-hyperband", "min_iter": 25, "eta": 2}).bands[0]
        25
    """
    name, arguments = described("rule", _RULES, {"rule": "none"} if rule is None else rule)
    arguments = {k: _checked(name, k, v) for k, v in arguments.items() if v is not None}
    if name == "hyperband":
        least, most = arguments.get("min_resource", 1), arguments.get("max_resource", "auto")
        if most != "auto" and most < least:
            raise ValueError(
                f"hyperband: max_resource must be at least min_resource={least}, got {most}"
            )
    return _RULES[name](**arguments)


def rungs(rule: Mapping[str, Any] | None, evaluations: int, judge_every: int = 1) -> list[int]:
    """Return the evaluations after which a rule is asked, the last one left out.

    W&B's rule and successive halving know theirs; the others are asked every `judge_every`-th time.

    Args:
        rule: as for `make`.
        evaluations: of a complete run.
        judge_every: evaluations between two judgements.

    Example:
        >>> rungs({"rule": "wandb-hyperband", "min_iter": 3, "eta": 2}, evaluations=20)
        [3, 6, 12]
        >>> rungs({"rule": "median"}, evaluations=20, judge_every=5)
        [5, 10, 15]
        >>> rungs(None, evaluations=20)
        []
    """
    pruner, given = make(rule), rule or {}
    if isinstance(pruner, optuna.pruners.NopPruner):
        return []
    if isinstance(pruner, WandbHyperband):
        return sorted({band for band in pruner.bands if band < evaluations})
    if given["rule"] == "successive-halving" and isinstance(given.get("min_resource"), int):
        found, band = [], first_look(rule) or evaluations
        while band < evaluations:
            found.append(band)
            band *= given.get("reduction_factor", 4)
        return found
    return list(range(judge_every, evaluations, judge_every))


def first_look(rule: Mapping[str, Any] | None, judge_every: int = 1) -> int | None:
    """Return the evaluation after which a rule can first stop a run; None: it never stops one.

    Args:
        rule: as for `make`.
        judge_every: evaluations between two judgements, for rules without bands of their own.

    Example:
        >>> first_look({"rule": "wandb-hyperband", "min_iter": 25, "eta": 2})
        25
        >>> first_look({"rule": "median", "n_warmup_steps": 12}, judge_every=5)
        15
    """
    pruner, given = make(rule), rule or {}
    if isinstance(pruner, optuna.pruners.NopPruner):
        return None
    if isinstance(pruner, WandbHyperband):
        return pruner.bands[0]
    least = given.get("min_resource", given.get("n_warmup_steps", 1))
    if not isinstance(least, int):
        return judge_every
    if given["rule"] == "successive-halving":
        return least * given.get("reduction_factor", 4) ** given.get("min_early_stopping_rate", 0)
    return max(1, -(-least // judge_every)) * judge_every
