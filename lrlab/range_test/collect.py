"""Running a range test: ramps over seeds, then pilots where the ramps say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from lrlab.checks import is_integer, is_number
from lrlab.range_test._band import find_band, initial_loss
from lrlab.range_test._precise import EVALUATIONS, pilot_length, refine
from lrlab.range_test._probe import SameBatch
from lrlab.range_test._ramp import Trace, ramp
from lrlab.range_test._result import RangeTest
from lrlab.range_test._trainer import Trainer
from lrlab.range_test.pilots import HORIZON_POWER, best_rate, search
from lrlab.recipe import Recipe
from lrlab.schedules import Constant
from lrlab.tasks.base import Task
from lrlab.training.parallel import Job
from lrlab.training.probes import Probe
from lrlab.training.store import Store

__all__ = ["ramp_jobs", "range_test"]

LR_MIN, LR_MAX = 1e-6, 10.0


def ramp_jobs(
    task: Task,
    recipe: Recipe,
    *,
    lr_min: float = LR_MIN,
    lr_max: float = LR_MAX,
    steps: int = 100,
    seeds: int | Sequence[int] = 3,
    growth: str = "exponential",
    eval_every: int = 0,
    probes: Sequence[Probe] = (),
) -> list[Job]:
    """Return the ramps of a range test as jobs for `lrlab.train_many`.

    Args:
        task: data, model and loss.
        recipe: how it is trained; its schedule, steps and seed are replaced.
        lr_min: first rate of the ramp.
        lr_max: last rate of the ramp.
        steps: updates of each ramp.
        seeds: how many (0, 1, …) or which.
        growth: ``"exponential"`` or ``"linear"``.
        eval_every: updates between two evaluations; 0: none.
        probes: what else is measured.

    Raises:
        ValueError: if an argument makes no sense.

    Returns:
        One job a seed.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=100, batch_size=16)
        >>> jobs = ramp_jobs(tasks.get("mnist1d"), recipe, lr_min=1e-4, lr_max=1.0, steps=50)
        >>> len(jobs), jobs[0].recipe.steps
        (3, 50)
    """
    schedule = ramp(lr_min, lr_max, steps, growth)
    return [
        Job(
            task,
            recipe.replace(schedule=schedule, steps=steps, eval_every=eval_every, seed=seed),
            tuple(probes),
        )
        for seed in seed_list(seeds)
    ]


def range_test(
    task: Task,
    recipe: Recipe | None = None,
    *,
    lr_min: float = LR_MIN,
    lr_max: float = LR_MAX,
    steps: int = 100,
    seeds: int | Sequence[int] = 3,
    growth: str = "exponential",
    pilots: int = 5,
    pilot_steps: int | None = None,
    budget: int | None = None,
    precision: float | None = None,
    eval_every: int = 0,
    same_batch: bool = False,
    sharpness: bool = False,
    n_jobs: int | None = None,
    store: Store | str | None = "default",
    progress: bool | None = None,
) -> RangeTest:
    r"""Train with a growing rate, over several seeds, and say which rates are usable.

    Smith (2017) lets the rate grow and watches the loss: flat, falling, exploding. Here the ramps
    of several seeds give a band with intervals, and short pilots at constant rates inside it give
    the suggestion. Afterwards everything is as it was: the task's own weights are not touched (a
    module of your own is copied), and the generators of Python, NumPy and torch are restored.

    Args:
        task: what is trained; `lrlab.tasks.from_module` makes one of a module of your own.
        recipe: how it is trained; its schedule and seed are replaced, its steps are the budget.
            None for a module of your own, which brings its optimizer.
        lr_min: first rate of the ramp.
        lr_max: last rate of the ramp.
        steps: updates of each ramp, at least 10.
        seeds: how many (0, 1, …) or which; of initial weights and data order. Seeds of a module of
            your own begin at its present weights; where its loader does not shuffle either, they
            are one run, count as one, and give no interval.
        growth: ``"exponential"`` or ``"linear"``.
        pilots: number of pilots, at least 4; 0: none, the suggestion is made from the ramps.
        pilot_steps: updates of each pilot, at least 10; None: as many as of a ramp.
        budget: updates of the training that rates are suggested for; None: `recipe.steps`.
        precision: go on with pilots of other seeds, half as long as the budget for a factor of 3,
            longer for less, until the ends of the suggestion's interval are no further apart than
            this factor, above 1, or eight seeds are used up; it costs 8 to 25 times the budget,
            up to 60 where pilots are as long as it. None: don't.
        eval_every: updates between two evaluations of a ramp; 0: none.
        same_batch: also measure the loss on the same batch after each update.
        sharpness: also compute 2(1 + β)/λ_max at the first weights; for SGD with momentum β.
        n_jobs: processes; None: one for each core, but for a module of your own, and where the
            first ramp shows that starting workers would take longer: none but this one.
        store: as in `lrlab.train_many`.
        progress: show a progress bar after two seconds; None: for a module of your own.

    Returns:
        The result, with `band`, `suggest()`, `stop_reason` and the raw `traces`.

    Raises:
        ValueError: if an argument makes no sense, the model has no parameter that can be trained,
            or the loss is not a scalar.

    Example:
        >>> from lrlab import Recipe, schedules, tasks
        >>> from lrlab.optimizers import SGD
        >>> recipe = Recipe(
        ...     schedule=schedules.Constant(0.1), steps=400, batch_size=64,
        ...     optimizer=SGD(momentum=0.9),
        ... )
        >>> result = range_test(tasks.get("mnist1d"), recipe, n_jobs=1, store=None)
        >>> result.stop_reason
        {0: 'completed', 1: 'completed', 2: 'completed'}
        >>> 0.02 < result.suggest().lr < 0.3
        True
    """
    recipe = getattr(task, "recipe", None) if recipe is None else recipe
    if not (isinstance(task, Task) and isinstance(recipe, Recipe)):
        made = "lrlab.tasks.from_module(model, optimizer, loader, loss_fn)"
        raise ValueError(f"range_test(task, recipe) needs a recipe; of a module make {made}")
    if pilots and not (is_integer(pilots) and pilots >= 4):
        raise ValueError(f"pilots must be 0 or at least 4, got pilots={pilots}")
    if pilot_steps is not None and not (is_integer(pilot_steps) and pilot_steps >= 10):
        raise ValueError(f"pilot_steps must be an integer of at least 10, got {pilot_steps!r}")
    if budget is not None and not (is_number(budget) and 1 <= budget < math.inf):
        raise ValueError(f"budget must be at least 1 update, got budget={budget!r}")
    if precision is not None and not (pilots and is_number(precision) and 1 < precision < math.inf):
        got = f"precision={precision!r}, pilots={pilots}"
        raise ValueError(f"precision must be a factor above 1, and needs pilots, got {got}")
    if sharpness:
        from lrlab.curvature.hessian import momentum_of, stability_edge

        momentum_of(recipe)
    probes = [SameBatch()] if same_batch else []
    steps = int(steps) if is_integer(steps) else steps
    ends: dict[str, Any] = {"lr_min": lr_min, "lr_max": lr_max, "growth": growth}
    measured: dict[str, Any] = {"eval_every": eval_every, "probes": probes}
    jobs = ramp_jobs(task, recipe, steps=steps, seeds=seeds, **ends, **measured)
    budget = recipe.steps if budget is None else budget
    length = pilot_steps or steps
    total = len(jobs) * steps + pilots * length
    with task.kept(), closing(Trainer(task, total, n_jobs, store, progress)) as train:
        traces = train(jobs)
        band, seed = find_band(traces, budget), traces[0].seed
        tried: list[Trace] = []
        more: list[Trace] = []

        def at(pairs: Sequence[tuple[float, int]], **changes: Any) -> list[Trace]:
            changed = (recipe.replace(schedule=Constant(lr), seed=s, **changes) for lr, s in pairs)
            return train([Job(task, one) for one in changed])

        if pilots and band.low.lr is not None:
            ends = {"top": band.high.lr or lr_max, "bottom": lr_min}

            def short(rates: Sequence[float]) -> list[Trace]:
                return at([(lr, seed) for lr in rates], steps=length)

            tried = search(short, **ends, count=pilots)
        if precision is not None and tried:
            start = initial_loss(traces)
            first = best_rate(tried, budget, start)
            if first.lr is not None:
                half = min(budget, max(length, pilot_length(budget, precision)))
                base = max(trace.seed for trace in traces) + 1
                every = 0 if task.live else max(1, half // EVALUATIONS)

                def long(pairs: Sequence[tuple[float, int]]) -> list[Trace]:
                    train.more(half * len(pairs))
                    return at([(lr, base + s) for lr, s in pairs], steps=half, eval_every=every)

                center = first.lr * (budget / half) ** HORIZON_POWER
                more = refine(long, center, precision, budget, start)
        edge = None
        if sharpness:
            edge = stability_edge(task, recipe.replace(seed=traces[0].seed))
    of: dict[str, Any] = {"task": task.to_dict(), "optimizer": recipe.optimizer.to_dict()}
    of |= {"traces": tuple(traces), "pilots": tuple(tried), "refined": tuple(more)}
    return RangeTest(**of, budget=budget, edge=edge, precision=precision)


def seed_list(seeds: int | Sequence[int]) -> list[int]:
    """Return the seeds as a list.

    Raises:
        ValueError: if there is none, or one comes twice.

    Example:
        >>> seed_list(3), seed_list([5, 7])
        ([0, 1, 2], [5, 7])
    """
    given: Any = seeds
    listed = list(range(int(given))) if is_integer(given) else given
    chosen = list(listed) if isinstance(listed, Iterable) and not isinstance(listed, str) else []
    if not chosen or not all(map(is_integer, chosen)) or len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds must be at least one, each of them once, got seeds={seeds!r}")
    return [int(seed) for seed in chosen]
