"""The store of runs: what stays on disk, and that nothing damaged is ever used."""

import errno
import io
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from lrlab import Checkpoint, Job, Recipe, schedules, tasks, train, train_many
from lrlab.files import write_sealed
from lrlab.training.probes import GradientNorm
from lrlab.training.record import Run
from lrlab.training.store import Store, default_store, run_key

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=128)
SMALL = tasks.get("mnist1d", n_train=64, architecture="logistic")
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)


def test_a_stored_run_comes_back_bit_for_bit(tmp_path):
    store = Store(tmp_path)
    run = store.train(TASK, RECIPE, probes=(GradientNorm(every=2),))
    again = store.get(run.key)
    assert again.same_numbers(run)
    assert (again.task, again.recipe, again.status) == (run.task, run.recipe, run.status)


def test_what_is_stored_is_not_trained_again(tmp_path, monkeypatch):
    store = Store(tmp_path)
    run = store.train(TASK, RECIPE)
    monkeypatch.setattr("lrlab.training.store.train", None)
    assert store.train(TASK, RECIPE).same_numbers(run)


def test_history_costs_less_than_a_hundred_bytes_a_step(tmp_path):
    rng = np.random.default_rng(0)
    series = {name: rng.random(5000) for name in ("lr", "loss", "grad_norm")}
    run = Run({}, RECIPE, "completed", **series, evals={}, probes={}, seconds=1.0)
    run.save(tmp_path / "run.npz")
    assert (tmp_path / "run.npz").stat().st_size / 5000 < 100


def flips(data, n, seed):
    """Yield damaged copies: one bit flipped, or cut short."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        if rng.random() < 0.1:
            yield data[: rng.integers(len(data))]
            continue
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        yield bytes(damaged)


def test_no_flipped_bit_and_no_cut_of_a_stored_run_is_ever_used(tmp_path):
    store = Store(tmp_path)
    run = store.train(SMALL, RECIPE, probes=(GradientNorm(),))
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    for damaged in flips(whole, 500, seed=1):
        path.write_bytes(damaged)
        assert store.get(run.key) is None
    for damaged in flips(whole, 20, seed=2):
        path.write_bytes(damaged)
        assert store.train(SMALL, RECIPE, probes=(GradientNorm(),)).same_numbers(run)
        assert store.get(run.key).same_numbers(run)


def test_no_flipped_bit_and_no_cut_of_a_checkpoint_is_ever_used(tmp_path):
    store = Store(tmp_path)
    whole = train(SMALL, RECIPE)
    store.advance(SMALL, RECIPE, until=2)
    (path,) = tmp_path.rglob("*.ckpt")
    content = path.read_bytes()
    for damaged in flips(content, 500, seed=3):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"\.ckpt is damaged"):
            Checkpoint.load(path)
    for damaged in flips(content, 20, seed=4):
        path.write_bytes(damaged)
        assert store.train(SMALL, RECIPE).same_numbers(whole)
        (stored,) = tmp_path.rglob("*.npz")
        stored.unlink()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x93NUMPY", b"x" * 99])
def test_a_file_that_is_not_a_run_is_treated_as_missing(tmp_path, content):
    store, key = Store(tmp_path), run_key(SMALL, RECIPE)
    path = tmp_path / key[:2] / f"{key}.npz"
    for write in (Path.write_bytes, write_sealed):
        path.parent.mkdir(exist_ok=True)
        write(path, content)
        write(path.with_suffix(".ckpt"), content)
        assert store.get(key) is None
        assert store.train(SMALL, RECIPE).status == "completed"


def test_a_run_or_checkpoint_under_another_ones_name_is_not_taken(tmp_path):
    store, other = Store(tmp_path), RECIPE.replace(seed=1)
    for recipe in (RECIPE, other):
        store.advance(SMALL, recipe, until=2)
    paths = {p.stem: p for p in tmp_path.rglob("*.ckpt")}
    mine, theirs = (run_key(SMALL, recipe) for recipe in (RECIPE, other))
    paths[mine].write_bytes(paths[theirs].read_bytes())
    run = store.train(SMALL, RECIPE)
    assert run.same_numbers(train(SMALL, RECIPE))
    store.train(SMALL, other)
    paths = {p.stem: p for p in tmp_path.rglob("*.npz")}
    paths[mine].write_bytes(paths[theirs].read_bytes())
    assert store.get(mine) is None and store.train(SMALL, RECIPE).same_numbers(run)


class Exploit:
    def __reduce__(self):
        return print, ("executed",)


def test_no_code_in_a_file_is_executed(tmp_path, capsys):
    path = tmp_path / "a.ckpt"
    torch_file = io.BytesIO()
    torch.save({"key": None, "step": 1, "identity": {}, "state": {"x": Exploit()}}, torch_file)
    array = io.BytesIO()
    np.savez(array, about=np.array([Exploit()]), allow_pickle=True)
    for content in (torch_file.getvalue(), array.getvalue(), pickle.dumps(Exploit())):
        write_sealed(path, content)
        for load in (Checkpoint.load, Run.load):
            with pytest.raises(ValueError, match="is not a"):
                load(path)
    assert not capsys.readouterr().out


def no_folder(tmp_path, monkeypatch):
    (tmp_path / "store").write_text("a file")


def full_disk(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)


def read_only(tmp_path, monkeypatch):
    write = Path.write_bytes

    def refuse(path, data):
        if path.is_relative_to(tmp_path / "store") or path.parent == tmp_path:
            raise OSError(errno.EROFS, "Read-only file system")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", refuse)


@pytest.mark.parametrize("flaw", [no_folder, full_disk, read_only])
def test_a_store_that_can_not_be_written_costs_one_warning_and_no_result(
    tmp_path, monkeypatch, flaw
):
    recipes = [RECIPE.replace(seed=seed) for seed in range(3)]
    wanted = [train(SMALL, recipe) for recipe in recipes]
    flaw(tmp_path, monkeypatch)
    store = Store(tmp_path / "store", checkpoint_every=2)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = train_many([Job(SMALL, r) for r in recipes], n_jobs=1, store=store, progress=False)
        found += [store.train(SMALL, recipe) for recipe in recipes]
        found += [store.advance(SMALL, recipe, until=4) for recipe in recipes]
    assert [str(w.message).startswith("what is computed is not kept: ") for w in said] == [True]
    for run, right in zip(found, wanted * 3, strict=True):
        assert run.same_numbers(right)


def test_runs_of_a_store_that_can_not_be_written_are_still_read(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    kept = store.train(SMALL, RECIPE)
    read_only(tmp_path, monkeypatch)
    monkeypatch.setattr("lrlab.training.store.train", None)
    jobs = [Job(SMALL, RECIPE)]
    (run,) = train_many(jobs, n_jobs=1, store=store, progress=False)
    assert run.same_numbers(kept)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    from lrlab.files import written_atomically

    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_atomically(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a"] and path.read_text() == "old"


def test_what_is_renamed_is_on_the_disk_before(tmp_path, monkeypatch):
    """After a loss of power there is the old file or the new one, never an empty one."""
    order, sync, replace = [], os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda fd: (order.append("sync"), sync(fd)))
    monkeypatch.setattr(Path, "replace", lambda a, b: (order.append("rename"), replace(a, b))[1])
    write_sealed(tmp_path / "a", b"content")
    assert order == ["sync", "rename", "sync"]


def test_the_environment_moves_the_store_or_switches_it_off(monkeypatch, tmp_path):
    for off in ("off", "OFF", "Off"):
        monkeypatch.setenv("LRLAB_CACHE", off)
        assert default_store() is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LRLAB_CACHE", "mine")
    assert default_store() == Store(tmp_path / "mine")
    monkeypatch.setenv("LRLAB_CACHE", "~/mine")
    assert default_store() == Store(tmp_path / "home" / "mine")
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path))
    assert default_store() == Store(tmp_path)
    monkeypatch.delenv("LRLAB_CACHE")
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    monkeypatch.chdir(tmp_path / "book")
    assert default_store() == Store(tmp_path / ".lrlab" / "runs")


def test_many_runs_come_in_order_and_equal_ones_are_trained_once(tmp_path):
    jobs = [Job(TASK, RECIPE.replace(seed=s)) for s in (2, 0, 2, 1)]
    runs = train_many(jobs, n_jobs=1, store=Store(tmp_path), progress=False)
    assert [run.seed for run in runs] == [2, 0, 2, 1]
    assert len(list(tmp_path.rglob("*.npz"))) == 3
