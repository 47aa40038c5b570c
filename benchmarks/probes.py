"""What probes cost: the share that each adds to the time of training, at the entries' settings.

The denoiser of `digits_diffusion`, batches of 140, Adam, one thread. Steps and measurements take
turns within one process, in this process's own time; of each the least time counts, since other
load can only add. Ends with status 1 if a probe costs more than 5 %, or all of them together.

    python benchmarks/probes.py [--turns 20] [--steps 100]
"""

from __future__ import annotations

import argparse
import sys
import time

import torch

from lrlab import Recipe, tasks, train
from lrlab.optimizers import Adam
from lrlab.schedules import Cosine
from lrlab.training.probes import (
    GradientNorm,
    Probe,
    StepContext,
    UpdateRatio,
    WeightNorms,
    WeightQuantiles,
)

LIMIT = 0.05
PROBES: tuple[Probe, ...] = (
    WeightQuantiles(100),
    WeightNorms(20),
    UpdateRatio(20),
    GradientNorm(20),
)
TASK = tasks.get("digits_diffusion")
BATCH = 140


def seconds_of_a_step(steps: int) -> float:
    recipe = Recipe(
        schedule=Cosine(0.008, steps=steps + 1),
        optimizer=Adam(),
        steps=steps + 1,
        batch_size=BATCH,
        eval_every=0,
    )
    first = train(TASK, recipe, until=1)
    began = time.process_time()
    train(TASK, recipe, until=steps, resume=first.checkpoint)
    return (time.process_time() - began) / (steps - 1)


def seconds_of_a_measurement(probe: Probe, context: StepContext, repeats: int = 10) -> float:
    began = time.process_time()
    for _ in range(repeats):
        probe.after(context, probe.before(context))
    return (time.process_time() - began) / repeats


def a_moment() -> StepContext:
    torch.manual_seed(0)
    model = TASK.model()
    optimizer = Adam().build([{"params": list(model.parameters())}])
    batch = tuple(part[:BATCH] for part in TASK.data().train)
    TASK.loss(model, batch, torch.Generator().manual_seed(0)).backward()
    return StepContext(TASK, model, optimizer, batch, 0.008, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    context = a_moment()
    step, cost = float("inf"), {probe: float("inf") for probe in PROBES}
    for _ in range(arguments.turns):
        step = min(step, seconds_of_a_step(arguments.steps))
        for probe in PROBES:
            cost[probe] = min(cost[probe], seconds_of_a_measurement(probe, context))
    shares = {probe: cost[probe] / probe.every / step for probe in PROBES}
    print(f"{step * 1e3:.3f} ms a step; least of {arguments.turns} turns")
    for probe, share in shares.items():
        print(
            f"{100 * share:6.2f} %   {probe.name}, {cost[probe] * 1e3:.3f} ms every "
            f"{probe.every} steps"
        )
    print(f"{100 * sum(shares.values()):6.2f} %   all four")
    sys.exit(sum(shares.values()) > LIMIT)


if __name__ == "__main__":
    main()
