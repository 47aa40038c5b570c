"""What an update costs with optimizers other than AdamW, in time, beside one with AdamW.

Two tasks, one thread. The optimizers of a group take turns within one process, in this process's
own time: the machine may be busy with other things, which then slow all alike. An update is
everything that it takes: batch, forward, backward and the optimizer's step. Each group has AdamW
and SGD among it to be compared with, and a file of its own, so that measuring one leaves what
entries read of the other as it was.

    python benchmarks/optimizer_costs.py [--turns 15] [--groups NAME …] [--out FOLDER]
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
from lrlab.experiments.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from lrlab.optimizers import SGD, AdamW, Optimizer
from lrlab.schedules import Constant

RESULTS = Path(__file__).parent / "results"
BASELINES = ("AdamW", "SGD")
GROUPS = {  # what is measured together, by the name of its file
    "optimizer_costs": (*BASELINES, "Lion", "Muon", "Prodigy", "D-Adaptation", "DoG"),
    "schedule_free_costs": (*BASELINES, "schedule-free AdamW", "schedule-free SGD"),
}
PACKAGES = ("torch", "pytorch-optimizer", "schedulefree")
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
        "schedule-free AdamW": (ScheduleFreeAdamW(weight_decay=0.1), 4e-3),
        "schedule-free SGD": (ScheduleFreeSGD(), 0.5),
    }


def measure(task_name: str, group: tuple[str, ...], turns: int) -> dict[str, Any]:
    """Seconds of an update with each optimizer of a group, one for each turn."""
    task, batch_size, steps, outer = TASKS[task_name]
    known = optimizers(outer)
    recipes = {
        name: Recipe(
            schedule=Constant(rate),
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            eval_every=0,
        )
        for name in group
        for optimizer, rate in [known[name]]
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
    """Measure both tasks for each group, and write the results and their hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for group in arguments.groups:
        cells = []
        for task_name in TASKS:
            cell = measure(task_name, GROUPS[group], arguments.turns)
            cells.append(cell)
            for name, values in cell["seconds"].items():
                pairs = zip(values, cell["seconds"]["AdamW"], strict=True)
                ratio = statistics.median(a / b for a, b in pairs)
                took = 1e3 * statistics.median(values)
                print(f"{task_name:12s}{name:20s}{took:6.2f} ms, {ratio:.2f} × AdamW", flush=True)
        results = {
            "schema": 1,
            "turns": arguments.turns,
            "profile": numerics.profile(),
            "versions": {"python": platform.python_version()}
            | {package: metadata.version(package) for package in PACKAGES},
            "cells": cells,
        }
        keep(arguments.out / f"{group}.json", results)


if __name__ == "__main__":
    main()
