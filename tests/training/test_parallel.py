"""Runs in parallel: one thread a process, and the same numbers as one after the other."""

import dataclasses
import os

import pytest
import torch

from lrlab import Job, Recipe, schedules, tasks, train, train_many
from lrlab.training.probes import Probe
from lrlab.training.store import Store

TASK = tasks.get("mnist1d", n_train=128)
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)


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
