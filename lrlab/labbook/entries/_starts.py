"""Starts of runs, for kernels that train many of them: those that begin alike are evaluated once.

Runs that differ in their rate alone begin with the same weights, and smoke runs are so short that
every second evaluation is one of a start. Nothing of training or of later evaluations is left out.
"""

import hashlib
import json
import sys
from typing import Any


def evaluate_once() -> None:
    """Have each start evaluated once from now on: one task, seed and weights, to the last bit.

    Where nothing that trains has been loaded, as in a kernel that was not forked, all is as ever.
    """
    loop: Any = sys.modules.get("lrlab.training.loop")
    if loop is None:
        return
    measure = loop._measured
    known: dict[tuple[Any, ...], dict[str, float]] = {}

    def measured(task: Any, recipe: Any, state: Any, step: int) -> dict[str, float]:
        if step or task.live:
            return measure(task, recipe, state, step)
        told = json.dumps(task.to_dict(), sort_keys=True)
        key = type(task), told, recipe.seed, _digest(state.models())
        if key in known:
            state.history.evaluated(step, dict(known[key]))
        else:
            known[key] = dict(measure(task, recipe, state, step))
        return dict(known[key])

    loop._measured = measured


def _digest(models: dict[str, Any]) -> str:
    """Hash all weights and buffers, with their names, types and shapes."""
    digest = hashlib.sha256()
    for prefix, model in models.items():
        for name, tensor in model.state_dict().items():
            digest.update(f"{prefix}|{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
