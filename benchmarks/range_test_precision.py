"""How sure a suggestion at precision=3 is, and how much larger the best peak of a decay is.

For each cell of benchmarks/range_test.py: twenty suggestions of `range_test(…, precision=3)`, their
spread, how often their interval covers the best constant rate (by the validation losses of
benchmarks/results/range_test.json), and what they cost; and the best peak rate under a cosine and a
one-cycle of the same length, on a grid, for each seed, over the suggestions' geometric mean.

    python benchmarks/range_test_precision.py --cells "MNIST-1D MLP, SGD"
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from _results import keep, rounded
from range_test import (
    BUDGET,
    CELLS,
    DIGITS,
    OUR_PILOT_STEPS,
    OUR_PILOTS,
    OUR_SEEDS,
    OUR_STEPS,
    Cell,
    loss_of,
)
from range_test import RESULTS as REFERENCE

from lrlab import stats
from lrlab.range_test import range_test
from lrlab.schedules import Cosine, OneCycle
from lrlab.training.parallel import Job, train_many

RESULTS = Path(__file__).parent / "results" / "range_test_precision.json"
PRECISION, SEED, PEAK_SEED = 3.0, 60_000, 70_000
PEAKS = [2.0**k for k in range(-2, 6)]  # over the suggestion


def best_constant_rate(cell: Cell) -> dict[str, Any]:
    """The best rate of the benchmark's reference: on its grid, and between its grid's rates.

    Neighbours in the grid are a factor of 1.8 apart, so that its best one says little about where
    the lowest loss is: this is the vertex of a parabola through the mean log validation losses of
    the best rate and its neighbours, and its interval comes from the jackknife over seeds.
    """
    cells = {one["cell"]: one["reference"] for one in json.loads(REFERENCE.read_text())["cells"]}
    known = cells[cell.name]
    means = [np.mean(np.log(losses)) for losses in known["losses"]]
    best = int(np.argmin(means))
    rates = np.log(known["rates"][best - 1 : best + 2])
    losses = np.log(np.array(known["losses"][best - 1 : best + 2]))  # shape (3, seeds)
    vertex = _vertex(rates, losses.mean(axis=1))
    seeds = losses.shape[1]
    without = [
        _vertex(rates, np.delete(losses, seed, axis=1).mean(axis=1)) for seed in range(seeds)
    ]
    pseudo = seeds * vertex - (seeds - 1) * np.array(without)
    interval = stats.mean_interval(pseudo)
    return {
        "on_grid": known["rates"][best],
        "between": math.exp(vertex),
        "interval": [math.exp(interval.low), math.exp(interval.high)],
        "n": seeds,
    }


def _vertex(x: np.ndarray, y: np.ndarray) -> float:
    a, b, _ = np.polyfit(x - x[1], y, 2)
    return float(x[1] - b / (2 * a)) if a > 0 else float(x[int(y.argmin())])


def regret_at(cell: Cell, rate: float) -> float:
    """The log of the reference's loss at a rate, between its rates by a line, over its lowest."""
    cells = {one["cell"]: one["reference"] for one in json.loads(REFERENCE.read_text())["cells"]}
    known = cells[cell.name]
    means = [np.mean(np.log(losses)) for losses in known["losses"]]
    return float(np.interp(math.log(rate), np.log(known["rates"]), means) - min(means))


def one_suggestion(cell: Cell, i: int) -> dict[str, Any]:
    """Range test number i at the precision, on seeds of its own."""
    torch.set_num_threads(1)
    result = range_test(
        cell.task,
        cell.recipe,
        steps=OUR_STEPS,
        seeds=[SEED + 20 * i + k for k in range(OUR_SEEDS)],
        pilots=OUR_PILOTS,
        pilot_steps=OUR_PILOT_STEPS,
        precision=PRECISION,
        n_jobs=1,
        store=None,
    )
    found = result.suggest()
    ends = [found.interval.low, found.interval.high] if found.interval else None
    return {"lr": found.lr, "interval": ends, "updates": result.steps}


def peaks(cell: Cell, center: float, seeds: int, jobs: int) -> dict[str, Any]:
    """Each seed's best peak over the suggestion, and the geometric mean with its interval."""
    schedules = {
        "cosine": lambda lr: Cosine(lr, steps=BUDGET),
        "one-cycle": lambda lr: OneCycle(lr, steps=BUDGET),
    }
    found = {}
    for name, make in schedules.items():
        plan = [
            Job(cell.task, cell.recipe.replace(schedule=make(center * k), seed=PEAK_SEED + s))
            for s in range(seeds)
            for k in PEAKS
        ]
        runs = train_many(plan, n_jobs=jobs, store=None, progress=False)
        losses = [loss_of(run, math.inf) for run in runs]
        rows = np.array(losses).reshape(seeds, len(PEAKS))
        each = [PEAKS[int(row.argmin())] for row in np.where(np.isfinite(rows), rows, np.inf)]
        interval = stats.geometric_interval(each) if len(set(each)) > 1 else None
        found[name] = {
            "each": each,
            "factor": float(np.exp(np.mean(np.log(each)))),
            "interval": [interval.low, interval.high] if interval else None,
        }
    return found


def measure(cell: Cell, suggestions: int, seeds: int, jobs: int) -> dict[str, Any]:
    """All of one cell, as JSON values."""
    calls = (joblib.delayed(one_suggestion)(cell, i) for i in range(suggestions))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        found = joblib.Parallel(n_jobs=jobs)(calls)
    best = best_constant_rate(cell)
    rates = [one["lr"] for one in found if one["lr"]]
    ends = [one["interval"] for one in found if one["interval"]]
    return {
        "cell": cell.name,
        "best": best,
        "suggestions": found,
        "spread": max(rates) / min(rates),
        "covers": sum(low <= best["between"] <= high for low, high in ends) / len(found),
        "covers_on_grid": sum(low <= best["on_grid"] <= high for low, high in ends) / len(found),
        "meets": sum(
            low <= best["interval"][1] and best["interval"][0] <= high for low, high in ends
        )
        / len(found),
        "regret": float(np.mean([regret_at(cell, rate) for rate in rates])),
        "reached": sum(high / low <= PRECISION for low, high in ends) / len(found),
        "updates": float(np.median([one["updates"] for one in found])),
        "peaks": peaks(cell, float(np.exp(np.mean(np.log(rates)))), seeds, jobs),
    }


def main() -> None:
    """Measure the cells and write the results, those of other cells as they were."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--suggestions", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=8, help="of the peaks")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    known = json.loads(arguments.out.read_text())["cells"] if arguments.out.exists() else []
    for cell in CELLS:
        if arguments.cells and cell.name not in arguments.cells:
            continue
        one = measure(cell, arguments.suggestions, arguments.seeds, arguments.jobs)
        known = [other for other in known if other["cell"] != cell.name] + [rounded(one, DIGITS)]
        content = {"schema": 1, "precision": PRECISION, "budget": BUDGET, "cells": known}
        keep(arguments.out, content)
        factors = ", ".join(f"{n} {p['factor']:.2g}" for n, p in one["peaks"].items())
        print(
            f"{cell.name}: best {one['best']['between']:.3g}, spread {one['spread']:.2f}, covers "
            f"{one['covers']:.2f} (on the grid {one['covers_on_grid']:.2f}, meets its interval "
            f"{one['meets']:.2f}), regret {one['regret']:.3f}, "
            f"reached {one['reached']:.2f}, {one['updates']:.0f} updates; "
            f"best peak over it: {factors}",
            flush=True,
        )


if __name__ == "__main__":
    main()
