"""SIGKILL at a random moment: nothing is half-written, nothing survives, the end is the same."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from common import below, fault_of, survivors, with_suppressed
from entry_maker import write_entry
from sweep_fakes import Formula, plan, table, whole
from test_sweep_resume import TRIALS, carry_out, carry_out_in_two
from tiny_lab import SOURCE, files, lrlab, make

from lrlab import Checkpoint, Recipe, schedules, tasks, train
from lrlab.sweep import sweep, trials
from lrlab.training.record import Run
from lrlab.training.store import Store, run_key

FORK = multiprocessing.get_context("fork")
PATIENCE = 120  # seconds for a victim to come to where it is killed
TRIES = 320

TASK = tasks.get("mnist1d", n_train=64, architecture="logistic")
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=600, batch_size=16, eval_every=50)
WITH_WORKERS = SOURCE.replace(
    "parts = [rate * i for i in range(n)]",
    "from joblib import Parallel, delayed\n"
    "def part(i):\n    time.sleep(0.1)\n    return rate * i\n"
    "parts = Parallel(n_jobs=2)(delayed(part)(i) for i in range(n))",
)


def attempt(seed: int, folder: Path) -> str | None:
    """Kill one victim, then let it finish; the fault, or None."""
    chance = random.Random(seed)
    victim = VICTIMS[seed % len(VICTIMS)]
    fault = victim(chance, folder)
    return fault and f"{victim.__name__}: {fault}"


def training(chance: random.Random, folder: Path) -> str | None:
    """A run with checkpoints, which may be killed while it writes one."""
    right, seconds = _trained()
    store = Store(folder / "runs", checkpoint_every=chance.choice((1, 7, 40)))
    for _ in range(chance.randrange(1, 3)):
        _killed(folder, store.train, (TASK, RECIPE), chance.random() * seconds)
        if fault := survivors(folder) or _unreadable(store.folder):
            return fault
    run = store.train(TASK, RECIPE)
    if not run.same_numbers(right):
        return "the run that went on has other numbers"
    kept = store.get(run_key(TASK, RECIPE))
    return None if kept is not None and kept.same_numbers(right) else "its run is not in the store"


def sweep_alone(chance: random.Random, folder: Path) -> str | None:
    """A sweep in one process."""
    return _sweep(folder, lambda: _killed(folder, carry_out, _study(folder), chance.random() * 0.5))


def sweep_workers(chance: random.Random, folder: Path) -> str | None:
    """One worker of two is killed; the parent says so and ends."""
    return _sweep(folder, lambda: _killed_workers(chance, folder, parent=False))


def sweep_all(chance: random.Random, folder: Path) -> str | None:
    """The parent of two workers is killed, or all of them."""
    return _sweep(folder, lambda: _killed_workers(chance, folder, parent=True))


def entry(chance: random.Random, folder: Path) -> str | None:
    """`lrlab run`, its parent."""
    wanted, seconds = _entry(WITH_WORKERS)
    lab = _lab(folder, WITH_WORKERS)
    _killed(lab, _call, ("run", "tiny"), chance.random() * seconds)
    return survivors(folder) or _finished(lab, wanted, "run", "tiny")


def kernel(chance: random.Random, folder: Path) -> str | None:
    """`lrlab run`, its kernel."""
    return _part_of_a_run(chance, folder, "ipykernel_launcher")


def worker(chance: random.Random, folder: Path) -> str | None:
    """`lrlab run`, a worker of its kernel."""
    return _part_of_a_run(chance, folder, "popen_loky")


def reference(chance: random.Random, folder: Path) -> str | None:
    """`lrlab reference`, while it renews."""
    wanted, seconds = _reference()
    lab = _lab(folder, SOURCE)
    _killed(lab, _call, ("reference", "tiny"), chance.random() * seconds)
    return survivors(folder) or _finished(lab, wanted, "reference", "tiny")


def validation(chance: random.Random, folder: Path) -> str | None:
    """`lrlab reference --check`, which has pytest and a kernel below it."""
    wanted, seconds = _reference()
    lab = _lab(folder, SOURCE)
    for name, data in wanted.items():
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        (lab / name).write_bytes(data)
    _killed(lab, _call, ("reference", "--check"), (0.3 + chance.random()) * seconds)
    return survivors(folder) or (None if _kept(lab) == wanted else "it changed files")


def release(chance: random.Random, folder: Path) -> str | None:
    """`lrlab release`, whose manifest comes last."""
    wanted, seconds = _released()
    lab = _to_release(folder)
    _killed(lab, _call_unvalidated, ("release", "0.2.0"), chance.random() * seconds)
    with _unvalidated():
        result = lrlab(lab, "release", "0.2.0")
    if fault := fault_of(result):
        return fault
    return None if _kept(lab) == wanted else "the release that went on has other files"


VICTIMS: list[Callable[[random.Random, Path], str | None]] = [
    training,
    sweep_alone,
    release,
    training,
    entry,
    training,
    sweep_alone,
    sweep_all,
    training,
    kernel,
    release,
    training,
    sweep_workers,
    reference,
    training,
    worker,
    sweep_alone,
    training,
    release,
    validation,
]


def _killed(folder: Path, target: Callable, arguments: tuple, seconds: float) -> int | None:
    """Have a process work in a folder, kill it after that time, and return its exit code."""
    process = _started(folder, target, arguments)
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode


def _started(folder: Path, target: Callable, arguments: tuple) -> multiprocessing.Process:
    process = FORK.Process(target=_work, args=(folder, target, arguments))
    process.start()
    return process


def _work(folder: Path, target: Callable, arguments: tuple) -> None:
    said = os.open(folder / "said.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(folder)
    signal.alarm(0)
    target(*arguments)


def _call(*words: str) -> None:
    from lrlab.labbook.cli import main

    main(list(words), prog_name="lrlab")


def _call_unvalidated(*words: str) -> None:
    with _unvalidated():
        _call(*words)


@contextlib.contextmanager
def _unvalidated():
    """Without the references, which are killed on their own."""
    from lrlab.labbook.entries import reference

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "problems", lambda root: [])
        patch.setattr(reference, "validate", lambda root: [])
        yield


def _unreadable(store: Path) -> str | None:
    """A file of the store that is there by half."""
    for path in store.rglob("*"):
        try:
            if path.suffix == ".npz":
                Run.load(path)
            elif path.suffix == ".ckpt":
                Checkpoint.load(path)
        except ValueError as error:
            return f"half-written: {error}"
    return None


@functools.cache
def _trained() -> tuple[Run, float]:
    TASK.data()
    began = time.monotonic()
    return train(TASK, RECIPE), time.monotonic() - began


def _study(folder: Path) -> tuple[str, str, int]:
    return f"sqlite:///{folder / 'study.db'}", str(folder / "diary.txt"), 1


@functools.cache
def _whole_study() -> list[tuple]:
    return whole(trials=TRIALS)


def _sweep(folder: Path, kill: Callable[[], str | None]) -> str | None:
    fault = kill()
    if fault := survivors(folder) or (fault if isinstance(fault, str) else None):
        return fault
    url = _study(folder)[0]
    study = sweep(plan(trials=TRIALS), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    return None if table(trials(study)) == _whole_study() else "the study has other trials"


def _killed_workers(chance: random.Random, folder: Path, *, parent: bool) -> str | None:
    process = _started(folder, carry_out_in_two, _study(folder)[:1])
    victims = _found(process, folder, "popen_loky")
    process.join(chance.random())
    if parent:
        process.kill()
    if not parent or chance.random() < 0.5:
        for victim in victims[: None if parent else 1]:
            with_suppressed(victim.kill)
    return _ended(process, (-signal.SIGKILL, 0) if parent else (0,))


def _found(process: multiprocessing.Process, folder: Path, command: str) -> list[psutil.Process]:
    """Wait for processes below a folder with this in their command, or the end of their parent."""
    until = time.monotonic() + PATIENCE
    while process.is_alive() and time.monotonic() < until:
        found = []
        for one in below(folder):
            with contextlib.suppress(psutil.Error):
                if command in " ".join(one.cmdline()):
                    found.append(one)
        if found:
            return found
        time.sleep(0.02)
    return []


def _ended(process: multiprocessing.Process, codes: tuple[int, ...]) -> str | None:
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
        return f"it does not end in {PATIENCE} s"
    return None if process.exitcode in codes else f"it ends with {process.exitcode}"


def _part_of_a_run(chance: random.Random, folder: Path, command: str) -> str | None:
    wanted, _ = _entry(WITH_WORKERS)
    lab = _lab(folder, WITH_WORKERS)
    process = _started(lab, _call, ("run", "tiny"))
    victims = _found(process, folder, command)
    process.join(chance.random())
    for victim in victims[:1]:
        with_suppressed(victim.kill)
    fault = _ended(process, (0, 1)) or survivors(folder)
    said = (lab / "said.txt").read_text(errors="replace")
    if fault or "Traceback" in said:
        return fault or f"a traceback is shown: {said[-300:]!r}"
    if process.exitcode == 1 and (lab / "book").exists():
        return "a run that failed left something in the log"
    return _finished(lab, wanted, "run", "tiny")


def _lab(folder: Path, source: str) -> Path:
    lab = make(folder / "lab")
    (lab / "notebooks" / "tiny.py").write_text(source)
    return lab


def _kept(lab: Path) -> dict[str, bytes]:
    """The files that must be the same however often it was killed; a record has its times."""
    return {
        name: data
        for name, data in files(lab).items()
        if ".lrlab" not in name
        and Path(name).suffix not in (".tmp", ".lock", ".txt", ".pyc")
        and not (name.startswith("book/log") and name.endswith(".json"))
        and not name.endswith("looks.jsonl")
    }


def _finished(lab: Path, wanted: dict[str, bytes], *words: str) -> str | None:
    """Call again, unless it was finished, and compare."""
    for name in _kept(lab).keys() - wanted.keys():
        return f"{name} is left behind"
    if _kept(lab) != wanted:
        if fault := fault_of(lrlab(lab, *words)):
            return fault
        if _kept(lab) != wanted:
            return "what is made after the kill is another thing"
    if words[0] == "run":
        checked = lrlab(lab, "claims", "--check")
        return checked.output[:300] if checked.exit_code else None
    return None


@functools.cache
def _undisturbed(source: str, *words: str) -> tuple[dict[str, bytes], float]:
    place = Path(tempfile.mkdtemp(prefix="lrlab-torture-")).resolve()
    try:
        lab = _lab(place, source)
        began = time.monotonic()
        result = lrlab(lab, *words)
        assert result.exit_code == 0, result.output
        return _kept(lab), time.monotonic() - began
    finally:
        shutil.rmtree(place)


def _entry(source: str) -> tuple[dict[str, bytes], float]:
    return _undisturbed(source, "run", "tiny")


def _reference() -> tuple[dict[str, bytes], float]:
    return _undisturbed(SOURCE, "reference", "tiny")


def _to_release(folder: Path) -> Path:
    lab = make(folder / "lab")
    (lab / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (lab / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n- all of it\n")
    write_entry(
        lab,
        versions={"python": "3.11.2", "lrlab": "0.2.0"},
        portable_check={"profile": "foreign", "verdicts": {}},
    )
    return lab


@functools.cache
def _released() -> tuple[dict[str, bytes], float]:
    place = Path(tempfile.mkdtemp(prefix="lrlab-torture-")).resolve()
    try:
        lab = _to_release(place)
        began = time.monotonic()
        with _unvalidated():
            result = lrlab(lab, "release", "0.2.0")
        assert result.exit_code == 0, result.output
        return _kept(lab), time.monotonic() - began
    finally:
        shutil.rmtree(place)
