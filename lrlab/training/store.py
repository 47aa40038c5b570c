"""The content-addressed store of runs: what was trained once is not trained again.

The key of a run is a hash of all that can change its numbers: task, recipe, probes, stopping
rule, numerics profile, versions, and the source of the modules that take part.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrlab import numerics
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training import _fingerprint as fingerprint
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._stopping import Stop
from lrlab.training.loop import train
from lrlab.training.probes import Probe
from lrlab.training.record import Run


def run_key(
    task: Task, recipe: Recipe, probes: Sequence[Probe] = (), stop: Stop | None = None
) -> str | None:
    """Return the key of a run, 64 hexadecimal digits, or None if it can't be known.

    It can't be where a part is not from the package itself (a model of one's own, a stopping rule
    without `to_dict`): what such a part does is not visible in its description.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=3, batch_size=8)
        >>> a, b = (run_key(tasks.get("mnist"), recipe.replace(seed=s)) for s in (0, 1))
        >>> len(a), a == b
        (64, False)
    """
    if task.live and getattr(task, "source", None) is None:
        return None
    parts = [task, recipe.schedule, recipe.optimizer, *probes, *([stop] if stop else [])]
    modules = {"lrlab.training.loop", *(type(part).__module__ for part in parts)}
    if not all(m.startswith("lrlab.") for m in modules) or not hasattr(stop or task, "to_dict"):
        return None
    described: Any = stop
    description = {
        "task": task.to_dict(),
        "recipe": recipe.to_dict(),
        "probes": [probe.to_dict() for probe in probes],
        "stop": described.to_dict() if stop else None,
        **({"factory": task.source} if task.live else {}),
        "numerics": numerics.profile(),
        "versions": _versions(),
        "source": _source_hash(frozenset(modules)),
    }
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Store:
    """A folder of finished runs and of checkpoints of unfinished ones.

    Args:
        folder: where the files are; made when first written to.
        checkpoint_every: updates between two checkpoints of a run in training.

    Example:
        >>> import tempfile
        >>> Store(Path(tempfile.mkdtemp())).get("0" * 64) is None
        True
    """

    folder: Path
    checkpoint_every: int = 2000

    def get(self, key: str, recipe: Recipe | None = None) -> Run | None:
        """Return the run with this key, None if it isn't there or can't be read.

        Args:
            key: as `run_key` gives it.
            recipe: the recipe that the key was made from; None: as the file describes it.
        """
        try:
            return Run.load(self._path(key, "npz"), recipe)
        except ValueError:
            return None

    def put(self, run: Run) -> None:
        """Keep a finished run under its key."""
        assert run.key is not None
        run.save(self._path(run.key, "npz"))
        self._path(run.key, "ckpt").unlink(missing_ok=True)

    def train(
        self, task: Task, recipe: Recipe, probes: Sequence[Probe] = (), stop: Stop | None = None
    ) -> Run:
        """Return the run from the store, or train it, with checkpoints, and keep it.

        A run that was killed goes on from its last checkpoint.
        """
        key = run_key(task, recipe, probes, stop)
        if key is None:
            return train(task, recipe, probes=probes, stop=stop)
        if (run := self.get(key, recipe)) is not None:
            return run
        checkpoint = self._checkpoint(key)
        while True:
            done = checkpoint.step if checkpoint else 0
            until = min(done + self.checkpoint_every, recipe.steps)
            run = train(task, recipe, probes=probes, stop=stop, until=until, resume=checkpoint)
            checkpoint = run.checkpoint
            if checkpoint is None:
                break
            checkpoint.save(self._path(key, "ckpt"))
        run = dataclasses.replace(run, key=key)
        self.put(run)
        return run

    def advance(self, task: Task, recipe: Recipe, until: int, probes: Sequence[Probe] = ()) -> Run:
        """Return the run as far as it was trained, at least up to `until` updates.

        What the store has of it is not trained again; what comes of it is kept, as a checkpoint or
        as the finished run, so that the next call, or `train`, goes on bit for bit.

        Raises:
            ValueError: if the run has no key, so that it can't be found again.
        """
        key = run_key(task, recipe, probes)
        if key is None:
            raise ValueError("only a task of lrlab, with its recipe and probes, can be continued")
        if (run := self.get(key, recipe)) is not None:
            return run
        checkpoint = self._checkpoint(key)
        until = max(until, checkpoint.step if checkpoint else 0)
        run = train(task, recipe, probes=probes, until=until, resume=checkpoint)
        if run.checkpoint is not None:
            run.checkpoint.save(self._path(key, "ckpt"))
        run = dataclasses.replace(run, key=key)
        if run.checkpoint is None:
            self.put(run)
        return run

    def _checkpoint(self, key: str) -> Checkpoint | None:
        try:
            return Checkpoint.load(self._path(key, "ckpt"))
        except ValueError:
            return None

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}.{suffix}"


def default_store() -> Store | None:
    """Return the store named by ``LRLAB_CACHE``, or the laboratory's own; None where it is off.

    ``LRLAB_CACHE=off`` switches it off, ``LRLAB_CACHE=<folder>`` moves it. Otherwise it is
    ``.lrlab/runs`` in the laboratory around the working folder, or ``~/.cache/lrlab/runs``.
    """
    value = os.environ.get("LRLAB_CACHE", "")
    if value.lower() == "off":
        return None
    if value:
        return Store(Path(value).expanduser())
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return Store(folder / ".lrlab" / "runs")
    return Store(Path.home() / ".cache" / "lrlab" / "runs")


@functools.cache
def _source_hash(modules: frozenset[str]) -> str:
    return fingerprint.source_hash(modules)


def _versions() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
