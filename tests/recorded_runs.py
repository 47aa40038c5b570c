"""A grid of runs that nobody trained: for tests of what an entry carries for the loss explorer."""

import json
from pathlib import Path

import numpy as np
from entry_maker import output, write_entry

from lrlab import Recipe, schedules
from lrlab.labbook import recorded
from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries._normalise import to_bytes
from lrlab.labbook.site import handbook
from lrlab.labbook.site import site as sites
from lrlab.labbook.site.handbook import _losses as losses
from lrlab.training import Run

STEPS = 165
SEEDS = (50_000, 50_001, 50_002)
SCHEDULES = {
    "no schedule": schedules.Constant,
    "one-cycle": lambda lr: schedules.OneCycle(lr, steps=STEPS),
}
PEAKS = {"no schedule": (0.1, 0.2, 0.4), "one-cycle": (0.2, 0.4, 0.8, 1.6)}
DIVERGED = ("one-cycle", 1.6, SEEDS[1])


def run_of(name: str, peak: float, seed: int) -> Run:
    """A run whose loss falls with noise, all of it drawn from the key."""
    recipe = Recipe(schedule=SCHEDULES[name](peak), steps=STEPS, batch_size=8, seed=seed)
    draw = np.random.default_rng([len(name), round(1000 * peak), seed])
    loss = 2.3 * np.exp(-np.arange(STEPS) * peak / 40) + draw.uniform(0.05, 0.2, STEPS)
    diverged = (name, peak, seed) == DIVERGED
    if diverged:
        loss = np.concatenate([loss[:40], [1e7, np.inf]])
    return Run(
        task={},
        recipe=recipe,
        status="diverged" if diverged else "completed",
        lr=recipe.schedule(np.arange(len(loss))),
        loss=loss,
        grad_norm=loss,
        evals={"validation_loss": np.array([2.3, draw.uniform(0.1, 0.9)])},
        probes={},
        seconds=0.0,
        chance={"loss": float(np.log(10))},
    )


def grid() -> dict:
    """Runs by schedule, peak rate and seed; one of them diverged."""
    return {
        (name, peak, seed): run_of(name, peak, seed)
        for name in SCHEDULES
        for peak in PEAKS[name]
        for seed in SEEDS
    }


def data(about: str = "A network") -> recorded.Data:
    """What an entry with these runs carries."""
    return recorded.collect(grid(), about=about, metric="validation_loss", unit="nats")


def carrying(root: Path, made: object, **more: object) -> Path:
    """Write an entry whose last cell of code carries something for the loss explorer."""
    path = write_entry(root, **more)
    notebook = json.loads(path.read_bytes())
    words = output({"text/markdown": "Recorded here.", "text/plain": "Recorded here."})
    notebook["cells"][-2]["outputs"].append(words | {"metadata": {recorded.KEY: made}})
    path.write_bytes(to_bytes(notebook))
    file = path.with_suffix(".json")
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"entry_sha256": records.sha256(path.read_bytes())}))
    return path


FIRST, SECOND = "2030-01-01-first", "2030-01-01-second"


def laboratory(folder: Path) -> Path:
    """Make a laboratory with two entries that carry runs, and a page for these."""
    for name in ("first", "second"):
        made = data(f"The {name} network")
        if name == "second":
            made["schedules"].reverse()
        carrying(folder, made, notebook=name, title=f"Entry {name}")
    page = folder / f"{handbook.LOSSES}.md"
    page.parent.mkdir(parents=True)
    page.touch()
    return folder


def stored(root: Path, name: str) -> recorded.Data:
    """What an entry's file carries, read without the laboratory's code."""
    cells = json.loads((root / "book/log" / f"{name}.ipynb").read_bytes())["cells"]
    return cells[-2]["outputs"][-1]["metadata"]["lrlab_recorded"]


def markup(root: Path) -> str:
    """The loss explorer of a laboratory, as its page has it."""
    return losses.markup(sites.Site(root), lambda page: f"{page}.html", "static")
