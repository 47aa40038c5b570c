"""How good are suggested learning rates? Regret of all rules at equal cost, over many tasks.

For each cell (task × optimizer × batch size) constant rates on a logarithmic grid are trained for
the whole budget of 600 updates, with ten seeds around the best one: the reference. Then every rule
makes twenty suggestions, each from 500 updates on fresh seeds: rivals from five ramps of 100 (the
median over seeds of their own suggestions), ours from three ramps of 50 and five pilots of 70, the
plain baseline from ten constant rates of 50. The regret of a suggested rate is the log of the
reference loss there, interpolated between the grid's means of log losses, over that of the grid's
best.

Everything trained is kept in a store, so that an interrupted call goes on. The raw results are
written to benchmarks/results/range_test.json, its hash beside it; the log's entry reads them.

    python benchmarks/range_test.py [--cells NAME …] [--cost-only] [--out FILE] [--jobs 2]
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _results import keep, rounded
from _rival_rules import RIVALS

from lrlab import Recipe, numerics, tasks, train_many
from lrlab.optimizers import SGD, Adam, AdamW, Optimizer
from lrlab.range_test import RULES, Trace, ramp_jobs, range_test
from lrlab.range_test.collect import LR_MAX, LR_MIN
from lrlab.range_test.pilots import HORIZON_POWER, score
from lrlab.schedules import Constant
from lrlab.tasks.base import Task
from lrlab.training.parallel import Job
from lrlab.training.record import Run
from lrlab.training.store import default_store

RESULTS = Path(__file__).parent / "results" / "range_test.json"
BUDGET = 600  # updates of the training that a rate is suggested for
SUGGESTIONS = 20  # of each rule in each cell
DIGITS = 6  # of what is kept: the file stays small and loses nothing that matters
RIVAL_SEEDS, RIVAL_STEPS = 5, 100
OUR_SEEDS, OUR_STEPS, OUR_PILOTS, OUR_PILOT_STEPS = 3, 50, 5, 70
PILOT_RATES, PILOT_STEPS = 10, 50
COST = 500  # updates for each suggestion
CUSTOMARY = {"SGD": 0.01, "Adam": 0.001, "AdamW": 0.001}  # the defaults of Keras
COARSE, FINE = 0.5, 0.25  # decades between the reference's rates, far from and near the best
COARSE_SEEDS, FINE_SEEDS = 2, 10
REACH = 0.75  # decades around the best rate that get the fine grid
REFERENCE_SEED, RIVAL_SEED, OUR_SEED, PILOT_SEED, CHECK_SEED = (
    10_000,
    20_000,
    30_000,
    40_000,
    50_000,
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One task with one optimizer and one batch size."""

    name: str
    task: Task
    optimizer: Optimizer
    batch_size: int
    development: bool = False  # settings of our rule were chosen on it

    @property
    def recipe(self) -> Recipe:
        """The training that rates are suggested for; its rate is a placeholder."""
        return Recipe(
            schedule=Constant(1.0),
            steps=BUDGET,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
        )


MOMENTUM = SGD(momentum=0.9)
NAMES = {"layers": 1, "n_train": 20_000}
CELLS = [
    Cell("MNIST-1D MLP, SGD", tasks.get("mnist1d"), MOMENTUM, 64, True),
    Cell("MNIST-1D MLP, Adam", tasks.get("mnist1d"), Adam(), 64, True),
    Cell("digits denoiser, Adam", tasks.get("digits_diffusion"), Adam(), 64, True),
    Cell("digits denoiser, SGD", tasks.get("digits_diffusion"), MOMENTUM, 32, True),
    Cell("MNIST-1D CNN, SGD", tasks.get("mnist1d", architecture="cnn"), MOMENTUM, 32),
    Cell("MNIST-1D CNN, AdamW", tasks.get("mnist1d", architecture="cnn"), AdamW(0.01), 64),
    Cell("LeNet, SGD", tasks.get("mnist"), MOMENTUM, 16),
    Cell("surname transformer, AdamW", tasks.get("names_lm", **NAMES), AdamW(0.01), 16),
    Cell("LeNet, Adam", tasks.get("mnist"), Adam(), 16),
]


def loss_of(run: Run, ceiling: float) -> float:
    """The validation loss at the end; the initial one if it diverged or ended above that."""
    return ceiling if run.diverged else min(run.final("validation_loss"), ceiling)


def reference(cell: Cell, jobs: int) -> dict[str, Any]:
    """Validation losses of constant rates after the budget, by rate."""

    def trained(rates: Sequence[float], seeds: int) -> dict[float, list[Run]]:
        plan = [
            Job(cell.task, cell.recipe.replace(schedule=Constant(lr), seed=REFERENCE_SEED + i))
            for lr in rates
            for i in range(seeds)
        ]
        runs = train_many(plan, n_jobs=jobs)
        return {lr: runs[k * seeds : (k + 1) * seeds] for k, lr in enumerate(rates)}

    def grid(low: float, high: float, step: float) -> list[float]:
        return [10.0 ** (k * step) for k in range(round(low / step), round(high / step) + 1)]

    coarse = trained(grid(-5, 0.5, COARSE), COARSE_SEEDS)
    initial = float(np.mean([r.evals["validation_loss"][0] for rs in coarse.values() for r in rs]))

    def means(runs: dict[float, list[Run]]) -> dict[float, float]:
        return {
            lr: float(np.mean([math.log(loss_of(r, initial)) for r in rs]))
            for lr, rs in runs.items()
        }

    by_rate = means(coarse)
    best = math.log10(min(by_rate, key=by_rate.__getitem__))
    fine = trained(grid(best - REACH, best + REACH, FINE), FINE_SEEDS)
    losses = {lr: [loss_of(r, initial) for r in rs] for lr, rs in (coarse | fine).items()}
    return {
        "initial": initial,
        "rates": sorted(losses),
        "losses": [losses[lr] for lr in sorted(losses)],
        "diverged": [sum(r.diverged for r in (coarse | fine)[lr]) for lr in sorted(losses)],
    }


def rival_suggestions(cell: Cell, jobs: int) -> dict[str, list[float | None]]:
    """Twenty suggestions of each rival: the median over five seeds of its own."""
    seeds = range(RIVAL_SEED, RIVAL_SEED + SUGGESTIONS * RIVAL_SEEDS)
    traces = [
        Trace.of(run)
        for run in train_many(
            ramp_jobs(cell.task, cell.recipe, steps=RIVAL_STEPS, seeds=list(seeds)), n_jobs=jobs
        )
    ]
    found: dict[str, list[float | None]] = {name: [] for name in RIVALS}
    for name, rule in RIVALS.items():
        for i in range(0, len(traces), RIVAL_SEEDS):
            each = [rule(trace) for trace in traces[i : i + RIVAL_SEEDS]]
            usable = [lr for lr in each if lr is not None and lr > 0]
            found[name].append(float(np.median(usable)) if usable else None)
    return found


def our_suggestions(cell: Cell, jobs: int) -> dict[str, Any]:
    """Twenty range tests of ours: the suggestion, its interval, and the band."""
    import joblib

    store = default_store()

    def one(i: int) -> dict[str, Any]:
        torch.set_num_threads(1)
        seeds = [OUR_SEED + OUR_SEEDS * i + k for k in range(OUR_SEEDS)]
        result = range_test(
            cell.task,
            cell.recipe,
            steps=OUR_STEPS,
            seeds=seeds,
            pilots=OUR_PILOTS,
            pilot_steps=OUR_PILOT_STEPS,
            n_jobs=1,
            store=store,
        )
        suggestion, ramp_only = result.suggest(), result.suggest("ramp")
        interval = suggestion.interval
        return {
            "pilots": suggestion.lr,
            "interval": [interval.low, interval.high] if interval else None,
            "ramp": ramp_only.lr,
            "low": result.band.low.lr,
            "high": result.band.high.lr,
            "updates": result.steps,
        }

    calls = (joblib.delayed(one)(i) for i in range(SUGGESTIONS))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        found = joblib.Parallel(n_jobs=jobs)(calls)
    return {key: [one[key] for one in found] for key in found[0]}


def baseline_suggestions(cell: Cell, jobs: int) -> list[float | None]:
    """Ten constant rates from the ramp's first to its last; the one with the lowest loss."""
    rates = np.geomspace(LR_MIN, LR_MAX, PILOT_RATES).tolist()
    short = cell.recipe.replace(steps=PILOT_STEPS, eval_every=0)
    plan = [
        Job(cell.task, short.replace(schedule=Constant(lr), seed=PILOT_SEED + i))
        for i in range(SUGGESTIONS)
        for lr in rates
    ]
    scores = [score(Trace.of(run)) for run in train_many(plan, n_jobs=jobs)]
    rows = np.array(scores).reshape(SUGGESTIONS, PILOT_RATES)
    return [rates[int(row.argmin())] if np.isfinite(row).any() else None for row in rows]


def spot_check(cell: Cell, lr: float, initial: float, jobs: int) -> dict[str, Any]:
    """Train at a suggested rate, on seeds that nothing else used."""
    plan = [
        Job(cell.task, cell.recipe.replace(schedule=Constant(lr), seed=CHECK_SEED + i))
        for i in range(FINE_SEEDS)
    ]
    return {"lr": lr, "losses": [loss_of(run, initial) for run in train_many(plan, n_jobs=jobs)]}


def measure(cell: Cell, jobs: int) -> dict[str, Any]:
    """All of one cell, as JSON values."""
    known = reference(cell, jobs)
    ours = our_suggestions(cell, jobs)
    rules = {"pilots": ours.pop("pilots"), "ramp": ours.pop("ramp")}
    rules |= rival_suggestions(cell, jobs)
    rules["ten pilots"] = baseline_suggestions(cell, jobs)
    assert set(RULES) < set(rules)
    usable = [lr for lr in rules["pilots"] if lr]
    return {
        "cell": cell.name,
        "development": cell.development,
        "task": cell.task.to_dict(),
        "optimizer": cell.optimizer.to_dict(),
        "batch_size": cell.batch_size,
        "reference": known,
        "suggestions": rules,
        "customary": CUSTOMARY[type(cell.optimizer).__name__],
        "ours": ours,
        "spot_check": spot_check(cell, float(np.median(usable)), known["initial"], jobs)
        if usable
        else None,
    }


def finder_loop(cell: Cell, steps: int) -> float:
    """What torch-lr-finder's loop does, on the same model: seconds an update.

    Written from its source (0.2): a DataLoader, an exponential schedule stepped every update, the
    loss read with `item`, smoothed and kept, a check for divergence.
    """
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    model = cell.task.model()
    loader = DataLoader(TensorDataset(*cell.task.data().train), cell.batch_size, shuffle=True)
    optimizer = cell.optimizer.build([{"params": list(model.parameters())}])
    for group in optimizer.param_groups:
        group["lr"] = LR_MIN
    noise = torch.Generator()
    factor = (LR_MAX / 1e3 / LR_MIN) ** (1 / (steps - 1))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: factor**t)
    history: dict[str, list[float]] = {"lr": [], "loss": []}
    batches, best = iter(loader), math.inf
    began = time.perf_counter()
    for _ in range(steps):
        model.train()
        try:
            batch = next(batches)
        except StopIteration:
            batches = iter(loader)
            batch = next(batches)
        optimizer.zero_grad()
        loss = cell.task.loss(model, tuple(batch), noise)
        loss.backward()
        value = loss.item()
        optimizer.step()
        history["lr"].append(schedule.get_last_lr()[0])
        schedule.step()
        if history["loss"]:
            value = 0.05 * value + 0.95 * history["loss"][-1]
        best = min(best, value)
        history["loss"].append(value)
        if value > 5 * best:
            break
    return (time.perf_counter() - began) / len(history["loss"])


def cost(jobs: int, turns: int = 5) -> dict[str, float]:
    """The two ratios of time: to torch-lr-finder's loop, and of five seeds to one."""
    cell = next(cell for cell in CELLS if cell.name == "LeNet, SGD")
    cell = dataclasses.replace(cell, batch_size=64)

    def ours(seeds: int, n_jobs: int, steps: int = 100) -> float:
        began = time.perf_counter()
        plan = ramp_jobs(cell.task, cell.recipe, lr_max=LR_MAX / 1e3, steps=steps, seeds=seeds)
        train_many(plan, n_jobs=n_jobs, store=None, progress=False)
        return time.perf_counter() - began

    torch.set_num_threads(1)
    ours(2, jobs, steps=10), ours(1, 1, steps=10)  # warm workers, data loaded
    to_finder, five_to_one = [], []
    for _ in range(turns):
        to_finder.append(ours(1, 1) / 100 / finder_loop(cell, 100))
        five_to_one.append(ours(5, jobs, steps=300) / ours(1, 1, steps=300))
    return {
        "ours / torch-lr-finder's loop": statistics.median(to_finder),
        "five seeds / one": statistics.median(five_to_one),
        "turns": turns,
        "jobs": jobs,
    }


def save(path: Path, cells: list[dict[str, Any]], ratios: dict[str, float] | None) -> None:
    """Write the results and their hash."""
    results = {
        "schema": 1,
        "budget": BUDGET,
        "cost": COST,
        "suggestions": SUGGESTIONS,
        "horizon_power": HORIZON_POWER,
        "pilot_steps": OUR_PILOT_STEPS,
        "time": ratios,
        "profile": numerics.profile(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "cells": cells,
    }
    keep(path, rounded(results, DIGITS))


def summary(cells: list[dict[str, Any]]) -> None:
    """Print the mean regret of each rule in each cell."""
    for cell in cells:
        known = cell["reference"]
        x = np.log(known["rates"])
        y = np.array([np.mean(np.log(losses)) for losses in known["losses"]])
        print(f"\n{cell['cell']}: best constant rate {known['rates'][int(y.argmin())]:.3g}")
        rules = cell["suggestions"] | {"customary": [cell["customary"]]}
        for name, rates in rules.items():
            given = [lr for lr in rates if lr]
            regrets = [float(np.interp(math.log(lr), x, y) - y.min()) for lr in given]
            missing = f", none {len(rates) - len(given)} times" if len(given) < len(rates) else ""
            spread = max(given) / min(given)
            print(
                f"  {name:18s} median {np.median(given):8.3g}  max/min {spread:6.1f}"
                f"  mean regret {np.mean(regrets):.3f}{missing}"
            )


def main() -> None:
    """Measure the cells and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--cost-only", action="store_true", help="only the ratios of time")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    ratios = None
    if not arguments.cells:
        ratios = cost(arguments.jobs)
        for name, value in ratios.items():
            print(f"{name:32s} {value:.3g}")
    if arguments.cost_only:
        return
    cells = []
    for cell in CELLS:
        if arguments.cells and cell.name not in arguments.cells:
            continue
        began = time.perf_counter()
        cells.append(measure(cell, arguments.jobs))
        print(f"{cell.name}: {time.perf_counter() - began:.0f} s", flush=True)
        save(arguments.out, cells, ratios)
    summary(cells)


if __name__ == "__main__":
    main()
