"""What a schedule costs: a million steps as an array, one step alone, and the libraries beside it.

Processor time is measured, and the quickest of several turns counts, since a busy machine can only
make a turn slower. torch's cost is that of `scheduler.step()`, which also writes the rate to the
optimizer; `as_torch` does the same with our schedule. optax's is measured where it is installed:

    python benchmarks/schedules.py
    PYTHONPATH=. .venv-peers/bin/python benchmarks/schedules.py
"""

from __future__ import annotations

import importlib.util
import time
import timeit
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

from lrlab import schedules as s

N = 10**6
STEP = 400_000
ARRAY_LIMIT, CALL_LIMIT = 50.0, 3.0  # [ms], [µs]; the second is for the simple ones
SIMPLE = [
    s.Constant(0.1),
    s.StepDecay(0.1, gamma=0.5, every_steps=1_000),
    s.MultiStep(0.1, milestones=[500_000, 750_000]),
    s.Exponential(0.1, gamma=0.99, every_steps=1_000),
    s.Linear(0.1, end_lr=0.01, steps=N),
    s.LinearDecayToZero(0.1, steps=N),
    s.Polynomial(0.1, end_lr=0.01, steps=N, power=2.0),
    s.InverseSqrt(0.1, timescale_steps=1_000),
    s.Cosine(0.1, steps=N, end_lr=0.01),
    s.Tanh(0.1, steps=N),
]
OTHERS = [
    s.CosineRestarts(0.1, cycle_steps=1_000, cycles=1_000),
    s.CosineRestarts(0.1, cycle_steps=1_000, cycles=9, growth=2, decay=0.9),
    s.OneCycle(0.1, steps=N),
    s.OneCycle(0.1, steps=N, anneal="linear", phases=3),
    s.Cyclic(0.1, base_lr=0.01, up_steps=1_000),
    s.Cyclic(0.1, base_lr=0.01, up_steps=1_000, mode="exp_range", gamma=0.999999),
    s.WarmupStableDecay(0.1, N, warmup_steps=1_000, cooldown_steps=200_000, cooldown="1-sqrt"),
    s.Warmup(s.Cosine(0.1, steps=N - 1_000), warmup_steps=1_000),
    s.Join([s.Constant(0.1), s.Cosine(0.1, steps=N // 2)], boundaries=[N // 2]),
]
PEERS = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 1_000, gamma=0.5),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, N),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=N),
    "as_torch(Cosine)": lambda o: s.as_torch(o, s.Cosine(0.1, steps=N)),
    "as_torch(OneCycle)": lambda o: s.as_torch(o, s.OneCycle(0.1, steps=N)),
}


def quickest(action: Callable[[], Any], number: int, turns: int) -> float:
    """Processor seconds of one call, in the quickest of several turns."""
    action()
    return min(timeit.repeat(action, timer=time.process_time, number=number, repeat=turns)) / number


def ours() -> None:
    """Time our schedules."""
    steps = np.arange(N)
    print(f"{N:,} steps as an array [ms] and one step alone [µs]")
    for schedule in [*SIMPLE, *OTHERS]:
        array = quickest(lambda schedule=schedule: schedule(steps), number=1, turns=15) * 1e3
        call = quickest(lambda schedule=schedule: schedule(STEP), number=2_000, turns=15) * 1e6
        over = array > ARRAY_LIMIT or (schedule in SIMPLE and call > CALL_LIMIT)
        name = type(schedule).__name__
        print(f"  {name:20}{array:7.1f}{call:8.2f}{'  above the limit' if over else ''}")


def torchs() -> None:
    """Time PyTorch's schedulers, and ours in their place."""
    print(f"scheduler.step() of torch {torch.__version__} [µs]")
    for name, build in PEERS.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no optimizer step is made in between
            scheduler = build(optimizer)
            cost = quickest(scheduler.step, number=1_000, turns=15)
        print(f"  {name:20}{cost * 1e6:15.2f}")


def optaxes() -> None:
    """Time optax's schedules, eagerly and compiled."""
    import jax
    import optax

    builders = {
        "exponential_decay": optax.exponential_decay(0.1, 1_000, 0.5, staircase=True),
        "cosine_decay": optax.cosine_decay_schedule(0.1, N),
        "cosine_onecycle": optax.cosine_onecycle_schedule(N, 0.1),
    }
    print(f"one step of optax {optax.__version__} [µs]: as it is, and compiled")
    for name, schedule in builders.items():
        compiled = jax.jit(schedule)
        eager = quickest(lambda f=schedule: float(f(STEP)), number=20, turns=15)
        jitted = quickest(lambda f=compiled: float(f(STEP)), number=1_000, turns=15)
        print(f"  {name:20}{eager * 1e6:15.2f}{jitted * 1e6:10.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    ours()
    torchs()
    if importlib.util.find_spec("optax"):
        optaxes()
    else:
        print("optax is not installed here; PYTHONPATH=. .venv-peers/bin/python measures it")
