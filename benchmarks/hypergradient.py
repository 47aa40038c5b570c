"""What gradient descent on the rate costs, in time and memory, beside a constant rate.

Two tasks × three optimizers, one thread. Both kinds of training take turns within one process, in
this process's own time: the machine may be busy with other things, which then slow both alike.
Memory is what all tensors hold together, counted at the end of a training.

    python benchmarks/hypergradient.py [--turns 15] [--out FILE]
"""

from __future__ import annotations

import argparse
import gc
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from _results import keep

from lrlab import Recipe, numerics, tasks, train
from lrlab.optimizers import SGD, Adam
from lrlab.schedules import Constant
from lrlab.schedules.controllers import HypergradientDescent

RESULTS = Path(__file__).parent / "results" / "hypergradient.json"
TASKS = {
    "perceptron": (tasks.get("mnist1d"), 100, 400),
    "LeNet": (tasks.get("mnist", n_train=1000), 64, 25),
}
OPTIMIZERS = {"SGD": (SGD(), 0.1), "momentum": (SGD(momentum=0.9), 0.02), "Adam": (Adam(), 1e-3)}


def held() -> int:
    """Bytes in the storages of all tensors."""
    storages = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), torch.Tensor):  # lazy objects warn when asked for their class
            for tensor in (thing, thing.grad if thing.is_leaf else None):
                if tensor is not None:
                    storage = tensor.untyped_storage()
                    storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


class Counter:
    """A rule that never stops a training and notes what is held at its last evaluation."""

    bytes = 0

    def __call__(self, evals: Mapping[str, Sequence[float]]) -> bool:
        """Count."""
        self.bytes = held()
        return False


def measure(task_name: str, optimizer_name: str, turns: int) -> dict[str, Any]:
    """Seconds of an update with both kinds of rate, one for each turn, and the memory held."""
    task, batch_size, steps = TASKS[task_name]
    optimizer, rate = OPTIMIZERS[optimizer_name]
    kinds = {"constant": Constant(rate), "hypergradient": HypergradientDescent(rate)}
    recipes = {
        kind: Recipe(
            schedule=source, steps=steps, batch_size=batch_size, optimizer=optimizer, eval_every=0
        )
        for kind, source in kinds.items()
    }
    memory = {}
    for kind, recipe in recipes.items():
        counter = Counter()
        train(task, recipe.replace(steps=3, eval_every=3), stop=counter)
        memory[kind] = counter.bytes
        train(task, recipe.replace(steps=3))
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(turns):
        for kind in sorted(kinds, reverse=bool(turn % 2)):
            began = time.process_time()
            train(task, recipes[kind])
            seconds[kind].append((time.process_time() - began) / steps)
    weights = sum(p.numel() for p in task.model().parameters())
    return {
        "task": task_name,
        "optimizer": optimizer_name,
        "batch_size": batch_size,
        "steps": steps,
        "weights": weights,
        "extra_copies": (memory["hypergradient"] - memory["constant"]) / (4 * weights),
        "bytes": memory,
        "seconds": {k: [float(f"{s:.6g}") for s in values] for k, values in seconds.items()},
    }


def main() -> None:
    """Measure all cells and write the results and their hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cells = []
    for task_name in TASKS:
        for optimizer_name in OPTIMIZERS:
            cell = measure(task_name, optimizer_name, arguments.turns)
            cells.append(cell)
            pairs = zip(cell["seconds"]["hypergradient"], cell["seconds"]["constant"], strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            print(
                f"{task_name:12s}{optimizer_name:10s} time × {ratio:.3f}, "
                f"{cell['extra_copies']:.2f} more copies of the weights",
                flush=True,
            )
    results = {
        "schema": 1,
        "turns": arguments.turns,
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "cells": cells,
    }
    keep(arguments.out, results)


if __name__ == "__main__":
    main()
