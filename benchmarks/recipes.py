"""Which optimizer, which schedule: five small tasks, each recipe tuned, on fresh seeds.

Two optimizers × seven arms × five tasks. The arms are six schedules, and the constant rate with a
moving average of the weights, whose decay is tuned too. All schedules but one-cycle rise over the
first 5 % of the updates; what falls, falls to zero; weight decay, momentum and batch are the same
for all arms of an optimizer. For each arm a grid of peaks is tried on tuning seeds (eight peaks,
more where the best lies at an edge); then, on seeds that were not used before, the best, half and
twice of it are trained, and each seed takes the one with the lowest validation loss. The recipes
that handbooks give are run as they stand. What is reported is from the test part.

Runs are kept in the store, so that the same command goes on where it was interrupted.

    python benchmarks/recipes.py [--seeds 10] [--tuning-seeds 2] [--tasks NAME …] [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrlab import Job, Recipe, numerics, tasks, train_many
from lrlab.optimizers import SGD, AdamW, Optimizer
from lrlab.schedules import (
    Constant,
    Cosine,
    Linear,
    MultiStep,
    OneCycle,
    Schedule,
    Warmup,
    WarmupStableDecay,
)
from lrlab.tasks import Task

RESULTS = Path(__file__).parent / "results" / "recipes.json"
FIRST_TUNING_SEED, FIRST_SEED = 40_000, 41_000
WARMUP, COOLDOWN = 0.05, 0.2
DECAYS = (0.9, 0.98, 0.995)
FACTOR = math.sqrt(10)
OPTIMIZERS: dict[str, Optimizer] = {
    "SGD": SGD(momentum=0.9),
    "AdamW": AdamW(weight_decay=0.01),
}
LOWEST = {"SGD": 1e-3, "AdamW": 3e-5}  # of a grid of eight, a factor of √10 apart
HANDBOOK = {
    "SGD": {
        "0.1, cosine": ("cosine", 0.1),
        "0.1, step": ("step", 0.1),
        "0.01, constant": ("constant", 0.01),
    },
    "AdamW": {
        "1e-3, cosine": ("cosine", 1e-3),
        "3e-4, cosine": ("cosine", 3e-4),
        "3e-4, constant": ("constant", 3e-4),
        "1e-3, constant": ("constant", 1e-3),
    },
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """A task with its batch and budget, and how often a run sees its data."""

    task: Task
    batch_size: int
    steps: int
    passes: str


CELLS = {
    "perceptron": Cell(tasks.get("mnist1d"), 64, 1000, "many"),
    "CNN": Cell(tasks.get("mnist1d", architecture="cnn"), 64, 1000, "many"),
    "LeNet": Cell(tasks.get("mnist"), 64, 400, "many"),
    "denoiser": Cell(tasks.get("digits_diffusion"), 64, 1000, "many"),
    "transformer": Cell(tasks.get("names_lm", n_eval=1000), 32, 1000, "one"),
}


def arms(steps: int) -> dict[str, tuple[Callable[[float], Schedule], tuple[float | None, ...]]]:
    """By name, the schedule with a given peak, and the decays of the average that are tried."""
    rise = max(1, round(WARMUP * steps))
    rest = steps - rise

    def warmed(schedule: Callable[[float], Schedule]) -> Callable[[float], Schedule]:
        return lambda peak: Warmup(schedule(peak), warmup_steps=rise)

    def step(peak: float) -> Schedule:
        drops = (rest // 2, rest * 3 // 4)
        return MultiStep(peak, milestones=drops, gamma=0.1, steps=rest)

    def wsd(peak: float) -> Schedule:
        down = round(COOLDOWN * steps)
        return WarmupStableDecay(peak, steps=steps, warmup_steps=rise, cooldown_steps=down)

    plain: tuple[float | None, ...] = (None,)
    return {
        "constant": (warmed(Constant), plain),
        "constant, averaged": (warmed(Constant), DECAYS),
        "step": (warmed(step), plain),
        "cosine": (warmed(lambda peak: Cosine(peak, steps=rest)), plain),
        "linear": (warmed(lambda peak: Linear(peak, end_lr=0.0, steps=rest)), plain),
        "one-cycle": (lambda peak: OneCycle(peak, steps=steps), plain),
        "WSD": (wsd, plain),
    }


def job(cell: Cell, optimizer: str, schedule: Schedule, decay: float | None, seed: int) -> Job:
    """One run, evaluated at its end only."""
    recipe = Recipe(
        schedule=schedule,
        steps=cell.steps,
        batch_size=cell.batch_size,
        optimizer=OPTIMIZERS[optimizer],
        average_decay=decay,
        seed=seed,
    )
    return Job(cell.task, recipe)


def metric(name: str, decay: float | None) -> str:
    """The metric of the weights, or of their average."""
    return name if decay is None else f"averaged_{name}"


def tune(cell: Cell, optimizer: str, arm: str, seeds: range) -> dict[str, Any]:
    """Find the best peak (and decay) of an arm by validation loss; grids grow at their edges."""
    schedule, decays = arms(cell.steps)[arm]
    tried: dict[tuple[float | None, int], float] = {}
    wanted = list(range(8))
    while wanted:
        jobs = {
            (decay, k, seed): job(cell, optimizer, schedule(peak_of(optimizer, k)), decay, seed)
            for decay in decays
            for k in wanted
            for seed in seeds
        }
        runs = train_many(jobs, progress=False)
        for decay in decays:
            for k in wanted:
                losses = runs.of(decay, k).array(metric("validation_loss", decay))
                tried[decay, k] = float(np.log(losses).mean())
        best = min(tried, key=lambda key: tried[key])
        at = sorted({k for _, k in tried})
        wanted = [at[0] - 1] if best[1] == at[0] else [at[-1] + 1] if best[1] == at[-1] else []
    grid = [
        {"peak": peak_of(optimizer, k), "decay": decay, "log_loss": value}
        for (decay, k), value in sorted(tried.items(), key=lambda item: item[0][1])
    ]
    return {"peak": peak_of(optimizer, best[1]), "decay": best[0], "grid": grid}


def peak_of(optimizer: str, k: int) -> float:
    """Peak number k of an optimizer's grid, rounded to three digits."""
    return float(f"{LOWEST[optimizer] * FACTOR**k:.3g}")


def report(cell: Cell, optimizer: str, arm: str, seeds: range, tuning: range) -> dict[str, Any]:
    """Tune an arm, then train its best peak, half and twice of it on fresh seeds."""
    found = tune(cell, optimizer, arm, tuning)
    schedule, decay = arms(cell.steps)[arm][0], found["decay"]
    peaks = [found["peak"] * factor for factor in (0.5, 1.0, 2.0)]
    runs = train_many(
        {
            (seed, i): job(cell, optimizer, schedule(peak), decay, seed)
            for seed in seeds
            for i, peak in enumerate(peaks)
        },
        progress=False,
    )
    chosen = {
        seed: min(range(3), key=lambda i: runs[seed, i].final(metric("validation_loss", decay)))
        for seed in seeds
    }
    taken = [runs[seed, i] for seed, i in chosen.items()]
    return found | measured(taken, decay) | {"peaks": [peaks[i] for i in chosen.values()]}


def measured(runs: Iterable[Any], decay: float | None) -> dict[str, Any]:
    """What is reported of runs: test loss and error by seed, how many diverged, their time."""
    runs = list(runs)
    accuracy = metric("test_accuracy", decay)
    errors = None
    if all(accuracy in run.evals for run in runs):
        errors = [_rounded(1 - run.final(accuracy)) for run in runs]
    return {
        "test_loss": [_rounded(run.final(metric("test_loss", decay))) for run in runs],
        "test_error": errors,
        "diverged": sum(run.diverged for run in runs),
        "seconds": _rounded(sum(run.seconds for run in runs) / len(runs)),
    }


def handbook(cell: Cell, optimizer: str, seeds: range) -> dict[str, Any]:
    """The recipes of the handbooks, as they stand."""
    found = {}
    for name, (arm, peak) in HANDBOOK[optimizer].items():
        schedule = arms(cell.steps)[arm][0](peak)
        jobs = {seed: job(cell, optimizer, schedule, None, seed) for seed in seeds}
        found[name] = measured(train_many(jobs, progress=False).values(), None)
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")


def main() -> None:
    """Run everything that the store does not have, and write the results and their hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tuning-seeds", type=int, default=2)
    parser.add_argument("--tasks", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    tuning = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + arguments.tuning_seeds)
    rows, recipes = [], []
    for name in arguments.tasks:
        cell = CELLS[name]
        for optimizer in OPTIMIZERS:
            for arm in arms(cell.steps):
                row = report(cell, optimizer, arm, seeds, tuning)
                rows.append({"task": name, "optimizer": optimizer, "arm": arm} | row)
                loss = math.exp(float(np.log(row["test_loss"]).mean()))
                line = f"{name:12s}{optimizer:6s}{arm:20s} peak {row['peak']:<8.3g} loss {loss:.4f}"
                print(f"{line}, {row['diverged']} diverged", flush=True)
            for label, found in handbook(cell, optimizer, seeds).items():
                recipes.append({"task": name, "optimizer": optimizer, "recipe": label} | found)
    about = {
        name: {
            "task": cell.task.to_dict(),
            "weights": sum(p.numel() for p in cell.task.model().parameters()),
            "batch_size": cell.batch_size,
            "steps": cell.steps,
            "passes": cell.passes,
        }
        for name, cell in CELLS.items()
    }
    results = {
        "schema": 1,
        "seeds": [seeds.start, seeds.stop],
        "warmup": WARMUP,
        "cooldown": COOLDOWN,
        "optimizers": {name: optimizer.to_dict() for name, optimizer in OPTIMIZERS.items()},
        "tasks": about,
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "cells": rows,
        "recipes": recipes,
    }
    text = json.dumps(results, separators=(",", ":")) + "\n"
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    arguments.out.with_suffix(".sha256").write_text(f"{digest}  {arguments.out.name}\n")


if __name__ == "__main__":
    main()
