"""Which hyperparameters the next trial gets: a function of the trials before it and its number."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from lrlab.sweep._space import Choice, LogUniform, Space
from lrlab.sweep.plan import Plan


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return a space in Optuna's terms.

    Example:
        >>> from lrlab.sweep._space import Uniform
        >>> distributions({"x": Uniform(0.0, 1.0)})
        {'x': FloatDistribution(high=1.0, log=False, low=0.0, step=None)}
    """
    return {
        name: CategoricalDistribution(searched.options)
        if isinstance(searched, Choice)
        else FloatDistribution(searched.low, searched.high, log=isinstance(searched, LogUniform))
        for name, searched in space.items()
    }


def fixed(plan: Plan, number: int) -> dict[str, Any] | None:
    """Return what a trial gets whatever the others found: points of a grid or of a Sobol sequence.

    Returns:
        None, if the sampler looks at the other trials or draws at random.

    Raises:
        ValueError: if the grid has fewer points.
    """
    if plan.sampler == "grid":
        points = list(itertools.product(*plan.grid.values()))
        if number >= len(points):
            raise ValueError(f"the grid has {len(points)} points, got trials={plan.trials}")
        return dict(zip(plan.grid, points[number], strict=True))
    if plan.sampler == "quasi-random":
        from scipy.stats import qmc

        places = qmc.Sobol(len(plan.space), rng=plan.seed).random_base2(
            int(np.ceil(np.log2(max(2, number + 1))))
        )[number]
        return {
            name: _at(searched, float(place))
            for (name, searched), place in zip(plan.space.items(), places, strict=True)
        }
    return None


def sampler(plan: Plan, number: int) -> optuna.samplers.BaseSampler:
    """Return Optuna's sampler for one trial, seeded by the plan's seed and the trial's number.

    A sampler that was seeded once would give other values after an interruption.
    """
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if plan.sampler == "tpe":
            # Those that run at the same time are taken for bad ones, so that they spread out.
            return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        if plan.sampler == "gp":
            return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
    return optuna.samplers.RandomSampler(seed=seed)


def _at(searched: Any, place: float) -> Any:
    if isinstance(searched, Choice):
        return searched.options[min(int(place * len(searched.options)), len(searched.options) - 1)]
    if isinstance(searched, LogUniform):
        return float(np.exp(np.log(searched.low) + place * np.log(searched.high / searched.low)))
    return float(searched.low + place * (searched.high - searched.low))
