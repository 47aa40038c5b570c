"""What a run counts as, and runs by key."""

import itertools

import numpy as np
import pytest

from lrlab import Job, Recipe, schedules, tasks, train_many
from lrlab.training import Results, Run
from lrlab.training.store import Store

TASK = tasks.get("mnist1d", n_train=64)
RECIPE = Recipe(schedule=schedules.Constant(0.05), steps=4, batch_size=16)
RATES, SEEDS = (0.05, 1e9), (3, 1)


def run_of(status="completed", chance=None, **evals):
    nothing = np.zeros(1)
    return Run(
        task={},
        recipe=RECIPE,
        status=status,
        lr=nothing,
        loss=nothing,
        grad_norm=nothing,
        evals={name: np.array([9.0, value]) for name, value in evals.items()},
        probes={},
        seconds=0.0,
        chance={"loss": 2.3, "accuracy": 0.1} if chance is None else chance,
    )


@pytest.fixture(scope="module")
def runs():
    jobs = {
        (lr, seed): Job(TASK, RECIPE.replace(schedule=schedules.Constant(lr), seed=seed))
        for lr, seed in itertools.product(RATES, SEEDS)
    }
    return train_many(jobs, n_jobs=1, store=None, progress=False)


@pytest.mark.parametrize(
    ("status", "metric", "measured", "counts"),
    [
        ("completed", "test_loss", 0.4, 0.4),
        ("completed", "test_loss", 5.0, 2.3),
        ("completed", "averaged_validation_loss", 5.0, 2.3),
        ("diverged", "train_loss", 0.4, 2.3),
        ("completed", "test_loss", np.nan, 2.3),
        ("completed", "test_accuracy", 0.8, 0.8),
        ("completed", "test_accuracy", 0.02, 0.1),
        ("diverged", "test_accuracy", 0.8, 0.1),
        ("completed", "test_other_loss", 5.0, 5.0),
        ("stopped", "test_loss", 0.4, 0.4),
    ],
)
def test_a_run_counts_as_guessing_at_worst(status, metric, measured, counts):
    assert run_of(status, **{metric: measured}).final(metric) == counts


def test_without_a_chance_only_a_run_that_diverged_counts_as_nothing():
    assert run_of(chance={}, test_loss=99.0).final("test_loss") == 99.0
    assert np.isnan(run_of("diverged", chance={}, test_loss=99.0).final("test_loss"))


@pytest.mark.parametrize("name", tasks.names())
def test_each_task_says_what_guessing_scores_in_each_of_its_metrics_that_have_such_a_number(name):
    task = tasks.get(name)
    assert task.chance["loss"] == task.chance_loss
    assert ("accuracy" in task.chance) == (task.classes is not None)


def test_results_have_the_keys_of_the_jobs_in_their_order(runs):
    assert list(runs) == list(itertools.product(RATES, SEEDS))
    for (lr, seed), run in runs.items():
        assert (run.recipe.schedule, run.seed) == (schedules.Constant(lr), seed)


def test_another_order_of_the_jobs_gives_the_same_run_for_each_key(runs):
    jobs = {key: Job(TASK, run.recipe) for key, run in [*runs.items()][::-1]}
    again = train_many(jobs, n_jobs=1, store=None, progress=False)
    assert all(again[key].same_numbers(run) for key, run in runs.items())


def test_parts_of_a_key_select(runs):
    assert list(runs.of(0.05)) == list(SEEDS)
    assert list(runs.of(..., 1)) == list(RATES)
    assert runs.of(..., 1)[1e9] is runs[1e9, 1]
    assert {lr: list(group) for lr, group in runs.groups().items()} == {lr: [3, 1] for lr in RATES}
    assert list(runs.of([1e9], range(1, 3))) == [(1e9, 1)]
    with pytest.raises(KeyError, match="no run has a key"):
        runs.of(0.07)
    with pytest.raises(ValueError, match="keys of several parts, got 3"):
        runs.of(0.05).groups()


def test_arrays_have_an_axis_for_each_part_of_the_key(runs):
    final = runs.final("test_loss")
    array = runs.array("test_loss")
    assert array.shape == (2, 2)
    assert all(
        array[i, j] == final[lr, seed]
        for (i, lr), (j, seed) in itertools.product(enumerate(RATES), enumerate(SEEDS))
    )
    assert runs.arrays("test_loss")[1e9].tolist() == [TASK.chance_loss] * 2
    assert runs.array(lambda run: run.evals["test_loss"][:1]).shape == (2, 2, 1)
    assert runs.curves("test_loss").tolist() == [
        runs[0.05, seed].evals["test_loss"].tolist() for seed in SEEDS
    ]
    holey = Results({key: run for key, run in runs.items() if key != (1e9, 1)})
    with pytest.raises(ValueError, match=r"no run \(1000000000.0, 1\)"):
        holey.array("test_loss")


def test_the_number_of_runs_that_diverged_is_said(runs):
    assert (runs.num_diverged, runs.note()) == (2, "2 of 4 runs diverged")
    assert runs.of(0.05).note() == "none of 2 runs diverged"


def test_a_recipe_is_an_object_before_and_after_the_store(tmp_path, runs):
    store = Store(tmp_path)
    run = store.train(TASK, RECIPE)
    assert store.get(run.key).recipe == run.recipe == RECIPE
    assert store.get(run.key).chance == TASK.chance
    mine = RECIPE.replace(seed=0)
    assert store.get(run.key, mine).recipe is mine
