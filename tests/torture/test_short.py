"""A few tries of each campaign, and that each finds a fault that is there."""

import commands
import common
import flips
import kills
import plans
import pytest
from click.testing import CliRunner, Result

from lrlab import files
from lrlab.labbook.entries._source import Source
from lrlab.sweep import _seal


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(common, "SECONDS", 60.0)  # a machine may have other things to do


@pytest.mark.parametrize(
    ("campaign", "seeds"),
    [
        (kills, [0, 1, 2, 3]),
        (commands, range(0, 40)),
        (plans, range(0, 540, 90)),
        (flips, range(0, 21)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_breaks(campaign, seeds, tmp_path):
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert campaign.attempt(seed, folder) is None, seed


def first_fault(campaign, folder, seeds):
    for seed in seeds:
        (folder / str(seed)).mkdir()
        if fault := campaign.attempt(seed, folder / str(seed)):
            return fault
    return None


def test_a_store_that_checks_nothing_is_found(tmp_path, monkeypatch):
    def unchecked(path):
        return path.read_bytes()[: -files._SEAL]

    flips._stored("ckpt"), flips._right()
    monkeypatch.setattr("lrlab.training._checkpoint.read_sealed", unchecked)
    assert first_fault(flips, tmp_path, range(2, 702, len(flips.TARGETS)))


def test_a_study_whose_seals_are_not_compared_is_found(tmp_path, monkeypatch):
    flips._study()
    monkeypatch.setattr(_seal, "seal", lambda trial: trial.user_attrs[_seal.SEAL])
    assert first_fault(flips, tmp_path, range(3, 703, len(flips.TARGETS)))


def test_a_log_that_is_not_compared_with_its_release_is_found(tmp_path, monkeypatch):
    flips._released()
    monkeypatch.setattr("lrlab.labbook.ledger.releases.problems", lambda root: [])
    assert "does not notice" in first_fault(flips, tmp_path, range(1, 141, len(flips.TARGETS)))


def test_checkpoints_that_are_not_written_whole_are_found(tmp_path, monkeypatch):
    def halved(path, payload):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload[: len(payload) // 2])

    monkeypatch.setattr("lrlab.training._checkpoint.write_sealed", halved)
    said = first_fault(kills, tmp_path, range(0, 200, len(kills.VICTIMS)))
    assert "half-written" in said


def test_ranges_that_nobody_holds_are_found(tmp_path, monkeypatch):
    def ask(source, texts, size):
        raise KeyError(texts[0])

    monkeypatch.setattr(Source, "ask", ask)
    with pytest.raises(KeyError):
        commands.attempt(1, tmp_path)


def test_a_process_that_outlives_its_parent_is_found_and_ended(tmp_path, monkeypatch):
    import os
    import subprocess
    import sys

    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = subprocess.Popen(command, cwd=tmp_path)
    while not common.below(tmp_path):
        os.sched_yield()
    assert "outlive" in common.survivors(tmp_path, seconds=0)
    assert process.wait() < 0 and not common.below(tmp_path)


def answer(output, code, error=None):
    return Result(CliRunner(), output.encode(), b"", output.encode(), None, code, error)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (answer("", 1, KeyError("x")), "a traceback"),
        (answer("Traceback (most recent call last):\n", 1), "a traceback"),
        (answer("x", 3), "exit code 3"),
        (answer("", 2), "without a word"),
        (answer("x" * 1001, 1), "1001 characters"),
        (answer("x", 2), "changed files"),
        (answer("x", 0), None),
    ],
)
def test_what_is_a_fault_of_an_answer(result, said):
    fault = common.fault_of(result, before={}, after={"a": b""})
    assert fault is None if said is None else said in fault
