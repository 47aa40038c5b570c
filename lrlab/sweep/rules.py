"""When a sweep stops a run: W&B's rule, written out, and Optuna's pruners by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import optuna

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_FIRST_BANDS = 100  # of the endless sequence min_iter · etaⁱ


def wandb_bands(
    *,
    min_iter: int | None = None,
    max_iter: int | None = None,
    s: int = 2,
    eta: float = 3,
) -> tuple[int, ...]:
    r"""Return the numbers of evaluations at which W&B's `early_terminate: hyperband` looks.

    $\lfloor \text{max\_iter} / \eta^i \rfloor$ for $i = 1 \dots s$, as long as it is at least 1; or
    $\lfloor \text{min\_iter} \cdot \eta^i \rfloor$ for $i = 0, 1, \dots$. If both are given,
    `max_iter` counts.

    Args:
        min_iter: evaluations before the first band.
        max_iter: evaluations of a complete run.
        s: number of bands, with `max_iter`.
        eta: ratio of neighbouring bands, above 1.

    Raises:
        ValueError: if neither is given, or there is no band.

    Source:
        `hyperband_stop_runs` of the package `sweeps` 0.3.0 (Weights & Biases).

    Example:
        >>> wandb_bands(max_iter=27, s=2, eta=3)
        (3, 9)
        >>> wandb_bands(min_iter=25, eta=2)[:4]
        (25, 50, 100, 200)
    """
    if not eta > 1:
        raise ValueError(f"eta must be above 1, got eta={eta}")
    if max_iter is not None:
        bands, band = [], float(max_iter)
        for _ in range(s):
            band /= eta
            if band < 1:
                break
            bands.append(int(band))
        if not bands:
            raise ValueError(
                f"there is no band: raise s or max_iter, or lower eta; got max_iter={max_iter}, "
                f"s={s}, eta={eta}"
            )
        return tuple(sorted(bands))
    if min_iter is None or min_iter < 1:
        raise ValueError(f"min_iter or max_iter must be a positive number, got min_iter={min_iter}")
    bands, band = [], min_iter
    for _ in range(_FIRST_BANDS):
        bands.append(int(band))
        band *= eta
    return tuple(bands)


def wandb_stops(
    history: Sequence[float],
    others: Sequence[Sequence[float]],
    bands: Sequence[int],
    *,
    eta: float = 3,
    strict: bool = False,
) -> bool:
    """Return whether W&B's rule stops a run; smaller values are better.

    Values that are not finite are dropped, as if they had not been logged. At each band, the
    threshold is the value that is at place ⌊n/η⌋, counted from 0, among the n runs that have got
    there, this one included. The run is compared at the last band that it has reached: by its
    value at the band if `strict`, else by its best value so far. It is stopped above the threshold.

    Args:
        history: the metric of the run at each evaluation so far.
        others: the same of all other runs, finished ones too.
        bands: numbers of evaluations, rising.
        eta: one in this many runs goes on.
        strict: compare the value at the band.

    Example:
        >>> wandb_stops([3.0], [[1.0], [2.0]], bands=(1,), eta=3)
        True
        >>> wandb_stops([2.0], [[1.0], [3.0]], bands=(1,), eta=3)
        False
    """
    mine = [value for value in history if math.isfinite(value)]
    reached = [band for band in bands if band <= len(mine)]
    if not reached:
        return False
    band = reached[-1]
    values = [mine[band - 1]]
    for other in others:
        finite = [value for value in other if math.isfinite(value)]
        if len(finite) >= band:
            values.append(finite[band - 1])
    threshold = sorted(values)[int((1.0 / eta) * len(values))]
    return (mine[band - 1] if strict else min(mine)) > threshold


class WandbHyperband(optuna.pruners.BasePruner):
    """W&B's `early_terminate: hyperband` as a pruner of Optuna: one asynchronous rule, no brackets.

    An iteration is one finite value that was reported: what counts is how often the metric is
    evaluated, not how many updates were made.

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
        others = [
            list(other.intermediate_values.values())
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
        ]
        history = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        return wandb_stops(history, others, self.bands, eta=self.eta, strict=self.strict)


_RULES: Mapping[str, Any] = {
    "wandb-hyperband": WandbHyperband,
    "successive-halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "median": optuna.pruners.MedianPruner,
    "none": optuna.pruners.NopPruner,
}


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
    arguments = dict(rule or {"rule": "none"})
    name = arguments.pop("rule", None)
    if name not in _RULES:
        raise ValueError(f"rule must be one of {', '.join(_RULES)}, got {name!r}")
    try:
        return _RULES[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error


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
    pruner = make(rule)
    if isinstance(pruner, optuna.pruners.NopPruner):
        return []
    if isinstance(pruner, WandbHyperband):
        return sorted({band for band in pruner.bands if band < evaluations})
    if rule["rule"] == "successive-halving" and isinstance(rule.get("min_resource"), int):
        early = rule.get("min_early_stopping_rate", 0)
        found = []
        band = rule["min_resource"] * rule.get("reduction_factor", 4) ** early
        while band < evaluations:
            found.append(band)
            band *= rule.get("reduction_factor", 4)
        return found
    return list(range(judge_every, evaluations, judge_every))
