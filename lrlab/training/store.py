"""The content-addressed store of runs: what was trained once is not trained again.

The key of a run is a hash of all that can change its numbers: task, recipe, probes and stopping
rule with all that they hold, numerics profile, versions, and the source of the modules that take
part. A file that is damaged, or is not what its name says, is as good as none.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import platform
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrlab import files, numerics
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training import _fingerprint as fingerprint
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._description import Unknown, describe
from lrlab.training._stopping import Stop
from lrlab.training.loop import train
from lrlab.training.probes import Probe
from lrlab.training.record import Run


def run_key(
    task: Task, recipe: Recipe, probes: Sequence[Probe] = (), stop: Stop | None = None
) -> str | None:
    """Return the key of a run, 64 hexadecimal digits, or None if it can't be known.

    It can't be where a part holds something that can't be looked into (a module of one's own, a
    generator, an open file), or is defined in a notebook's cell or at a prompt.

    Args:
        task: data, model and loss.
        recipe: how it is trained.
        probes: what else is measured.
        stop: when it ends early.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=3, batch_size=8)
        >>> a, b = (run_key(tasks.get("mnist"), recipe.replace(seed=s)) for s in (0, 1))
        >>> len(a), a == b
        (64, False)
    """
    if task.live and getattr(task, "source", None) is None:
        return None
    parts: list[Any] = [task, recipe, [*probes], stop]
    roots = {"lrlab.training.loop"}
    if task.live:  # a factory, by name: what it builds is new for each run, and says nothing more
        parts[:2] = [task.to_dict(), recipe.to_dict(), recipe.schedule]
        factory: Any = task
        roots |= {type(task).__module__, factory.build.partition(":")[0]}
    try:
        described, modules = describe(parts)
        source = _sources(modules | roots)
    except Unknown:
        return None
    except fingerprint.Unreadable as error:
        warnings.warn(f"{error}: runs that depend on it are not kept", stacklevel=2)
        return None
    key = [described, source, numerics.profile(), _versions()]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


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
        """Return the run with this key, None if it isn't there, is damaged or is another run.

        Args:
            key: as `run_key` gives it.
            recipe: the recipe that the key was made from; None: as the file describes it.
        """
        try:
            run = Run.load(self._path(key, "npz"), recipe)
        except ValueError:
            return None
        return run if run.key == key else None

    def put(self, run: Run) -> None:
        """Keep a finished run under its key; where that can't be done, warn and go on."""
        assert run.key is not None
        try:
            run.save(self._path(run.key, "npz"))
            self._path(run.key, "ckpt").unlink(missing_ok=True)
        except OSError as error:
            files.complain(self.folder, error)

    def train(
        self,
        task: Task,
        recipe: Recipe,
        probes: Sequence[Probe] = (),
        stop: Stop | None = None,
        key: str | None = None,
    ) -> Run:
        """Return the run from the store, or train it, with checkpoints, and keep it.

        A run that was killed goes on from its last checkpoint.

        Args:
            task: data, model and loss.
            recipe: how it is trained.
            probes: what else is measured.
            stop: when it ends early.
            key: what `run_key` said in another process, where this one can't know: a class that a
                script defines is sent to a worker without its file.
        """
        key = run_key(task, recipe, probes, stop) or key
        if key is None:
            return train(task, recipe, probes=probes, stop=stop)
        if (run := self.get(key, recipe)) is not None:
            return run
        checkpoint = self._checkpoint(key)
        while True:
            done = checkpoint.step if checkpoint else 0
            until = min(done + self.checkpoint_every, recipe.steps)
            run = train(task, recipe, probes=probes, stop=stop, until=until, resume=checkpoint)
            run = self._kept(run, key)
            checkpoint = run.checkpoint
            if checkpoint is None:
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
            raise ValueError(
                "only a run with a key can be continued: see lrlab.training.store.run_key"
            )
        if (run := self.get(key, recipe)) is not None:
            return run
        checkpoint = self._checkpoint(key)
        until = max(until, checkpoint.step if checkpoint else 0)
        return self._kept(train(task, recipe, probes=probes, until=until, resume=checkpoint), key)

    def _checkpoint(self, key: str) -> Checkpoint | None:
        try:
            return Checkpoint.load(self._path(key, "ckpt"), key)
        except ValueError:
            return None

    def _kept(self, run: Run, key: str) -> Run:
        run = dataclasses.replace(run, key=key)
        if run.checkpoint is None:
            self.put(run)
            return run
        try:
            run.checkpoint.save(self._path(key, "ckpt"), key)
        except OSError as error:
            files.complain(self.folder, error)
        return run

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}.{suffix}"


def default_store() -> Store | None:
    """Return the store that `lrlab.files.cache_folder` names, or None where it is switched off.

    Example:
        >>> import os
        >>> from unittest.mock import patch
        >>> with patch.dict(os.environ, LRLAB_CACHE="off"):
        ...     default_store() is None
        True
    """
    try:
        folder = files.cache_folder()
    except (OSError, RuntimeError) as error:  # there is no working folder, or no home
        files.complain(Path(".lrlab"), error)
        return None
    return Store(folder) if folder else None


@functools.cache
def _sources(modules: frozenset[str]) -> str:
    return json.dumps(fingerprint.sources(modules), sort_keys=True)


@functools.cache
def _versions() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
