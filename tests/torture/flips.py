"""One bit flipped, or the end cut off: it is noticed, and never another number is used."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np
import pytest
import torch
from entry_maker import write_entry
from sweep_fakes import Formula, plan, table
from test_store import RECIPE, SMALL
from test_store import flips as damaged
from tiny_lab import files, lrlab, make

from lrlab import train
from lrlab.labbook import releases
from lrlab.labbook.entries import logbook
from lrlab.labbook.ledger import check
from lrlab.labbook.looks import append, look
from lrlab.sweep import open_study, sweep, trials
from lrlab.tasks import _once
from lrlab.tasks.base import Splits
from lrlab.training.probes import GradientNorm
from lrlab.training.store import Store, run_key

TRIES = 1000
PROBES = (GradientNorm(),)


def attempt(seed: int, folder: Path) -> str | None:
    """Damage one file; the fault, or None."""
    target = TARGETS[seed % len(TARGETS)]
    fault = target(seed, folder)
    return fault and f"{target.__name__}: {fault}"


def run(seed: int, folder: Path) -> str | None:
    """A stored run."""
    store, key = Store(folder), run_key(SMALL, RECIPE, PROBES)
    _damage(_stored("npz"), store._path(key, "npz"), seed)
    return _trained_again(store)


def checkpoint(seed: int, folder: Path) -> str | None:
    """A checkpoint."""
    store, key = Store(folder), run_key(SMALL, RECIPE, PROBES)
    _damage(_stored("ckpt"), store._path(key, "ckpt"), seed)
    return _trained_again(store)


def data(seed: int, folder: Path) -> str | None:
    """Data that were drawn once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LRLAB_CACHE", raising=False)
        patch.setenv("LRLAB_DATA", str(folder))
        draw = _once.drawn_once("numpy")(_draw).__wrapped__
        right = _bytes(draw(seed))
        [path] = folder.iterdir()
        whole = path.read_bytes()
        _damage(whole, path, seed)
        if _bytes(draw(seed)) != right:
            return "other data are used"
        return None if path.read_bytes() == whole else "the damaged file stays"


def study(seed: int, folder: Path) -> str | None:
    """The database of a study, which is read, and gone on with."""
    whole, right = _study()
    path = folder / "study.db"
    _damage(whole, path, seed)
    url = f"sqlite:///{path}"
    for read in (
        lambda: open_study(None, url, "sweep"),
        lambda: sweep(plan(), storage=url, trainer=Formula(), n_jobs=1, progress=False),
    ):
        try:
            found = table(trials(read()))
        except ValueError as error:
            if len(str(error)) > common.LONGEST:
                return f"an answer of {len(str(error))} characters"
            continue
        if repr(found) != repr(right):
            new = [
                pair for pair in zip(found, right, strict=False) if repr(pair[0]) != repr(pair[1])
            ]
            return f"another study is read: {str(new[:1])[:300]}"
    return None


def log(seed: int, folder: Path) -> str | None:
    """A released file of the log: entry, record, looks, picture, data, or the manifest."""
    lab = folder / "lab"
    for name, content in _released().items():
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        (lab / name).write_bytes(content)
    chance = random.Random(seed)
    kept = sorted([releases.FILE, releases.LOOKS, *releases.read(lab)[0].files])
    name = chance.choice(kept)
    if not _damage((lab / name).read_bytes(), lab / name, seed):
        return None
    for words in (["list"], ["claims"], ["rerun", "2030-01-01-nothing"], ["claims", "--check"]):
        before = files(lab)
        result = lrlab(lab, *words)
        if fault := common.fault_of(result, before, files(lab)):
            return f"{name}: {' '.join(words)}: {fault}"
    return None if result.exit_code else f"{name}: claims --check does not notice it"


TARGETS: list[Callable[[int, Path], str | None]] = [run, log, checkpoint, study, log, data, log]


def _damage(whole: bytes, path: Path, seed: int) -> bool:
    """Write a damaged copy; whether it is another one."""
    [content] = damaged(whole, 1, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content != whole


def _trained_again(store: Store) -> str | None:
    found = store.train(SMALL, RECIPE, probes=PROBES)
    if not found.same_numbers(_right()):
        return "a run with other numbers is used"
    kept = store.get(run_key(SMALL, RECIPE, PROBES))
    return None if kept and kept.same_numbers(_right()) else "the damaged file stays"


@functools.cache
def _right():
    return train(SMALL, RECIPE, probes=PROBES)


@functools.cache
def _stored(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="lrlab-torture-") as folder:
        store = Store(Path(folder))
        store.advance(SMALL, RECIPE, until=2 if suffix == "ckpt" else 4, probes=PROBES)
        [path] = store.folder.rglob(f"*.{suffix}")
        return path.read_bytes()


def _draw(seed: int) -> Splits:
    parts = np.random.default_rng(seed).random((3, 7, 5), dtype=np.float32)
    return Splits(*((torch.from_numpy(part.copy()), torch.arange(7)) for part in parts))


def _bytes(splits: Splits) -> list[bytes]:
    parts = (splits.train, splits.validation, splits.test)
    return [tensor.numpy().tobytes() for part in parts for tensor in part]


@functools.cache
def _study() -> tuple[bytes, list[tuple]]:
    with tempfile.TemporaryDirectory(prefix="lrlab-torture-") as folder:
        path = Path(folder) / "study.db"
        url = f"sqlite:///{path}"
        made = sweep(plan(), storage=url, trainer=Formula(), n_jobs=1, progress=False)
        return path.read_bytes(), table(trials(made))


@functools.cache
def _released() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="lrlab-torture-") as place:
        lab = make(Path(place) / "lab")
        for date in ("2030-01-01", "2030-01-02"):
            write_entry(lab, date=date)
        append(lab, [look(entry.record, entry.claims(), None) for entry in logbook.log(lab)])
        (lab / "book" / "picture.png").write_bytes(b"\x89PNG" + bytes(range(256)))
        (lab / "benchmarks" / "results").mkdir(parents=True)
        (lab / "benchmarks" / "results" / "raw.json").write_text('{"seconds": [1.5, 2.5]}')
        releases.seal(lab, "0.1.0")
        assert check(lab) == [], check(lab)
        return files(lab)
