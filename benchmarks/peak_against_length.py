"""How the best peak falls with the number of updates: five cells, four schedules, eight lengths.

For each cell (task × optimizer) constant, cosine, linear and warmup-stable-decay are trained at
eight lengths, a factor of 64 in all, on a grid of peaks a factor of two apart that grows where a
curve is lowest at its end. Lengths of a constant rate are prefixes of one run, and cooldowns branch
off it. The rise of five updates under AdamW is the same at every length. What is kept are the final
losses; the entry `peak_against_length` reads them.

Runs are kept in the store, so that the same command goes on where it was interrupted.

    python benchmarks/peak_against_length.py [--seeds 8] [--cells NAME …] [--shortest 20] [--out F]
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _results import keep

from lrlab import numerics, tasks
from lrlab.experiments.peak_against_length import NAMES, Study, Table, measure, spread_lengths
from lrlab.optimizers import SGD, AdamW

RESULTS = Path(__file__).parent / "results" / "peak_against_length.json"
FIRST_SEED = 43_000
RISE = 5
ADAMW = AdamW(weight_decay=0.01)


@dataclasses.dataclass(frozen=True)
class Cell:
    """A study, its shortest training, its lowest peak, and how often a run sees its data."""

    study: Study
    lowest: float
    passes: str
    shortest: int = 20


CELLS = {
    "perceptron, AdamW": Cell(Study(tasks.get("mnist1d"), ADAMW, 64, RISE), 1e-3, "many"),
    "CNN, AdamW": Cell(
        Study(tasks.get("mnist1d", architecture="cnn"), ADAMW, 64, RISE), 1e-3, "many"
    ),
    "denoiser, AdamW": Cell(Study(tasks.get("digits_diffusion"), ADAMW, 64, RISE), 5e-4, "many"),
    "transformer, AdamW": Cell(
        Study(tasks.get("names_lm", layers=1, n_eval=500), ADAMW, 16, RISE), 1e-3, "one"
    ),
    "LeNet, SGD": Cell(Study(tasks.get("mnist"), SGD(momentum=0.9), 64), 5e-3, "many", 8),
}


def rounded(losses: dict[str, np.ndarray]) -> dict[str, Any]:
    """Losses with six digits, as lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return float(f"{value:.6g}")

    return {name: plain(values.tolist()) for name, values in losses.items()}


def described(name: str, cell: Cell, table: Table) -> dict[str, Any]:
    """All of a cell, as JSON values."""
    return {
        "cell": name,
        "task": cell.study.task.to_dict(),
        "weights": sum(p.numel() for p in cell.study.task.model().parameters()),
        "optimizer": cell.study.optimizer.to_dict(),
        "batch_size": cell.study.batch_size,
        "warmup_steps": cell.study.warmup_steps,
        "passes": cell.passes,
        "peaks": list(table.peaks),
        "lengths": list(table.lengths),
        "validation": rounded(table.validation),
        "test": rounded(table.test),
        "diverged": table.diverged,
        "runs": table.runs,
    }


def main() -> None:
    """Measure the cells, and write the results and their hash after each of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="NAME")
    parser.add_argument("--shortest", type=int, help="updates; default: 20, LeNet 8")
    parser.add_argument("--peaks", type=int, default=6, help="in the first grid, 3 or more")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.seeds < 2 or arguments.peaks < 3:
        parser.error("needs two seeds and three peaks, or more")
    if arguments.shortest is not None and arguments.shortest <= RISE:
        parser.error(f"the shortest training must be longer than the rise of {RISE} updates")
    torch.set_num_threads(1)
    seeds, cells = range(FIRST_SEED, FIRST_SEED + arguments.seeds), []
    for name in arguments.cells:
        cell, began = CELLS[name], time.perf_counter()
        lengths = spread_lengths(arguments.shortest or cell.shortest)
        peaks = [cell.lowest * 2**k for k in range(arguments.peaks)]
        table = measure(cell.study, NAMES, lengths, peaks, seeds)
        cells.append(described(name, cell, table))
        took = time.perf_counter() - began
        print(f"{name}: {table.runs} runs, {table.diverged} diverged, {took:.0f} s", flush=True)
        for schedule, losses in table.validation.items():
            at = np.exp(np.log(losses).mean(axis=0)).argmin(axis=1)
            print(f"  {schedule:10s}best peaks {[float(f'{table.peaks[i]:.2g}') for i in at]}")
        save(arguments.out, cells, seeds)


def save(path: Path, cells: list[dict[str, Any]], seeds: range) -> None:
    """Write the results and their hash."""
    results = {
        "schema": 1,
        "seeds": [seeds.start, seeds.stop],
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "cells": cells,
    }
    keep(path, results)


if __name__ == "__main__":
    main()
