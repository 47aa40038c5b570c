"""What the training loop costs, beside loops that record less.

MLP 40-100-100-10 on MNIST-1D, batch 100, SGD with momentum, one thread. All loops are timed in
turn within one process, again and again, and the ratio is taken within each turn: the machine may
be busy with other things, which then slow all of them alike.

    python benchmarks/loop.py [--turns 15] [--steps 1000]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab import Recipe, tasks, train
from lrlab.optimizers import SGD
from lrlab.schedules import OneCycle

TASK = tasks.get("mnist1d")
BATCH = 100
PEAK = 0.1


def lrlab_loop(steps: int) -> float:
    """Our loop, without its evaluation at the start and the end."""
    recipe = Recipe(
        schedule=OneCycle(PEAK, steps=steps + 1),
        steps=steps + 1,
        batch_size=BATCH,
        optimizer=SGD(momentum=0.9),
    )
    warm = train(TASK, recipe, until=1)
    began = time.perf_counter()
    train(TASK, recipe, until=steps + 1 - 1, resume=warm.checkpoint)
    return (time.perf_counter() - began) / (steps - 1)


def bare_loop(steps: int, record: bool) -> float:
    """Indexed tensors and nothing else; with `record`, rate, loss and gradient norm are kept."""
    x, y = TASK.data().train
    torch.manual_seed(0)
    model = TASK.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=PEAK, momentum=0.9)
    order = torch.Generator().manual_seed(0)
    parameters = list(model.parameters())
    rates = OneCycle(PEAK, steps=steps)
    lrs, losses, norms = [], [], []
    schedule = rates(torch.arange(steps).numpy()).tolist()
    per_epoch = len(y) // BATCH
    began = time.perf_counter()
    for step in range(steps):
        if step % per_epoch == 0:
            permutation = torch.randperm(len(y), generator=order)
        at = step % per_epoch * BATCH
        indices = permutation[at : at + BATCH]
        optimizer.param_groups[0]["lr"] = schedule[step]
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[indices]), y[indices])
        loss.backward()
        if record:
            lrs.append(schedule[step])
            losses.append(loss.item())
            norms.append(nn.utils.get_total_norm([p.grad for p in parameters]).item())
        optimizer.step()
    return (time.perf_counter() - began) / steps


def loader_loop(steps: int) -> float:
    """A DataLoader and torch's OneCycleLR, recording the loss: what tutorials show."""
    torch.manual_seed(0)
    model = TASK.model()
    loader = DataLoader(TensorDataset(*TASK.data().train), BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=PEAK, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=steps)
    losses, done = [], 0
    began = time.perf_counter()
    while True:
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            done += 1
            if done == steps:
                return (time.perf_counter() - began) / steps
            scheduler.step()


def main() -> None:
    """Time all loops in turn and print the median ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--steps", type=int, default=1000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    loops: dict[str, Callable[[int], float]] = {
        "lrlab.train": lrlab_loop,
        "bare loop that records the same three": lambda steps: bare_loop(steps, record=True),
        "bare loop that records nothing": lambda steps: bare_loop(steps, record=False),
        "DataLoader and OneCycleLR": loader_loop,
    }
    times: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(arguments.turns):
        for name, loop in loops.items():
            times[name].append(loop(arguments.steps))
    ours = times["lrlab.train"]
    print(f"{arguments.turns} turns of {arguments.steps} steps each; median")
    for name, others in times.items():
        ratio = statistics.median(mine / other for mine, other in zip(ours, others, strict=True))
        print(
            f"{statistics.median(others) * 1e3:7.3f} ms a step   lrlab/this {ratio:5.3f}   {name}"
        )


if __name__ == "__main__":
    main()
