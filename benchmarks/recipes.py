"""Which optimizer, which schedule: five small tasks, each recipe tuned, on fresh seeds.

Two optimizers × six schedules × five tasks, and moving averages of the weights with three decays
beside every run, which cost no training. All schedules but one-cycle rise over the first 5 % of the
updates; what falls, falls to zero; weight decay, momentum and batch are the same for all schedules
of an optimizer. A constant rate is tried at eight peaks on tuning seeds, more where the best lies
at an edge; a schedule at the three peaks around the constant's best and on from there, until the
best of its own lies inside. Then, on seeds that were not used before, the best, half and twice of
it are trained, and each seed takes the one with the lowest validation loss (of averages: the best
peak and decay; a constant rate that is averaged has a peak of its own, tuned as the average). The
recipes that handbooks give are run as they stand. What is reported is from the test part.

Runs are kept in the store, so that the same command goes on where it was interrupted. A task that
is finished is added to the results file, so that the tasks may be run one by one.

    python benchmarks/recipes.py [--tasks perceptron,denoiser] [--seeds 10] [--tuning-seeds 2]
                                 [--updates 1000] [--out FILE] [--plan]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _results import keep

from lrlab import Job, Recipe, numerics, tasks, train_many
from lrlab.experiments.averages import Averages, final
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
from lrlab.training import Run

RESULTS = Path(__file__).parent / "results" / "recipes.json"
FIRST_TUNING_SEED, FIRST_SEED = 40_000, 41_000
WARMUP, COOLDOWN = 0.05, 0.2
DECAYS, EVERY = (0.9, 0.98, 0.995), 5
FACTOR, FIRST_GRID = math.sqrt(10), range(8)
AROUND = (0.5, 1.0, 2.0)
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
        "1e-3, constant": ("constant", 1e-3),
        "3e-4, constant": ("constant", 3e-4),
    },
}
SCHEDULES = ("constant", "step", "cosine", "linear", "one-cycle", "WSD")
AVERAGED = "{}, averaged"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A task, its batch and budget, how often a run sees its data, and CPU seconds of a run."""

    task: Task
    batch_size: int
    steps: int
    passes: str
    seconds: float


CELLS = {
    "perceptron": Cell(tasks.get("mnist1d"), 64, 1000, "many", 0.7),
    "CNN": Cell(tasks.get("mnist1d", architecture="cnn"), 64, 1000, "many", 2.2),
    "LeNet": Cell(tasks.get("mnist"), 32, 400, "many", 1.9),
    "denoiser": Cell(tasks.get("digits_diffusion"), 64, 1000, "many", 1.1),
    "transformer": Cell(tasks.get("names_lm", layers=1, n_eval=500), 16, 1000, "one", 1.7),
}


def schedules(steps: int) -> dict[str, Callable[[float], Schedule]]:
    """By name, the schedule with a given peak."""
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

    return {
        "constant": warmed(Constant),
        "step": warmed(step),
        "cosine": warmed(lambda peak: Cosine(peak, steps=rest)),
        "linear": warmed(lambda peak: Linear(peak, end_lr=0.0, steps=rest)),
        "one-cycle": lambda peak: OneCycle(peak, steps=steps),
        "WSD": wsd,
    }


def peak_of(optimizer: str, k: int) -> float:
    """Peak number k of an optimizer's grid, rounded to three digits."""
    return float(f"{LOWEST[optimizer] * FACTOR**k:.3g}")


@dataclasses.dataclass(frozen=True)
class Bench:
    """A cell with an optimizer, and what is trained and measured in it."""

    cell: Cell
    optimizer: str
    seeds: range
    tuning: range

    def train(self, name: str, peaks: Iterable[float], seeds: range) -> dict[float, list[Run]]:
        """Train a schedule at some peaks on some seeds."""
        cell, schedule = self.cell, schedules(self.cell.steps)[name]
        runs = train_many(
            {
                (peak, seed): Job(
                    cell.task,
                    Recipe(
                        schedule=schedule(peak),
                        steps=cell.steps,
                        batch_size=cell.batch_size,
                        optimizer=OPTIMIZERS[self.optimizer],
                        seed=seed,
                        eval_every=0,
                    ),
                    (Averages(every=EVERY, decays=(0.0, *DECAYS), last=cell.steps),),
                )
                for peak in peaks
                for seed in seeds
            },
            progress=False,
        )
        return {peak: list(runs.of(peak).values()) for peak in peaks}

    def tune(self, name: str, first: Iterable[int], decays: tuple[tuple[float, ...], ...]) -> Any:
        """Try peaks until the best lies inside the grid, for each group of decays.

        Returns:
            The number of each group's best peak, and the grid: mean log validation losses of each.
        """
        tried: dict[int, tuple[float, ...]] = {}
        wanted = list(first)
        while wanted:
            trained = self.train(name, [peak_of(self.optimizer, k) for k in wanted], self.tuning)
            for k, runs in zip(wanted, trained.values(), strict=True):
                tried[k] = tuple(min(map(mean_log(runs), group)) for group in decays)
            low, high = min(tried), max(tried)
            best = [min(tried, key=lambda k: tried[k][i]) for i in range(len(decays))]
            ends = {low: low - 1, high: high + 1}
            wanted = sorted({ends[k] for k in best if k in ends})
            if high - low > 2 * len(FIRST_GRID):
                wanted = []  # flat to the last digit: there is no best
        grid = [[peak_of(self.optimizer, k), *map(_rounded, tried[k])] for k in sorted(tried)]
        return best, grid

    def measure(self, name: str, peak: float, decays: tuple[float, ...]) -> dict[str, Any]:
        """Train peaks around one on the fresh seeds; each seed takes its best peak and decay."""
        trained = self.train(name, [peak * factor for factor in AROUND], self.seeds)
        taken = []
        for i in range(len(self.seeds)):
            options = [(runs[i], p, decay) for p, runs in trained.items() for decay in decays]
            taken.append(min(options, key=lambda o: final(o[0], o[2], "validation_loss")))
        return {"peak": peak} | measured(taken)

    def handbook(self) -> Iterable[dict[str, Any]]:
        """Measure the recipes of the handbooks, as they stand."""
        for label, (name, peak) in HANDBOOK[self.optimizer].items():
            runs = self.train(name, [peak], self.seeds)[peak]
            yield {"optimizer": self.optimizer, "recipe": label, "schedule": name} | measured(
                [(run, peak, 0.0) for run in runs]
            )

    def arms(self) -> Iterable[dict[str, Any]]:
        """Tune and measure each schedule, and the average of its weights."""
        start: Iterable[int] = FIRST_GRID
        for name in SCHEDULES:
            own = name == "constant"  # its average has a peak of its own
            best, grid = self.tune(name, start, ((0.0,), DECAYS) if own else ((0.0,),))
            if own:
                start = range(best[0] - 1, best[0] + 2)
            for decays, k in zip(((0.0,), DECAYS), (best[0], best[-1]), strict=True):
                arm = name if decays == (0.0,) else AVERAGED.format(name)
                found = self.measure(name, peak_of(self.optimizer, k), decays)
                yield {"optimizer": self.optimizer, "arm": arm, "grid": grid} | found


def mean_log(runs: list[Run]) -> Callable[[float], float]:
    """The mean log validation loss of some runs, as a function of the average's decay."""
    return lambda decay: float(np.mean([np.log(final(r, decay, "validation_loss")) for r in runs]))


def measured(taken: list[tuple[Run, float, float]]) -> dict[str, Any]:
    """What is reported of runs, with their peaks and decays: by seed, from the test part."""
    found: dict[str, Any] = {
        f"{part}_loss": [_rounded(final(run, decay, f"{part}_loss")) for run, _, decay in taken]
        for part in ("validation", "test")
    }
    errors = None
    if all("accuracy" in run.chance for run, _, _ in taken):
        errors = [_rounded(1 - final(run, decay, "test_accuracy")) for run, _, decay in taken]
    return found | {
        "test_error": errors,
        "peaks": [peak for _, peak, _ in taken],
        "decays": [decay for _, _, decay in taken],
        "diverged": sum(run.diverged for run, _, _ in taken),
        "seconds": _rounded(float(np.mean([run.seconds for run, _, _ in taken]))),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")


def planned(arguments: argparse.Namespace) -> float:
    """About how many runs each optimizer of a task takes: grids may grow, and recipes coincide."""
    tuning = (len(FIRST_GRID) + 1 + 3.5 * (len(SCHEDULES) - 1)) * arguments.tuning_seeds
    return tuning + (3 * (len(SCHEDULES) + 0.7) + 3) * arguments.seeds


def seconds_of(name: str, most: int) -> float:
    """CPU seconds of one run where both cores are busy; a short one still has its evaluation."""
    return CELLS[name].seconds * max(min(1.0, most / CELLS[name].steps), 0.1)


def described(cell: Cell) -> dict[str, Any]:
    """All that decides a cell's runs besides the settings, as JSON values."""
    return {
        "task": cell.task.to_dict(),
        "weights": sum(p.numel() for p in cell.task.model().parameters()),
        "batch_size": cell.batch_size,
        "steps": cell.steps,
        "passes": cell.passes,
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }


def known(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The tasks that a results file holds.

    Raises:
        ValueError: if it was made with other settings.
    """
    if not path.is_file():
        return {}
    found = json.loads(path.read_text())
    if found.get("settings") != settings:
        raise ValueError(f"{path} was measured with other settings; give --out another file")
    return found["tasks"]


def save(path: Path, settings: Mapping[str, Any], done: Mapping[str, Any]) -> None:
    """Write the results and their hash."""
    ordered = {name: done[name] for name in CELLS if name in done}
    results = {"schema": 2, "settings": settings, "tasks": ordered}
    keep(path, results)


def main() -> None:
    """Run what the store does not have, and add each finished task to the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="fresh seeds, 2 or more")
    parser.add_argument("--tuning-seeds", type=int, default=2, help="1 or more")
    parser.add_argument("--tasks", default=",".join(CELLS), help=f"some of {','.join(CELLS)}")
    parser.add_argument("--updates", type=int, default=1000, help="at most, in a run")
    parser.add_argument("--out", type=Path, default=RESULTS, help="results; tasks are added")
    parser.add_argument("--plan", action="store_true", help="say what it would cost, and end")
    arguments = parser.parse_args()
    names = arguments.tasks.split(",")
    if unknown := [name for name in names if name not in CELLS]:
        parser.error(f"--tasks must be some of {','.join(CELLS)}, got {unknown[0]!r}")
    if arguments.seeds < 2 or arguments.tuning_seeds < 1 or arguments.updates < 4 * EVERY:
        parser.error(f"needs 2 seeds, 1 tuning seed and {4 * EVERY} updates, or more")
    most = arguments.updates // EVERY * EVERY
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    tuning = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + arguments.tuning_seeds)
    settings = {
        "seeds": [seeds.start, seeds.stop],
        "tuning_seeds": [tuning.start, tuning.stop],
        "most_updates": most,
        "warmup": WARMUP,
        "cooldown": COOLDOWN,
        "decays": list(DECAYS),
        "averaged_every": EVERY,
        "optimizers": {name: optimizer.to_dict() for name, optimizer in OPTIMIZERS.items()},
    }
    try:
        done = known(arguments.out, settings)
    except (ValueError, KeyError) as error:
        parser.error(str(error))
    cells = {n: dataclasses.replace(CELLS[n], steps=min(CELLS[n].steps, most)) for n in names}
    costs = {n: 2 * planned(arguments) * seconds_of(n, most) for n in names}
    for name, cost in costs.items():
        runs = 2 * planned(arguments)
        print(f"{name:12s}about {runs:.0f} runs, {cost / 60:.1f} CPU min", flush=True)
    print(f"in all about {sum(costs.values()) / 60:.0f} CPU min, less what is in the store")
    if arguments.plan:
        return
    torch.set_num_threads(1)
    began, spent, arms = time.perf_counter(), 0.0, 2 * len(SCHEDULES)
    for name, cell in cells.items():
        rows: dict[str, list[dict[str, Any]]] = {"arms": [], "handbook": []}
        for optimizer in OPTIMIZERS:
            bench = Bench(cell, optimizer, seeds, tuning)
            for kind, found in (("arms", bench.arms()), ("handbook", bench.handbook())):
                for row in found:
                    rows[kind].append(row)
                    label = row.get("arm", row.get("recipe"))
                    loss = math.exp(float(np.log(row["test_loss"]).mean()))
                    spent += costs[name] / (2 * arms) if kind == "arms" else 0.0
                    minutes = (time.perf_counter() - began) / 60
                    left = minutes * (sum(costs.values()) / max(spent, 1e-9) - 1)
                    print(
                        f"{name:12s}{optimizer:6s}{label:20s} peak {row['peaks'][0]:<8.3g} "
                        f"loss {loss:.4f}, {row['diverged']} diverged; {minutes:.1f} min, "
                        f"about {max(left, 0):.0f} to go",
                        flush=True,
                    )
        done[name] = described(cell) | rows
        save(arguments.out, settings, done)
        print(f"{name} is in {arguments.out}", flush=True)


if __name__ == "__main__":
    main()
