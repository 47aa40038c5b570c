"""Data that is drawn once: the same bits as a fresh draw, for all processes, or drawn again."""

import functools
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.tasks import _once, digits_diffusion, mnist, mnist1d, names_lm
from lrlab.tasks.base import Splits

pytestmark = pytest.mark.trains

fresh_draw = functools.cache(lambda drawn: drawn.__wrapped__.__wrapped__())
DRAWN = (mnist1d._dataset, digits_diffusion._digits, mnist._subset, names_lm._names)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LRLAB_CACHE", raising=False)
    monkeypatch.setenv("LRLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def tensors(splits):
    return [*splits.train, *splits.validation, *splits.test]


def same(one, other):
    pairs = [*zip(tensors(one), tensors(other), strict=True)]
    return one.sizes() == other.sizes() and all(
        a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
        for a, b in pairs
    )


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda drawn: drawn.__module__.rpartition(".")[2])
def test_what_is_kept_equals_a_fresh_draw_bit_for_bit(drawn, folder):
    fresh = fresh_draw(drawn)
    first = drawn.__wrapped__()  # draws, and keeps
    (kept,) = folder.iterdir()
    mapped = drawn.__wrapped__()
    assert same(first, fresh) and same(mapped, fresh)
    assert [*folder.iterdir()] == [kept]
    assert all(tensor.data_ptr() % 64 == 0 for tensor in tensors(mapped))


def test_a_run_on_kept_data_equals_one_on_fresh_data(folder, monkeypatch):
    recipe = Recipe(schedule=schedules.Constant(0.1), steps=20, batch_size=33, eval_every=7)
    task = tasks.get("mnist1d", architecture="cnn")
    runs = []
    mnist1d._dataset.__wrapped__()
    for splits in (fresh_draw(mnist1d._dataset), mnist1d._dataset.__wrapped__()):
        monkeypatch.setattr(mnist1d, "_dataset", lambda splits=splits: splits)
        runs.append(train(task, recipe))
    assert runs[0].same_numbers(runs[1])


@pytest.fixture
def counted():
    """A small draw, and the list of its calls."""
    calls = []

    @_once.drawn_once("numpy")
    def small(seed):
        calls.append(seed)
        parts = np.random.default_rng(seed).random((3, 7, 5), dtype=np.float32)
        return Splits(*((torch.from_numpy(part.copy()), torch.arange(7)) for part in parts))

    return small.__wrapped__, calls


def test_no_flipped_bit_and_no_cut_is_ever_used(folder, counted):
    small, calls = counted
    right = small(3)
    (path,) = folder.iterdir()
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for i in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged if i % 10 else content[: rng.integers(len(content))])
        assert same(small(3), right)
        assert path.read_bytes() == content
    assert len(calls) == 301


def test_arguments_sources_versions_and_the_profile_have_files_of_their_own(
    folder, counted, monkeypatch
):
    small, calls = counted
    for seed in (1, 2, 1):
        small(seed)
    monkeypatch.setattr(_once, "_sources", lambda of: "another")
    small(1)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "another")
    small(1)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "another")
    small(1)
    assert calls == [1, 2, 1, 1, 1] and len([*folder.iterdir()]) == 5


def test_what_is_written_to_kept_data_stays_in_the_process(folder, counted):
    small, _ = counted
    small(1)
    small(1).train[0].zero_()
    assert small(1).train[0].abs().sum() > 0


@pytest.mark.parametrize("variable", ["LRLAB_CACHE", "LRLAB_DATA"])
def test_where_it_is_off_each_draw_is_fresh(variable, folder, counted, monkeypatch):
    small, calls = counted
    monkeypatch.setenv(variable, "Off")
    small(1), small(1)
    assert calls == [1, 1] and not folder.exists()


def test_a_folder_that_can_not_be_written_costs_one_warning(folder, counted):
    small, calls = counted
    folder.write_text("a file")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert same(small(1), small(1))
    assert calls == [1, 1] and len(said) == 1


# Processes that have loaded the tasks, and nothing that draws, are forks of one.
PROCESSES = """
import os, sys
from lrlab import tasks

task, draws = tasks.get("mnist"), {"sklearn", "pandas", "scipy"}

def drawing():
    if pid := os.fork():
        return pid
    code = 1
    try:
        task.data()
        os.write(1, f"{sorted(draws & set(sys.modules))}\\n".encode())
        code = 0
    finally:
        os._exit(code)

for pid in (drawing(), drawing()):
    assert os.waitpid(pid, 0)[1] == 0
assert os.waitpid(drawing(), 0)[1] == 0
"""


def test_processes_may_draw_at_once_and_later_ones_import_nothing_that_draws(folder):
    command = [sys.executable, "-c", PROCESSES]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *both, later = done.stdout.splitlines()
    assert len(both) == 2 and all("pandas" in loaded for loaded in both)
    assert later == "[]"
    assert [path.suffix for path in folder.iterdir()] == [".pt"]
