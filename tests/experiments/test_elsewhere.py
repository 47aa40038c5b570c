"""Training under another numerics profile."""

import os
import sys

import pytest

from lrlab import Job, Recipe, numerics, tasks, train_many
from lrlab.experiments.noise_sources.elsewhere import train_under_profile
from lrlab.schedules import Constant

NOT_X86 = numerics.environment("portable") == numerics.environment("foreign")


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path))
    recipe = Recipe(schedule=Constant(0.1), steps=5, batch_size=8)
    return Job(tasks.get("mnist1d", n_train=64), recipe)


@pytest.mark.skipif(NOT_X86, reason="profiles differ on x86-64 only")
def test_the_profile_is_in_the_key_and_the_store_keeps_the_run(job, tmp_path):
    [here] = train_many([job], n_jobs=1, progress=False)
    there = train_under_profile("foreign", {"there": job}, n_jobs=1)["there"]
    assert here.key == job.key != there.key
    assert {path.stem for path in tmp_path.rglob("*.npz")} == {here.key, there.key}
    assert there.loss == pytest.approx(here.loss, rel=1e-4)


def test_a_process_of_the_profile_starts_no_other(job, monkeypatch):
    for name in numerics.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    for name, value in numerics.environment("portable").items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.setattr("lrlab.experiments.noise_sources.elsewhere.subprocess.run", None)
    run = train_under_profile("portable", {0: job}, n_jobs=1)[0]
    assert run.key == job.key


def test_an_unknown_profile_is_refused(job):
    with pytest.raises(ValueError, match="got 'martian'"):
        train_under_profile("martian", {0: job})


def test_what_fails_elsewhere_is_told_here(job, monkeypatch):
    monkeypatch.setattr(sys, "executable", "false")
    profile = "foreign" if numerics.profile()["name"] != "foreign" else "portable"
    with pytest.raises(RuntimeError, match="failed: nothing"):
        train_under_profile(profile, {0: job})
