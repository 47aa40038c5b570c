"""The report's ramp: its log is an epoch ahead, its decays part late, its benchmark goes on."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lrlab import tasks
from lrlab.experiments import report_ramp as report
from lrlab.tasks.base import Splits
from lrlab.tasks.mnist import Mnist

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("report_ramp*.json"))


@pytest.fixture
def benchmark(monkeypatch):
    """The command, in this process."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("_", ROOT / "benchmarks" / "report_ramp.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["report_ramp.py", *map(str, arguments)])
        module.main()

    return run


def test_a_rate_logged_after_the_schedulers_step_is_that_of_the_next_epoch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=report.START)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=report.FACTOR)
    in_effect, logged = [], []
    for _ in range(report.EPOCHS):
        in_effect.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        logged.append(scheduler.get_last_lr()[0])
    epochs = np.arange(report.EPOCHS)
    np.testing.assert_allclose(report.ramp(7)(7 * epochs), in_effect, rtol=1e-12)
    np.testing.assert_allclose(report.ramp(7)(7 * epochs + 6), in_effect, rtol=1e-12)
    assert logged[:-1] == in_effect[1:] and in_effect[0] == report.START


def test_the_reports_marks_in_effect_are_those_that_the_entries_quote():
    step, smooth = (
        report.marks(one.rates, one.test_loss)
        for one in map(report.PUBLISHED.get, report.PUBLISHED)
    )
    assert [f"{step[k]:.2g} {smooth[k]:.2g}" for k in ("falls", "lowest", "explodes")] == [
        "0.00043 0.00038",
        "0.15 0.11",
        "1.2 0.85",
    ]


def test_the_decays_are_one_up_to_the_tail_never_rise_and_end_where_they_say():
    epoch = 20
    t = np.arange(report.EPOCHS * epoch + 1)
    rates = np.array([report.decay(end, epoch)(t) for end in report.ENDS])
    split = (report.EPOCHS - report.TAIL) * epoch
    assert (rates[:, : split + 1] == rates[0, : split + 1]).all()
    assert (np.diff(rates, axis=1) <= 1e-18).all()
    np.testing.assert_allclose(rates[:, 0], report.UPPER)
    np.testing.assert_allclose(rates[:, -1], report.ENDS)
    assert len(set(rates[:, split + 1])) == len(report.ENDS)


def test_every_part_has_the_same_seeds_and_only_the_constant_rate_may_stop():
    plan = report.jobs(tasks.get("mnist", n_train=64), [1, 2], epoch=3, batch_size=8)
    seeds = {}
    for (part, name, seed), job in plan.items():
        seeds.setdefault((part, name), []).append(seed)
        assert (job.stop is not None) == (part == "lower")
        assert job.recipe.seed == seed and job.recipe.eval_every == 3
        assert job.recipe.steps == 90 and job.recipe.schedule.horizon in (None, 90)
    assert len(seeds) == 5 and set(map(tuple, seeds.values())) == {(1, 2)}


def test_a_crossing_lies_where_a_straight_line_between_two_evaluations_crosses():
    losses = np.sort(np.random.default_rng(3).uniform(0.5, 2.5, 12))[::-1]
    steps = np.arange(12) * 469
    for level in (2.0, 1.0, 0.8):
        expected = np.interp(level, losses[::-1], steps[::-1])
        assert report.crossing(steps, losses, level) == pytest.approx(expected)
    assert report.crossing(steps, losses, losses[-1]) is None
    assert report.crossing([0, 5], [0.1, 2.0], 1.0) == 0


def test_marks_that_are_not_there_are_none():
    assert report.marks([0.1, 0.2], [2.4, 2.3]) == {"falls": None, "lowest": 0.2, "explodes": None}
    diverged = report.marks([0.1, 0.2, 0.4], [2.3, 1.9])
    assert diverged == {"falls": 0.2, "lowest": 0.2, "explodes": 0.4}


@pytest.fixture
def few_evaluated(monkeypatch):
    """Thirty evaluations of ten runs would each see 1,500 digits: 16 will do."""
    whole = Mnist.data

    def data(task):
        splits = whole(task)
        few = (tuple(x[:16] for x in part) for part in (splits.validation, splits.test))
        return Splits(splits.train, *few)

    monkeypatch.setattr(Mnist, "data", data)


@pytest.mark.trains
@pytest.mark.usefixtures("few_evaluated")
def test_the_benchmark_keeps_what_it_trained_and_goes_on_from_there(
    tmp_path, benchmark, monkeypatch
):
    tiny = ("--seeds", 2, "--updates", 60, "--batch-size", 8, "--n-train", 64, "--jobs", 1)
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "store"))
    written = []
    for name in ("first.json", "second.json"):
        benchmark(*tiny, "--out", tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]  # the time that each run took too: nothing was trained again
    said = (tmp_path / "second.sha256").read_text().split()
    assert said == [hashlib.sha256(written[1]).hexdigest(), "second.json"]
    results = json.loads(written[0])
    assert [row["part"] for row in results["runs"]] == ["ramp"] * 2 + ["lower"] * 2 + ["decays"] * 6
    ramp = next(row for row in results["runs"] if row["part"] == "ramp")
    np.testing.assert_allclose(ramp["lr"][1:], report.ramp(2)(2 * np.arange(30)), rtol=1e-5)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_decays_of_a_seed_were_one_run_up_to_the_tail(path):
    results = json.loads(path.read_text())
    shared = report.EPOCHS - report.TAIL + 1  # the first evaluation comes before any update
    by_seed = {}
    for row in results["runs"]:
        if row["part"] == "decays" and row["status"] == "completed":
            by_seed.setdefault(row["seed"], []).append(row)
    assert by_seed
    for rows in by_seed.values():
        for name in ("test_loss", "train_loss"):
            assert len({tuple(row[name][:shared]) for row in rows}) == 1
            assert len({tuple(row[name][shared:]) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--updates", 31), "--updates must be a multiple of 30, got 31"),
        (("--seeds", 1), "needs two seeds or more"),
        (("--n-train", 4000), "n_train"),
        (("--batch-size", 0), "--batch-size must be in [1, 3500], got 0"),
        (("--source", "full"), "this option needs a network at its first use"),
    ],
)
def test_the_benchmark_refuses_in_one_sentence_and_writes_nothing(
    tmp_path, benchmark, monkeypatch, capsys, arguments, complaint
):
    for name in ("https_proxy", "HTTPS_PROXY"):  # nobody answers there
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "results.json"
    with pytest.raises(SystemExit) as ended:
        benchmark(*arguments, "--out", out)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()
