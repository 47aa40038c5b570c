"""A course report's range test at its own length: 14,070 updates of 128 images, five seeds.

Three parts, each on the same seeds. *ramp*: the report's staircase, one rate an epoch, from 1e-5 by
a factor of 1.52. *lower*: a constant 5e-4, the lower end of its range, until the test loss is below
2. *decays*: from .05 down to 5e-3, 5e-4 and 5e-5; they are one run but for the last three of 30
epochs. After each epoch of 469 updates training, validation and test part are evaluated. LeNet on
the 3,500 embedded digits, so that a run sees each of them 515 times; with `--source full` on 50,000
of MNIST, 36 times, downloaded at the first use.

Finished runs are kept in the store, so that the same command goes on with the others. The results
are written to benchmarks/results/report_ramp.json (report_ramp_full.json), their hash beside them,
after each part; the entry `report_ramp` reads them. All in all some 175,000 updates of 8 to 10 ms
of a core each: 25 to 29 minutes of a core, 13 to 15 on two.

    python benchmarks/report_ramp.py [--seeds 5] [--updates 14070] [--source full] [--jobs 2]
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _results import keep

from lrlab import Run, numerics, tasks, train_many
from lrlab.experiments import report_ramp as report
from lrlab.experiments.prefixes import train_branches
from lrlab.tasks.base import Task

RESULTS = Path(__file__).parent / "results"
FIRST_SEED = 44_000
PARTS = {"ramp": train_many, "lower": train_many, "decays": train_branches}
EVALUATED = (
    *("train_loss", "validation_loss", "test_loss"),
    *("train_accuracy", "validation_accuracy", "test_accuracy"),
)


def rounded(values: np.ndarray) -> list[float | None]:
    """Numbers with six digits; None where one is not finite."""
    return [float(f"{x:.6g}") if math.isfinite(x) else None for x in values.tolist()]


def described(part: str, name: str, run: Run, epoch: int) -> dict[str, Any]:
    """What is kept of a run, as JSON values: its evaluations, and the batches of each epoch."""
    done = run.evals["step"].astype(int)
    batches = [run.loss[i : i + epoch] for i in range(0, run.steps, epoch)]
    kept = {
        "lr": run.lr[np.maximum(done - 1, 0)],  # in effect in the update before the evaluation
        "batch_loss": np.array([np.mean(one) for one in batches]),
        "largest_batch_loss": np.array([np.max(one) for one in batches]),
    } | {name: run.evals[name] for name in EVALUATED}
    return {
        "part": part,
        "name": name,
        "seed": run.seed,
        "status": run.status,
        "updates": run.steps,
        "seconds": round(run.seconds, 1),
        "step": done.tolist(),
        **{key: rounded(values) for key, values in kept.items()},
    }


def save(path: Path, task: Task, epoch: int, batch_size: int, rows: list[dict[str, Any]]) -> None:
    """Write the results and their hash."""
    results = {
        "schema": 1,
        "task": task.to_dict(),
        "sizes": task.data().sizes(),
        "chance_loss": task.chance_loss,
        "epoch": epoch,
        "epochs": report.EPOCHS,
        "batch_size": batch_size,
        "profile": numerics.profile(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "runs": rows,
    }
    keep(path, results)


def main() -> None:
    """Train the parts one after the other, and write the results after each of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whole = report.EPOCHS * report.EPOCH
    parser.add_argument("--seeds", type=int, default=5, help="of each part, 2 or more")
    parser.add_argument(
        "--updates",
        type=int,
        default=whole,
        help=f"of a run, a multiple of {report.EPOCHS}; default: the report's own {whole}",
    )
    parser.add_argument("--batch-size", type=int, default=report.BATCH, help="images in a batch")
    parser.add_argument("--source", choices=("subset", "full"), default="subset")
    parser.add_argument("--n-train", type=int, help="training images; default: all there are")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--out", type=Path, help="results; default: benchmarks/results/")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("needs two seeds or more")
    if arguments.updates < report.EPOCHS or arguments.updates % report.EPOCHS:
        parser.error(f"--updates must be a multiple of {report.EPOCHS}, got {arguments.updates}")
    if arguments.jobs < 1:
        parser.error("needs a process or more")
    full = arguments.source == "full"
    try:
        n_train = arguments.n_train or (50_000 if full else 3500)
        task = tasks.get("mnist", n_train=n_train, source=arguments.source)
        shown = len(task.data().train[0])
    except ValueError as error:
        parser.error(str(error))
    if not 1 <= arguments.batch_size <= shown:
        parser.error(f"--batch-size must be in [1, {shown}], got {arguments.batch_size}")
    out = arguments.out or RESULTS / f"report_ramp{'_full' if full else ''}.json"
    torch.set_num_threads(1)
    epoch = arguments.updates // report.EPOCHS
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    plan = report.jobs(task, seeds, epoch=epoch, batch_size=arguments.batch_size)
    rows: list[dict[str, Any]] = []
    for part, trained in PARTS.items():
        began = time.perf_counter()
        wanted = {key: job for key, job in plan.items() if key[0] == part}
        print(f"{part}: {len(wanted)} runs of {arguments.updates} updates", file=sys.stderr)
        runs = trained(wanted, n_jobs=arguments.jobs)
        rows += [described(part, name, runs[part, name, seed], epoch) for _, name, seed in wanted]
        save(out, task, epoch, arguments.batch_size, rows)
        print(f"{part}: {len(runs)} runs, {runs.note()}, {time.perf_counter() - began:.0f} s")
    summary(rows)


def summary(rows: list[dict[str, Any]]) -> None:
    """Print the losses at the end, and where on the ramp the loss falls, is lowest, explodes."""
    for row in rows:
        last = f"{row['updates']:6d} updates, {row['status']}"
        losses = f"train {row['train_loss'][-1]:.3g}, test {row['test_loss'][-1]:.3g}"
        print(f"{row['part']:7s}{row['name']:7s}{row['seed']:6d}  {last}: {losses}")
    rates = report.START * report.FACTOR ** np.arange(report.EPOCHS)
    for row in rows:
        if row["part"] == "ramp":
            print(row["seed"], report.marks(rates, finite(row["test_loss"][1:])))


def finite(losses: list[float | None]) -> list[float]:
    """Losses up to the first that is not finite."""
    found = []
    for loss in losses:
        if loss is None:
            break
        found.append(loss)
    return found


if __name__ == "__main__":
    main()
