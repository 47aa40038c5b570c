"""Runs that an entry carries with it: for the loss explorer, whose sliders move through them.

A notebook whose runs form a grid of schedules, peak rates and seeds ends with `show`. Its output
carries, for each run, the loss in some sixty points and what was measured at the end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lrlab import display
from lrlab.labbook import carried

if TYPE_CHECKING:
    from lrlab.training.record import Run

KEY = "lrlab_recorded"
POINTS = 60
"""At most so many points has a curve."""
MOST = 300_000
"""At most so many bytes have the runs of an entry."""
DIGITS = 4

Data = dict[str, Any]


def show(
    runs: Mapping[Any, Run],
    *,
    about: str,
    metric: str = "validation_loss",
    unit: str = "nats",
) -> None:
    """Put a grid of runs into the entry, for the loss explorer; one line says so.

    The last cell of a notebook; tag it `nbval-ignore-output`. The output's metadata carries
    `lrlab_recorded`.

    Args:
        runs: by keys of (schedule, peak rate, seed). Each schedule has rates of its own, and every
            one of them the same seeds.
        about: what was trained, in a few words.
        metric: what was measured at the end, a name for `Run.final`.
        unit: of the loss and of what was measured.

    Raises:
        ValueError: if the runs are no such grid, differ in length or in what a key stands for, or
            take more than 300 kB.

    Example:
        >>> from lrlab import Job, Recipe, schedules, tasks, train_many
        >>> def job(lr, seed):
        ...     recipe = Recipe(
        ...         schedule=schedules.Constant(lr), steps=4, batch_size=8, eval_every=4, seed=seed
        ...     )
        ...     return Job(tasks.get("mnist", n_train=32), recipe)
        >>> plan = {("constant", lr, seed): job(lr, seed) for lr in (0.1, 0.2) for seed in (0, 1)}
        >>> show(train_many(plan, n_jobs=1, store=None, progress=False), about="LeNet, SGD")
        4 runs are recorded here for the loss explorer.
    """
    data = collect(runs, about=about, metric=metric, unit=unit)
    if (size := len(to_json(data).encode())) > MOST:
        raise ValueError(f"the runs of an entry take at most {MOST:,} bytes, got {size:,}")
    words = f"{len(runs)} runs are recorded here for the loss explorer."
    display.publish(text=words, markdown=words, metadata={KEY: data})


def collect(runs: Mapping[Any, Run], *, about: str, metric: str, unit: str) -> Data:
    """Return what `show` puts into the entry; its arguments are described there."""
    if not runs or not all(isinstance(key, tuple) and len(key) == 3 for key in runs):
        raise ValueError("need runs by keys of (schedule, peak rate, seed)")
    rates: dict[str, set[float]] = {}
    for name, peak, _ in runs:
        rates.setdefault(name, set()).add(peak)
    seeds = sorted({seed for *_, seed in runs})
    lengths = {run.recipe.steps for run in runs.values()}
    if len(lengths) > 1:
        raise ValueError(f"the runs must have one length, got {sorted(lengths)} updates")
    [steps] = lengths
    width = math.ceil(steps / POINTS)
    found = []
    for name, peaks in rates.items():
        points = []
        for peak in sorted(peaks):
            keys = [(name, peak, seed) for seed in seeds]
            if missing := [key for key in keys if key not in runs]:
                raise ValueError(f"the keys are no full grid: there is no run {missing[0]}")
            here = [runs[key] for key in keys]
            if any(run.steps < steps and not run.diverged for run in here):
                raise ValueError(f"a run of {(name, peak)} was stopped early")
            described = [run.recipe.schedule.to_dict() for run in here]
            if any(each != described[0] for each in described):
                raise ValueError(f"the runs of {(name, peak)} differ in their schedule")
            if "schedule" not in described[0]:
                raise ValueError(f"the rate of {(name, peak)} is set by a controller")
            made = [_described(run, metric, width) for run in here]
            points.append({"peak": float(peak), "schedule": described[0], "runs": made})
        found.append({"name": name, "peaks": points})
    chance = next(iter(runs.values())).chance.get("loss", math.nan)
    return {
        "about": about,
        "metric": metric.replace("_", " "),
        "unit": unit,
        "chance": _rounded(chance),
        "steps": steps,
        "width": width,
        "seeds": [int(seed) for seed in seeds],
        "schedules": found,
    }


def _described(run: Run, metric: str, width: int) -> Data:
    """A run: its loss, each point the mean of as many updates, and what it ended at."""
    with np.errstate(all="ignore"):  # where a run diverged
        means = [run.loss[at : at + width].mean() for at in range(0, run.steps, width)]
    words = [f"{mean:.{DIGITS}g}" if np.isfinite(mean) else "nan" for mean in means]
    made = {"final": _rounded(run.final(metric)), "loss": " ".join(words)}
    return made | ({"diverged": True} if run.diverged else {})


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def to_json(data: Data) -> str:
    """Return the runs of an entry as the text that the loss explorer reads."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def of(notebook: dict[str, Any]) -> Data | None:
    """Return the runs that an entry's notebook carries; None without any.

    Raises:
        ValueError: if they are damaged.
    """
    data = carried.last(notebook, KEY)
    if data is None:
        return None
    try:
        whole = _is_whole(data)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError):
        whole = False
    if not whole:
        raise ValueError("its recorded runs are damaged")
    return data


def _is_whole(data: Data) -> bool:
    points = math.ceil(data["steps"] / data["width"])
    return (
        all(isinstance(data[key], str) for key in ("about", "metric", "unit"))
        and (data["chance"] is None or data["chance"] > 0)
        and 0 < points <= POINTS
        and len(data["seeds"]) > 0
        and len(data["schedules"]) > 0
        and all(
            isinstance(schedule["name"], str)
            and len(schedule["peaks"]) > 0
            and all(_is_point(each, len(data["seeds"]), points) for each in schedule["peaks"])
            for schedule in data["schedules"]
        )
    )


def _is_point(each: Data, seeds: int, points: int) -> bool:
    return (
        each["peak"] > 0
        and isinstance(each["schedule"]["schedule"], str)
        and len(each["runs"]) == seeds
        and all(_is_run(run, points) for run in each["runs"])
    )


def _is_run(run: Data, points: int) -> bool:
    losses = [float(word) for word in run["loss"].split(" ")]
    if run["final"] is not None and not math.isfinite(run["final"]):
        return False
    return 0 < len(losses) <= points if run.get("diverged") else len(losses) == points
