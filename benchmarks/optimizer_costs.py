"""What an update costs with optimizers other than AdamW, in time, beside one with AdamW.

Two tasks, one thread. The optimizers take turns within one process, in this process's own time:
the machine may be busy with other things, which then slow all alike. An update is everything that
it takes: batch, forward, backward and the optimizer's step.

    python benchmarks/optimizer_costs.py [--turns 15] [--out FILE]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from _results import keep

from lrlab import Recipe, numerics, tasks, train
from lrlab.experiments.lion_and_muon import Lion, Muon
from lrlab.experiments.parameter_free import DAdaptAdam, DoG, Prodigy
from lrlab.optimizers import SGD, AdamW, Optimizer
from lrlab.schedules import Constant

RESULTS = Path(__file__).parent / "results" / "optimizer_costs.json"
TASKS = {  # task, batch, updates in a turn, matrices that Muon leaves to AdamW
    "transformer": (tasks.get("names_lm", layers=1, n_eval=100), 32, 40, (2, 1)),
    "perceptron": (tasks.get("mnist1d"), 100, 200, (1, 1)),
}


def optimizers(outer: tuple[int, int]) -> dict[str, tuple[Optimizer, float]]:
    """Optimizers with a rate at which they train, by name."""
    return {
        "AdamW": (AdamW(weight_decay=0.1), 4e-3),
        "SGD": (SGD(momentum=0.9), 0.05),
        "Lion": (Lion(weight_decay=0.1), 1e-3),
        "Muon": (Muon(weight_decay=0.1, outer=outer), 4e-3),
        "Prodigy": (Prodigy(weight_decay=0.1), 1.0),
        "D-Adaptation": (DAdaptAdam(weight_decay=0.1), 1.0),
        "DoG": (DoG(), 1.0),
    }


def measure(task_name: str, turns: int) -> dict[str, Any]:
    """Seconds of an update with each optimizer, one for each turn."""
    task, batch_size, steps, outer = TASKS[task_name]
    recipes = {
        name: Recipe(
            schedule=Constant(rate),
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            eval_every=0,
        )
        for name, (optimizer, rate) in optimizers(outer).items()
    }
    for recipe in recipes.values():
        train(task, recipe.replace(steps=3))
    seconds: dict[str, list[float]] = {name: [] for name in recipes}
    for turn in range(turns):
        for name in sorted(recipes, reverse=bool(turn % 2)):
            began = time.process_time()
            train(task, recipes[name])
            seconds[name].append((time.process_time() - began) / steps)
    return {
        "task": task_name,
        "batch_size": batch_size,
        "steps": steps,
        "weights": sum(p.numel() for p in task.model().parameters()),
        "seconds": {k: [float(f"{s:.6g}") for s in values] for k, values in seconds.items()},
    }


def main() -> None:
    """Measure both tasks and write the results and their hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cells = []
    for task_name in TASKS:
        cell = measure(task_name, arguments.turns)
        cells.append(cell)
        for name, values in cell["seconds"].items():
            pairs = zip(values, cell["seconds"]["AdamW"], strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            took = 1e3 * statistics.median(values)
            print(f"{task_name:12s}{name:13s}{took:6.2f} ms, {ratio:.2f} × AdamW", flush=True)
    packages = ("torch", "pytorch-optimizer")
    results = {
        "schema": 1,
        "turns": arguments.turns,
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version()}
        | {package: metadata.version(package) for package in packages},
        "cells": cells,
    }
    keep(arguments.out, results)


if __name__ == "__main__":
    main()
