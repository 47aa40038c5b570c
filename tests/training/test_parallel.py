"""Runs in parallel: one thread a process, and the same numbers as one after the other."""

import dataclasses
import os
import subprocess
import sys

import psutil
import pytest
import torch

from lrlab import Job, Recipe, schedules, tasks, train, train_many
from lrlab.training.probes import Probe
from lrlab.training.store import Store

TASK = tasks.get("mnist1d", n_train=128)
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)


WAITING = """
import time, joblib
from lrlab.training import in_parallel
for _ in in_parallel((joblib.delayed(time.sleep)(s) for s in (0, 0, 900, 900)), n_jobs=2):
    print("ready", flush=True)
"""


def test_workers_end_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() and parent.stdout.readline()
        below = psutil.Process(parent.pid).children(recursive=True)
        workers = [one for one in below if "popen_loky" in " ".join(one.cmdline())]
        parent.kill()
    left = psutil.wait_procs(workers, timeout=60)[1]  # joblib itself waits for 300 s
    for process in left:
        process.kill()
    assert len(workers) == 2 and not left


@dataclasses.dataclass(frozen=True)
class Process(Probe):
    """Records the process and its number of threads."""

    def after(self, moment, before):
        return {"threads": torch.get_num_threads(), "process": os.getpid()}


@pytest.fixture(scope="module")
def runs():
    jobs = [Job(TASK, RECIPE.replace(seed=seed), probes=(Process(),)) for seed in range(4)]
    return train_many(jobs, n_jobs=2, store=None, progress=False)


def test_workers_run_with_one_thread_each_and_apart_from_us(runs):
    threads = {n for run in runs for n in run.probes["Process"]["threads"]}
    processes = {n for run in runs for n in run.probes["Process"]["process"]}
    assert threads == {1}
    assert os.getpid() not in processes


def test_a_run_in_a_worker_equals_one_made_here(runs):
    here = train(TASK, RECIPE.replace(seed=2))
    assert (runs[2].loss == here.loss).all()


def test_a_killed_worker_is_reported_and_loses_nothing_that_was_finished(tmp_path):
    jobs = [Job(TASK, RECIPE), Job(TASK, RECIPE.replace(seed=1), probes=(Killer(),))]
    with pytest.raises(RuntimeError, match="was killed"):
        train_many(jobs, n_jobs=2, store=Store(tmp_path), progress=False)
    assert train_many(jobs[:1], n_jobs=1, store=Store(tmp_path), progress=False)


@dataclasses.dataclass(frozen=True)
class Killer(Probe):
    """Kills its own process, as a lack of memory would."""

    def after(self, moment, before):
        os.kill(os.getpid(), 9)
