"""Runs that share a beginning are the runs that `train_many` trains, bit for bit."""

import numpy as np
import pytest
import torch

from lrlab import EarlyStopping, Job, Recipe, tasks, train, train_many
from lrlab.experiments import prefixes
from lrlab.experiments.prefixes import train_branches
from lrlab.optimizers import SGD, AdamW
from lrlab.schedules import Constant, Cosine, Join, WarmupStableDecay
from lrlab.training.store import Store

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=200)


def job(schedule, steps, **more):
    recipe = {"optimizer": SGD(momentum=0.9), "batch_size": 16} | more
    return Job(TASK, Recipe(schedule=schedule, steps=steps, **recipe))


def tree(**more):
    trapeze = {"warmup_steps": 0, "start_lr": 0.1}
    found = {("constant", n): job(Constant(0.1), n, **more) for n in (3, 4, 10, 25)}
    found |= {
        ("cooldown", n): job(
            WarmupStableDecay(0.1, steps=n, cooldown_steps=n // 5, **trapeze), n, **more
        )
        for n in (5, 10, 25)
    }
    found["cosine", 25] = job(Cosine(0.1, steps=25), 25, **more)
    again = Join([Cosine(0.1, steps=25), Cosine(0.1, steps=10)], boundaries=[25])
    return found | {("again", 35): job(again, 35, **more)}


def same(found, expected):
    assert list(found) == list(expected)
    for key in expected:
        assert found[key].same_numbers(expected[key]), key
        assert found[key].recipe == expected[key].recipe
        assert found[key].key == expected[key].key


@pytest.mark.parametrize(
    "more",
    [{}, {"optimizer": AdamW(0.1), "average_decay": 0.9}, {"eval_every": 4, "clip_norm": 0.5}],
)
def test_each_run_is_the_one_that_is_trained_alone(more):
    jobs = tree(**more)
    alone = train_many(jobs, n_jobs=1, store=None, progress=False)
    same(train_branches(jobs, n_jobs=1, store=None, progress=False), alone)


def test_a_run_that_diverges_in_the_shared_part_diverges_for_all():
    jobs = {n: job(Constant(1e6), n) for n in (10, 20, 30)}
    alone = train_many(jobs, n_jobs=1, store=None, progress=False)
    assert all(run.diverged for run in alone.values())
    same(train_branches(jobs, n_jobs=1, store=None, progress=False), alone)


def test_the_shared_part_is_trained_once(monkeypatch):
    updates = []

    def counting(task, recipe, *, resume=None, until=None, **more):
        run = train(task, recipe, resume=resume, until=until, **more)
        updates.append(run.steps - (resume.step if resume else 0))
        return run

    monkeypatch.setattr(prefixes, "train", counting)
    jobs = {n: job(Constant(0.1), n) for n in (10, 20, 40)}
    train_branches(jobs, n_jobs=1, store=None, progress=False)
    assert sum(updates) <= 40 + len(jobs)  # 70 apart


def test_runs_are_kept_and_read_again_under_the_keys_that_they_have_alone(tmp_path):
    store, jobs = Store(tmp_path), tree()
    first = train_branches(jobs, n_jobs=1, store=store, progress=False)
    assert all(store.get(one.key, one.recipe) is not None for one in jobs.values())
    same(train_many(jobs, n_jobs=1, store=store, progress=False), first)
    half = dict(list(jobs.items())[::2])
    same(train_branches(half, n_jobs=1, store=store, progress=False), {k: first[k] for k in half})


def test_the_time_that_stored_runs_spare_counts_a_common_beginning_once():
    trapeze = WarmupStableDecay(0.1, steps=20, warmup_steps=0, cooldown_steps=5, start_lr=0.1)
    jobs = {
        "short": job(Constant(0.1), 10),
        "long": job(Constant(0.1), 40),
        "cooled": job(trapeze, 20),  # whose rate is another from update 17 on
        "other": job(Constant(0.2), 10),
        "not stored": job(Constant(0.1), 80),
    }
    shares = prefixes._own_shares(jobs, ["short", "long", "cooled", "other"])
    assert shares == pytest.approx({"short": 1, "long": 0.75, "cooled": 0.2, "other": 1})


def test_jobs_that_stop_early_are_refused():
    stopping = Job(TASK, job(Constant(0.1), 4).recipe, stop=EarlyStopping("validation_loss", 2))
    with pytest.raises(ValueError, match="no rule that stops"):
        train_branches({"a": stopping}, store=None)


def test_a_stream_is_seen_once_and_its_parts_share_no_signal():
    from lrlab.experiments.streams import Mnist1DStream

    task = Mnist1DStream(n_train=700)
    parts = task.data()
    rows = torch.cat([parts.train[0], parts.validation[0], parts.test[0]])
    assert len(torch.unique(rows, dim=0)) == len(rows)
    batches = task.batches(70, torch.Generator().manual_seed(0))
    seen = torch.cat([next(batches)[0] for _ in range(10)])
    assert len(torch.unique(seen, dim=0)) == 700
    counts = np.bincount(parts.train[1], minlength=10)
    assert counts.min() > 40  # all ten digits


def test_a_stream_is_drawn_as_the_published_data_are():
    from lrlab.experiments.streams import Mnist1DStream

    stream, published = Mnist1DStream(n_train=3500).data(), tasks.get("mnist1d").data()
    digits = [
        [part.train[0][part.train[1] == k].abs().mean() for k in range(10)]
        for part in (stream, published)
    ]
    np.testing.assert_allclose(*digits, rtol=0.1)
    known = {tuple(row) for row in published.train[0].tolist()}
    assert not known & {tuple(row) for row in stream.train[0].tolist()}
