"""The benchmark of recipes: its schedules, how it tunes, and a results file that grows by tasks."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lrlab.labbook import measured

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "benchmarks" / "recipes.py"


@pytest.fixture(scope="module")
def recipes():
    sys.path.insert(0, str(SCRIPT.parent))  # as of a script, for what scripts share
    spec = importlib.util.spec_from_file_location("benchmark_recipes", SCRIPT)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    sys.path.remove(str(SCRIPT.parent))


@pytest.mark.parametrize("steps", [20, 400, 1000])
def test_all_schedules_rise_to_the_peak_and_fall_to_nothing_unless_constant(recipes, steps):
    for name, schedule in recipes.schedules(steps).items():
        rates = np.array([schedule(0.3)(t) for t in range(steps)])
        assert rates.max() == pytest.approx(0.3), name
        assert rates[0] < 0.3 or steps == 20, name
        if name == "constant":
            assert rates[-1] == pytest.approx(0.3)
        else:  # two steps of ten, or one update of a linear cooldown away from 0
            assert rates[-1] <= 1.01 * 0.3 * max(0.01, 1 / (recipes.COOLDOWN * steps)), name


def valley(recipes, lowest, averaged_lowest):
    """A bench whose losses are known: valleys around two numbers of the grid."""
    tried = []

    class Known(recipes.Bench):
        def train(self, name, peaks, seeds):
            tried.extend(peaks)
            return {peak: peak for peak in peaks}

    def mean_log(peak):
        k = math.log(peak / recipes.LOWEST["SGD"], recipes.FACTOR)
        return lambda decay: abs(k - (averaged_lowest if decay else lowest))

    cell = recipes.CELLS["perceptron"]
    return Known(cell, "SGD", range(2), range(1)), mean_log, tried


@pytest.mark.parametrize(("lowest", "averaged"), [(3, 4), (-2, 9), (7, 0), (12, 12)])
def test_a_grid_grows_until_both_best_peaks_lie_inside(recipes, monkeypatch, lowest, averaged):
    bench, mean_log, tried = valley(recipes, lowest, averaged)
    monkeypatch.setattr(recipes, "mean_log", mean_log)
    best, grid = bench.tune("constant", recipes.FIRST_GRID, ((0.0,), recipes.DECAYS))
    assert best == [lowest, averaged]
    peaks = [point[0] for point in grid]
    assert peaks == sorted(set(peaks)) and len(tried) == len(set(tried))
    for k in best:
        assert peaks[0] < recipes.peak_of("SGD", k) < peaks[-1]


def test_a_schedule_is_tuned_from_the_constants_best_with_few_peaks(recipes, monkeypatch):
    bench, mean_log, tried = valley(recipes, 5, 5)
    monkeypatch.setattr(recipes, "mean_log", mean_log)
    best, _ = bench.tune("cosine", range(3, 6), ((0.0,),))
    assert best == [5] and len(tried) == 4


def test_tasks_are_added_to_the_file_and_other_settings_are_refused(recipes, tmp_path):
    path, settings = tmp_path / "made.json", {"seeds": [1, 3]}
    recipes.save(path, settings, {"denoiser": {"steps": 5}})
    done = recipes.known(path, settings)
    recipes.save(path, settings, done | {"perceptron": {"steps": 7}})
    assert list(measured.read("made.json", tmp_path)["tasks"]) == ["perceptron", "denoiser"]
    with pytest.raises(ValueError, match="other settings"):
        recipes.known(path, {"seeds": [1, 4]})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tasks", "perceptron,nonsense"], "'nonsense'"),
        (["--seeds", "1"], "2 seeds"),
        (["--out", "FOREIGN"], "other settings"),
    ],
)
def test_bad_input_gives_one_sentence_and_changes_nothing(
    recipes, tmp_path, monkeypatch, capsys, arguments, said
):
    foreign = tmp_path / "foreign.json"
    foreign.write_text(json.dumps({"settings": {}, "tasks": {}}))
    given = [str(foreign) if word == "FOREIGN" else word for word in arguments]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *given])
    with pytest.raises(SystemExit) as end:
        recipes.main()
    shown = capsys.readouterr()
    assert end.value.code == 2 and shown.out == ""
    assert said in shown.err.splitlines()[-1]
    assert json.loads(foreign.read_text()) == {"settings": {}, "tasks": {}}


def test_the_script_says_what_it_takes():
    command = [sys.executable, SCRIPT, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--tuning-seeds" in done.stdout and not done.stderr


def test_what_a_small_run_kept_is_complete(recipes):
    kept = measured.read("benchmarks/results/recipes_small.json", ROOT)
    for task, data in kept["tasks"].items():
        assert task in recipes.CELLS
        arms = {(row["optimizer"], row["arm"]) for row in data["arms"]}
        assert len(arms) == len(data["arms"]) == 2 * 2 * len(recipes.SCHEDULES)
        for row in (*data["arms"], *data["handbook"]):
            assert len(row["test_loss"]) == kept["settings"]["seeds"][1] - recipes.FIRST_SEED
            assert (row["test_error"] is None) == (task == "denoiser")
