"""How much of a machine a sweep uses: 100 trials of about a second, on all cores.

Efficiency is (sum of the trials' training time at one thread) / (wall time × cores), with that time
as it was measured in the workers; sampler (TPE), storage (SQLite), checkpoints and the judging are
in the wall time. Two cores that share their caches, or one core, train slower together than alone:
so `to_alone` puts in its place what the same updates take with nothing beside them, from runs that
are trained one by one between the sweeps, and the row of bare processes, which train the same runs
with no engine at all, says how much of that a machine can give.

Beside it: the same with cold workers, with a stopping rule (what counts is the updates that were
made), the same search with plain Optuna (`n_jobs`, the same `train`), and with Ray Tune in an
environment of its own (.venv-ray, which `make bench` makes).

What the engine itself costs is measured on trials that only wait for a second: there the sum of the
trials' times is known, and the processor is free. `busy` is the share of the machine that other
programs used meanwhile; above a few per cent, numbers with training say little. The results are
written to benchmarks/results/sweep.json, the hash beside it.

    python benchmarks/sweep.py [--trials 100] [--turns 2] [--no-ray] [--waiting-only] [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import optuna
import psutil
import torch
from _results import keep, rounded

from lrlab import tasks, train
from lrlab.sweep import LogUniform, Plan, rules, sweep, trials
from lrlab.sweep.trainer import TaskTrainer, Trainer
from lrlab.sweep.workers import Progress

RESULTS = Path(__file__).parent / "results" / "sweep.json"
ROOT = Path(__file__).resolve().parent.parent
RAY = ROOT / ".venv-ray" / "bin" / "python"  # Ray, with our own environment beside it
WAIT = 1.0  # seconds of a trial that only waits
STEPS, EVERY, BATCH = 2900, 290, 64  # about a second with one thread; ten evaluations
LOW, HIGH = 1e-3, 0.1  # no rate between them diverges
RULE = {"rule": "wandb-hyperband", "min_iter": 2, "eta": 2}
ALONE = 6  # runs one by one between two sweeps
PEER_TRIALS = 40
SEED = 70_000


@dataclasses.dataclass(frozen=True)
class Waiting:
    """A trainer that waits in place of training, a tenth of a second for each evaluation."""

    def __call__(self, plan: Plan, params: Mapping[str, Any], evaluation: int) -> Progress:
        """Wait for what the stage before had not waited for."""
        stages = [0, *rules.rungs(plan.rule, plan.evaluations), plan.evaluations]
        done = max(stage for stage in stages if stage < evaluation)
        time.sleep(WAIT * (evaluation - done) / plan.evaluations)
        floor = abs(math.log(params["peak_lr"] / 0.02))
        return Progress(
            values=tuple(floor + 1 / k for k in range(1, evaluation + 1)),
            steps=tuple(plan.step_of(k) for k in range(1, evaluation + 1)),
            seconds=WAIT * evaluation / plan.evaluations,
        )


def the_plan(count: int, seed: int, rule: dict[str, Any] | None = None) -> Plan:
    """The sweep: the peak rate of a cosine for an MLP on MNIST-1D."""
    return Plan(
        task={"task": "mnist1d"},
        recipe={
            "schedule": {"schedule": "Cosine", "peak_lr": 1.0, "steps": STEPS},
            "optimizer": {"optimizer": "SGD", "momentum": 0.9},
            "steps": STEPS,
            "eval_every": EVERY,
            "batch_size": BATCH,
            "seed": seed,
        },
        space={"peak_lr": LogUniform(LOW, HIGH)},
        trials=count,
        rule=rule,
        seed=seed,
    )


def objective(rate: float, seed: int) -> float:
    """What the other engines call: one run, its last validation loss."""
    torch.set_num_threads(1)
    plan = the_plan(1, seed)
    return train(plan.task, plan.recipe_of({"peak_lr": rate})).final("validation_loss")


def alone(seed: int) -> list[float]:
    """Seconds of each of some runs, one by one in this process."""
    found = []
    for rate in np.geomspace(LOW, HIGH, ALONE):
        began = time.perf_counter()
        objective(float(rate), seed)
        found.append(time.perf_counter() - began)
    return found


def _used() -> tuple[float, float]:
    machine = psutil.cpu_times()
    here = psutil.Process()
    own = 0.0
    for process in [here, *here.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        own += times.user + times.system
    return sum(machine) - machine.idle - getattr(machine, "iowait", 0.0), own


def timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Carry out some work; its wall time, and what others used of the machine meanwhile."""
    machine, own = _used()
    began = time.perf_counter()
    found = work()
    wall = time.perf_counter() - began
    machine, own = (after - before for after, before in zip(_used(), (machine, own), strict=True))
    busy = max(0.0, machine - own) / (wall * joblib.cpu_count())
    return found | {"wall": wall, "busy": busy}


def ours(
    count: int, seed: int, rule: dict[str, Any] | None = None, trainer: Trainer | None = None
) -> dict[str, Any]:
    """One sweep with an empty store and a new SQLite file."""
    with tempfile.TemporaryDirectory(prefix="lrlab-sweep-") as folder:
        url = f"sqlite:///{folder}/study.db"
        trainer = trainer or TaskTrainer(f"{folder}/runs")
        study = sweep(the_plan(count, seed, rule), storage=url, trainer=trainer, progress=False)
        found = trials(study)
    return {
        "trials": len(found),
        "updates": sum(trial.updates for trial in found),
        "in_workers": sum(trial.seconds for trial in found),
        "stopped": sum(trial.outcome == "stopped" for trial in found),
    }


def _in_a_row(rates: list[float], seed: int) -> float:
    """Train some runs one after the other; their seconds."""
    began = time.perf_counter()
    for rate in rates:
        objective(rate, seed)
    return time.perf_counter() - began


def bare(count: int, seed: int) -> dict[str, Any]:
    """One process a core, each with its share of the runs: what the machine can give."""
    cores = joblib.cpu_count()
    rates = np.geomspace(LOW, HIGH, count).tolist()
    calls = (joblib.delayed(_in_a_row)(rates[k::cores], seed) for k in range(cores))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        found = joblib.Parallel(n_jobs=cores, pre_dispatch="all", batch_size=1)(calls)
    return {"trials": count, "updates": count * STEPS, "in_workers": sum(found)}


def with_optuna(count: int, seed: int) -> dict[str, Any]:
    """Plain Optuna: threads of one process, TPE, SQLite."""
    with tempfile.TemporaryDirectory(prefix="lrlab-sweep-") as folder:
        study = optuna.create_study(
            storage=f"sqlite:///{folder}/study.db", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        study.optimize(
            lambda trial: objective(trial.suggest_float("peak_lr", LOW, HIGH, log=True), seed),
            n_trials=count,
            n_jobs=joblib.cpu_count(),
        )
        return {"trials": len(study.trials), "updates": len(study.trials) * STEPS}


def with_ray(count: int, seed: int) -> dict[str, Any]:
    """Ray Tune: a process for each trial, one core each, random search. Runs in .venv-ray."""
    import ray
    from ray import tune

    ray.init(num_cpus=joblib.cpu_count(), include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory(prefix="lrlab-sweep-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(
                lambda config: {"loss": objective(config["peak_lr"], seed)}, {"cpu": 1}
            ),
            param_space={"peak_lr": tune.loguniform(LOW, HIGH)},
            tune_config=tune.TuneConfig(num_samples=count, metric="loss", mode="min"),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        began = time.perf_counter()
        results = tuner.fit()
        wall = time.perf_counter() - began
        done = sum(result.metrics is not None and "loss" in result.metrics for result in results)
    ray.shutdown()
    return {
        "trials": done,
        "updates": done * STEPS,
        "wall": wall,
        "busy": None,
        "ray": ray.__version__,
    }


def ray_elsewhere(count: int, seed: int) -> dict[str, Any]:
    """`with_ray` in its environment."""
    if not RAY.exists():
        raise SystemExit("Ray Tune needs its environment: run `make .venv-ray/.ready`, or --no-ray")
    call = [RAY, __file__, "--inside-ray", str(count), "--seed", str(seed)]
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:  # Ray writes into the home folder
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HOME": folder, "RAY_TMPDIR": folder}
        # With niceness 15, its default, any other program goes first.
        environment |= {"RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "120"}
        done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.strip().splitlines()[-1])


def row(name: str, turns: list[dict[str, Any]], second: float) -> dict[str, Any]:
    """Efficiency and trials a minute of each turn.

    Args:
        name: of the engine.
        turns: what `timed` returned.
        second: of training for one update, alone.
    """
    cores = joblib.cpu_count()
    for turn in turns:
        turn["to_alone"] = turn["updates"] * second / (turn["wall"] * cores)
        turn["trials_per_minute"] = 60 * turn["trials"] / turn["wall"]
        if "in_workers" in turn:
            turn["efficiency"] = turn["in_workers"] / (turn["wall"] * cores)
    return {"name": name, "turns": turns} | {
        key: statistics.median(turn[key] for turn in turns)
        for key in ("efficiency", "to_alone", "trials_per_minute")
        if key in turns[0]
    }


def waiting(count: int) -> list[dict[str, Any]]:
    """What the engine costs, on trials that only wait."""
    ours(2 * joblib.cpu_count(), SEED, trainer=Waiting())  # warm workers
    rows = []
    for name, rule in (("without a rule", None), ("with a stopping rule", RULE)):
        turn = timed(lambda rule=rule: ours(count, SEED, rule, Waiting()))
        name = f"lrlab, trials that only wait, {name}"
        print(f"{name}: {turn['trials']} trials, {turn['wall']:.1f} s", flush=True)
        rows.append(row(name, [turn], WAIT / STEPS))
    return rows


def measure(count: int, turns: int, ray: bool) -> list[dict[str, Any]]:
    """What training costs in a sweep, the runs alone between the sweeps."""
    tasks.get("mnist1d").data()
    objective(LOW, SEED)  # loads the data
    by_name: dict[str, list[dict[str, Any]]] = {}
    single = alone(SEED)

    def note(name: str, turn: dict[str, Any]) -> None:
        by_name.setdefault(name, []).append(turn)
        single.extend(alone(SEED + len(single)))
        print(f"{name}: {turn['trials']} trials, {turn['wall']:.1f} s", flush=True)

    note("lrlab, cold workers", timed(lambda: ours(count, SEED)))
    for turn in range(1, turns + 1):
        note("lrlab, warm workers", timed(lambda seed=SEED + turn: ours(count, seed)))
    few = min(count, PEER_TRIALS)
    note("lrlab, warm workers, with a stopping rule", timed(lambda: ours(few, SEED, RULE)))
    note("bare processes", timed(lambda: bare(few, SEED)))
    note(f"Optuna, n_jobs={joblib.cpu_count()}", timed(lambda: with_optuna(few, SEED)))
    if ray:
        note("Ray Tune", ray_elsewhere(few, SEED))
    second = statistics.median(single) / STEPS
    print(f"a trial alone: {STEPS * second:.2f} s (n={len(single)})")
    rows = [row(name, found, second) for name, found in by_name.items()]
    for line in rows:
        line["alone"] = {"seconds": STEPS * second, "n": len(single)}
    return rows


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--turns", type=int, default=2, help="sweeps with warm workers")
    parser.add_argument("--no-ray", action="store_true", help="leave out Ray Tune")
    parser.add_argument("--waiting-only", action="store_true", help="train nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--inside-ray", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=SEED, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if arguments.inside_ray:
        print(json.dumps(with_ray(arguments.inside_ray, arguments.seed)))
        return
    rows = waiting(arguments.trials)
    if not arguments.waiting_only:
        rows += measure(arguments.trials, arguments.turns, not arguments.no_ray)
    results = {
        "schema": 1,
        "cores": joblib.cpu_count(),
        "machine": {"processor": _processor(), "system": platform.platform()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "optuna": optuna.__version__,
            "joblib": joblib.__version__,
            "ray": next((t["ray"] for row in rows for t in row["turns"] if "ray" in t), None),
        },
        "trial": {"steps": STEPS, "eval_every": EVERY, "batch_size": BATCH, "waits": WAIT},
        "rows": rows,
    }
    keep(arguments.out, rounded(results, 4), indent=1)
    for line in results["rows"]:
        each = ", ".join(f"{turn.get('efficiency', math.nan):.3f}" for turn in line["turns"])
        busy = [f"{turn['busy']:.0%}" for turn in line["turns"] if turn["busy"] is not None]
        others = f"; busy {', '.join(busy)}" if busy else ""
        print(
            f"{line['name']:44s} efficiency {each}; to alone {line['to_alone']:.3f}; "
            f"{line['trials_per_minute']:.0f} trials a minute{others}"
        )


if __name__ == "__main__":
    main()
