"""What a training run leaves behind."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lrlab.files import read_sealed, write_sealed
from lrlab.recipe import Recipe

if TYPE_CHECKING:
    from lrlab.training._checkpoint import Checkpoint

_PART = re.compile("^(averaged_)?(train|validation|test)_")
_FOREIGN = (zipfile.BadZipFile, zlib.error)
Status = Literal["completed", "stopped", "diverged", "partial"]


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """The record of one training run. All arrays are float64, losses in the task's own unit.

    Args:
        task: the task, as `Task.to_dict` gives it.
        recipe: how it was trained.
        status: ``"completed"``; ``"stopped"`` early on purpose; ``"diverged"``: the loss or the
            gradient was not finite or above the recipe's bound, at the last step;
            ``"partial"``: trained up to `until`.
        lr: the rate of each update, shape (steps,).
        loss: the loss on each batch before its update, shape (steps,).
        grad_norm: the norm of each gradient before clipping, shape (steps,); NaN where the run
            diverged before it was known.
        evals: by name, one number per evaluation; ``"step"`` is the number of updates done.
        probes: by the probe's name: ``"step"`` and its measurements, one row each.
        seconds: time that training took.
        chance: what guessing scores, by the task's own names of its metrics.
        key: the key in the store, None if it has none.
        checkpoint: all that is needed to go on, for runs that can go on.

    Example:
        >>> from lrlab import Recipe, schedules, tasks, train
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=2, batch_size=8)
        >>> run = train(tasks.get("mnist", n_train=32), recipe)
        >>> run.status, run.loss.shape
        ('completed', (2,))
    """

    task: dict[str, Any]
    recipe: Recipe
    status: Status
    lr: np.ndarray
    loss: np.ndarray
    grad_norm: np.ndarray
    evals: dict[str, np.ndarray]
    probes: dict[str, dict[str, np.ndarray]]
    seconds: float
    chance: dict[str, float] = dataclasses.field(default_factory=dict)
    key: str | None = None
    checkpoint: Checkpoint | None = None

    @property
    def steps(self) -> int:
        """Number of updates that were tried; the last one is the one that failed, if any."""
        return len(self.loss)

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return self.recipe.seed

    @property
    def diverged(self) -> bool:
        """Whether the run ended because loss or gradient left the bounds."""
        return self.status == "diverged"

    def final(self, metric: str) -> float:
        """Return a metric at the last evaluation, at worst that of guessing.

        This is the one rule for runs that diverged: they count as guessing, and so does every run
        that ended above it (below it, for an accuracy). Where the task does not say what guessing
        scores, a run that diverged gives NaN. What was measured, whatever it is, is in `evals`.

        Raises:
            KeyError: naming the metrics there are.
        """
        if metric not in self.evals:
            raise KeyError(f"no metric {metric!r}; there are {', '.join(self.evals)}")
        value, name = float(self.evals[metric][-1]), _PART.sub("", metric)
        chance = self.chance.get(name, math.nan)
        if self.diverged or math.isnan(value) or math.isnan(chance):
            return chance if self.diverged or math.isnan(value) else value
        return max(value, chance) if name == "accuracy" else min(value, chance)

    def same_numbers(self, other: Run) -> bool:
        """Whether two runs recorded the same numbers, bit for bit (time taken apart)."""
        mine, theirs = self._arrays(), other._arrays()
        return (
            self.status == other.status
            and mine.keys() == theirs.keys()
            and all(mine[k].tobytes() == theirs[k].tobytes() for k in mine)
        )

    def save(self, path: Path) -> None:
        """Write the run (without its checkpoint) to a file, all of it or nothing."""
        about: dict[str, Any] = {
            "task": self.task,
            "recipe": self.recipe.to_dict(),
            "status": self.status,
        }
        about |= {"seconds": self.seconds, "chance": self.chance, "key": self.key}
        contents: dict[str, Any] = {"about": json.dumps(about), **self._arrays()}
        content = io.BytesIO()
        np.savez_compressed(content, **contents)
        write_sealed(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, recipe: Recipe | None = None) -> Run:
        """Read a run that `save` wrote. No code in the file is ever executed.

        Args:
            path: the file.
            recipe: the run's recipe, where the caller has it; None: as the file describes it.

        Raises:
            ValueError: if the file is not a run, is damaged, or its recipe has parts that lrlab
                does not know.
        """
        payload = read_sealed(path)
        try:
            with np.load(io.BytesIO(payload), allow_pickle=False) as content:
                arrays = dict(content)
            about = json.loads(str(arrays.pop("about")))
            about["recipe"] = recipe or Recipe.from_dict(about["recipe"])
        except (EOFError, ValueError, KeyError, TypeError, *_FOREIGN) as error:
            raise ValueError(f"{path.name} is not a stored run") from error
        evals, series = {}, {}
        probes: dict[str, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            kind, _, rest = name.partition(":")
            if kind == "eval":
                evals[rest] = array
            elif kind == "probe":
                probe, _, measure = rest.partition(":")
                probes.setdefault(probe, {})[measure] = array
            else:
                series[name] = array
        return cls(**about, **series, evals=evals, probes=probes)

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {"lr": self.lr, "loss": self.loss, "grad_norm": self.grad_norm}
        arrays |= {f"eval:{name}": values for name, values in self.evals.items()}
        for probe, measures in self.probes.items():
            arrays |= {f"probe:{probe}:{name}": values for name, values in measures.items()}
        return arrays
