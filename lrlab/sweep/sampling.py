"""Which hyperparameters the next trial gets: a function of the trials before it and its number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution

from lrlab.sweep._space import Space
from lrlab.sweep.search import Search

__all__ = ["fixed"]


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return a space in Optuna's terms.

    Example:
        >>> from lrlab.sweep._space import Uniform
        >>> distributions({"x": Uniform(0.0, 1.0)})
        {'x': FloatDistribution(high=1.0, log=False, low=0.0, step=None)}
    """
    return {name: searched.distribution() for name, searched in space.items()}


def fixed(plan: Search, number: int) -> dict[str, Any] | None:
    """Return what a trial gets whatever the others found: points of a grid or of a Sobol sequence.

    Returns:
        None, if the sampler looks at the other trials or draws at random.

    Args:
        plan: what is searched.
        number: of the trial.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> fixed(plan, 0) is None  # TPE looks at the other trials
        True
        >>> sorted(fixed(plan.replace(sampler="quasi-random"), 0))
        ['peak_lr']
    """
    if plan.grid is not None:
        sizes = [len(values) for values in plan.grid.values()]
        place = np.unravel_index(number, sizes)  # the last name varies fastest
        return {
            name: values[int(k)] for (name, values), k in zip(plan.grid.items(), place, strict=True)
        }
    if plan.sampler == "quasi-random":
        from scipy.stats import qmc

        places = qmc.Sobol(len(plan.space), rng=plan.seed).random_base2(
            int(np.ceil(np.log2(max(2, number + 1))))
        )[number]
        return {
            name: searched.at(float(place))
            for (name, searched), place in zip(plan.space.items(), places, strict=True)
        }
    return None


def sampler(plan: Search, number: int) -> optuna.samplers.BaseSampler:
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
