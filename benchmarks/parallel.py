"""What running in parallel costs: 20 LeNet runs on all cores, beside the same runs one by one.

The ideal is the time of one run after the other in this process, with one thread, divided by the
number of cores. Both are measured in one go, the serial runs before and after the parallel ones.

    python benchmarks/parallel.py [--runs 20] [--steps 120]
"""

from __future__ import annotations

import argparse
import time

import joblib

from lrlab import Job, Recipe, schedules, tasks, train, train_many

TASK = tasks.get("mnist")


def jobs(count: int, steps: int) -> list[Job]:
    """LeNet runs that differ in their seed."""
    recipe = Recipe(schedule=schedules.Constant(0.05), steps=steps, batch_size=64)
    return [Job(TASK, recipe.replace(seed=seed)) for seed in range(count)]


def serial(todo: list[Job]) -> float:
    """Seconds for the runs one after the other."""
    began = time.perf_counter()
    for job in todo:
        train(job.task, job.recipe)
    return time.perf_counter() - began


def parallel(todo: list[Job]) -> float:
    """Seconds for the runs on all cores, without a store."""
    began = time.perf_counter()
    train_many(todo, store=None, progress=False)
    return time.perf_counter() - began


def main() -> None:
    """Time both ways and print the ratio to the ideal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=120)
    arguments = parser.parse_args()
    cores = joblib.cpu_count()
    todo = jobs(arguments.runs, arguments.steps)
    serial(todo[:1])  # loads the data
    cold = parallel(todo[:cores])  # starts the workers
    half = len(todo) // 2
    one_by_one = serial(todo[:half])
    together = parallel(todo)
    one_by_one += serial(todo[half:])
    ideal = one_by_one / cores
    print(f"{arguments.runs} runs of {arguments.steps} steps on {cores} cores")
    print(f"{one_by_one:7.1f} s one by one, {ideal:.1f} s ideally on {cores} cores")
    print(f"{together:7.1f} s in parallel: {together / ideal:.3f} of the ideal, workers warm")
    print(f"{cold:7.1f} s for {cores} runs with cold workers")


if __name__ == "__main__":
    main()
