"""The store of runs: what a key depends on, and what stays on disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import lrlab
from lrlab import Job, Recipe, schedules, tasks, train_many
from lrlab.optimizers import SGD, Adam
from lrlab.training import _fingerprint as fingerprint
from lrlab.training._stopping import EarlyStopping
from lrlab.training.probes import GradientNorm
from lrlab.training.record import Run
from lrlab.training.store import Store, default_store, run_key

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=128)
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)


def test_the_key_depends_on_everything_that_can_change_the_numbers(monkeypatch):
    keys = [
        run_key(TASK, RECIPE),
        run_key(tasks.get("mnist1d", n_train=129), RECIPE),
        run_key(TASK, RECIPE.replace(seed=1)),
        run_key(TASK, RECIPE.replace(schedule=schedules.Constant(0.2))),
        run_key(TASK, RECIPE.replace(optimizer=SGD(momentum=0.5))),
        run_key(TASK, RECIPE.replace(optimizer=Adam())),
        run_key(TASK, RECIPE, probes=(GradientNorm(),)),
        run_key(TASK, RECIPE, stop=EarlyStopping()),
    ]
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "another")
    keys.append(run_key(TASK, RECIPE))
    assert len(set(keys)) == len(keys)


def test_each_module_that_can_change_the_numbers_changes_the_key_and_no_other(tmp_path):
    package = tmp_path / "lrlab"
    shutil.copytree(Path(lrlab.__file__).parent, package)
    roots = ["lrlab.training.loop", "lrlab.tasks.mnist", "lrlab.schedules._decay"]
    counts = fingerprint.reached(roots, package)
    assert {
        "lrlab.training.state",
        "lrlab.optimizers",
        "lrlab.randomness",
        "lrlab.tasks.base",
    } <= set(counts)
    before = fingerprint.source_hash(roots, package)
    for path in sorted(package.rglob("*.py")):
        module = "lrlab." + ".".join(path.relative_to(package).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        source = path.read_text()
        path.write_text(source + "\n# changed\n")
        changed = fingerprint.source_hash(roots, package) != before
        path.write_text(source)
        assert changed == (module in counts), module
    assert "lrlab.tasks.mnist1d" not in counts and "lrlab.plots" not in counts


def test_what_is_not_from_the_package_has_no_key():
    class Mine(type(TASK)):
        pass

    assert run_key(Mine(), RECIPE) is None
    assert run_key(TASK, RECIPE, stop=lambda evals: False) is None


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


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x93NUMPY"])
def test_a_file_that_is_not_a_run_is_treated_as_missing(tmp_path, content):
    store, key = Store(tmp_path), run_key(TASK, RECIPE)
    path = tmp_path / key[:2] / f"{key}.npz"
    path.parent.mkdir()
    path.write_bytes(content)
    assert store.get(key) is None
    assert store.train(TASK, RECIPE).status == "completed"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    from lrlab.files import written_atomically

    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_atomically(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a"] and path.read_text() == "old"


def test_the_environment_moves_the_store_or_switches_it_off(monkeypatch, tmp_path):
    monkeypatch.setenv("LRLAB_CACHE", "off")
    assert default_store() is None
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
