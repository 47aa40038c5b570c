"""What a gradient through a whole training costs, beside that training itself.

The perceptron of MNIST-1D as the notebook `metalearned_rate` has it, by the same code with and
without a graph, one thread. Both take turns within one process, in this process's own time: the
machine may be busy with other things, which then slow both alike. Memory is what is kept for the
way back, each tensor once.

    python benchmarks/unrolled.py [--turns 30] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import torch
from _results import keep

from lrlab import numerics, tasks
from lrlab.experiments.metalearned_rate import UnrolledTraining

RESULTS = Path(__file__).parent / "results" / "unrolled.json"
STEPS, BATCH, RATE = 200, 50, 0.6


def kept_for_the_way_back(training: UnrolledTraining) -> int:
    """Bytes in the storages that the graph of one training holds."""
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = training.mean_loss(torch.tensor(RATE, requires_grad=True))
    assert loss.requires_grad
    return sum(storages.values())


def main() -> None:
    """Measure, and write the results and their hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    task = tasks.get("mnist1d", architecture="tanh")
    training = UnrolledTraining(task, steps=STEPS, batch_size=BATCH)
    ways = {"training": training.mean_loss, "gradient": training.slope}
    for way in ways.values():
        way(RATE)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(arguments.turns):
        for name in sorted(ways, reverse=bool(turn % 2)):
            began = time.process_time()
            ways[name](RATE)
            seconds[name].append(float(f"{time.process_time() - began:.6g}"))
    weights = sum(p.numel() for p in task.model().parameters())
    results = {
        "schema": 1,
        "turns": arguments.turns,
        "profile": numerics.profile(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "steps": STEPS,
        "batch_size": BATCH,
        "weights": weights,
        "extra_copies": kept_for_the_way_back(training) / (4 * weights),
        "seconds": seconds,
    }
    keep(arguments.out, results)
    print(json.dumps(results)[:600])


if __name__ == "__main__":
    main()
