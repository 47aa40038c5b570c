"""Sweeps in lockstep: one plan, one study."""

import dataclasses

import numpy as np
import pytest
from sweep_fakes import EVALUATIONS, Formula, plan, table, whole

from lrlab import Recipe, schedules, tasks, train
from lrlab.sweep import Choice, LogUniform, Plan, Uniform, advice, load, sweep, trials
from lrlab.sweep import rules as stopping
from lrlab.sweep.trainer import TaskTrainer
from lrlab.sweep.trial import best_of
from lrlab.training.store import Store

RULES = [
    None,
    {"rule": "wandb-hyperband", "min_iter": 2, "eta": 2},
    {"rule": "wandb-hyperband", "max_iter": EVALUATIONS, "s": 3, "eta": 2, "strict": True},
    {"rule": "successive-halving", "min_resource": 2, "reduction_factor": 2},
    {"rule": "hyperband", "min_resource": 2, "max_resource": EVALUATIONS, "reduction_factor": 2},
    {"rule": "median", "n_startup_trials": 3},
]


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("sampler", ["random", "quasi-random", "tpe"])
def test_a_study_does_not_depend_on_timing_or_on_the_number_of_workers(rule, sampler):
    study = sweep(
        plan(rule=rule, sampler=sampler), trainer=Formula(delay=0.01), n_jobs=2, progress=False
    )
    assert table(trials(study)) == whole(rule=rule, sampler=sampler)


def test_a_gaussian_process_can_search_and_is_repeatable():
    assert whole(sampler="gp", trials=14) == whole(sampler="gp", trials=14)


@pytest.mark.parametrize("sampler", ["random", "quasi-random", "tpe"])
def test_another_seed_gives_another_study(sampler):
    assert whole(sampler=sampler, seed=1) != whole(sampler=sampler, seed=2)


def test_a_grid_is_searched_point_by_point_and_no_further():
    grid = {"peak_lr": (0.01, 0.1), "optimizer.momentum": (0.0, 0.5, 0.9)}
    found = whole(sampler="grid", grid=grid, trials=6, rule=None)
    assert [tuple(row[1].values()) for row in found] == [
        (rate, momentum) for rate in (0.01, 0.1) for momentum in (0.0, 0.5, 0.9)
    ]
    with pytest.raises(ValueError, match="the grid has 6 points, got trials=7"):
        plan(sampler="grid", grid=grid, trials=7)


def test_quasi_random_trials_fill_the_space_evenly():
    found = trials(
        sweep(
            plan(sampler="quasi-random", trials=16, rule=None),
            trainer=Formula(),
            n_jobs=1,
            progress=False,
        )
    )
    places = [LogUniform(1e-4, 1.0).position(t.params["peak_lr"]) for t in found]
    assert sorted(int(16 * place) for place in places) == list(range(16))


def test_a_trial_that_diverges_is_an_outcome_and_ends_at_once():
    found = trials(
        sweep(
            plan(sampler="random", trials=40, rule=None),
            trainer=Formula(),
            n_jobs=1,
            progress=False,
        )
    )
    diverged = [t for t in found if t.outcome == "diverged"]
    assert {t.params["peak_lr"] > 0.5 for t in diverged} == {True}
    assert {t.value for t in diverged} == {np.inf}
    assert {len(t.values) for t in diverged} == {EVALUATIONS // 2}
    assert {t.outcome for t in found} == {"completed", "diverged"}


def test_stopped_trials_end_at_a_band_and_the_best_one_is_complete():
    study = sweep(plan(), trainer=Formula(), n_jobs=1, progress=False)
    stopped = [t for t in trials(study) if t.outcome == "stopped"]
    assert stopped
    assert {len(t.values) for t in stopped} <= {2, 4, 8}
    assert best_of(trials(study)).outcome == "completed"


def test_the_budget_of_earlier_waves_is_where_a_trial_begins():
    found = trials(sweep(plan(), trainer=Formula(), n_jobs=1, progress=False))
    for first in range(0, 20, 4):
        spent = sum(t.updates for t in found[:first])
        assert {t.began for t in found[first : first + 4]} == {spent}


TASK = {"task": "mnist1d", "n_train": 200}
RECIPE = {
    "schedule": {"schedule": "Cosine", "peak_lr": 1.0, "steps": 24},
    "steps": 24,
    "batch_size": 20,
    "eval_every": 4,
}
REAL = Plan(
    task=TASK,
    recipe=RECIPE,
    space={"peak_lr": LogUniform(1e-3, 30.0)},
    trials=6,
    wave=3,
    sampler="random",
    rule={"rule": "wandb-hyperband", "min_iter": 2, "eta": 2},
)


def test_a_real_trial_is_the_run_that_training_alone_would_make(tmp_path):
    found = trials(sweep(REAL, trainer=TaskTrainer(str(tmp_path)), n_jobs=1, progress=False))
    complete = [t for t in found if t.outcome == "completed"]
    assert complete
    for trial in complete:
        alone = train(tasks.from_dict(TASK), REAL.recipe_of(trial.params))
        assert Store(tmp_path).get(trial.run_key).same_numbers(alone)
        assert trial.values.tolist() == alone.evals["validation_loss"][1:].tolist()
        assert trial.steps.tolist() == [4, 8, 12, 16, 20, 24]


def test_a_stopped_trial_goes_on_from_its_checkpoint_bit_for_bit(tmp_path):
    found = trials(sweep(REAL, trainer=TaskTrainer(str(tmp_path)), n_jobs=1, progress=False))
    trial = next(t for t in found if t.outcome == "stopped")
    recipe = REAL.recipe_of(trial.params)
    store = Store(tmp_path)
    assert store.get(trial.run_key) is None
    continued = store.train(tasks.from_dict(TASK), recipe)
    assert continued.same_numbers(train(tasks.from_dict(TASK), recipe))


def test_a_metric_can_be_made_of_the_evaluations(tmp_path):
    trainer = TaskTrainer(str(tmp_path), objective=lambda e: np.cumsum(e["validation_loss"]))
    [trial] = trials(
        sweep(REAL.replace(trials=1, rule=None), trainer=trainer, n_jobs=1, progress=False)
    )
    assert (np.diff(trial.values) > 0).all()


def test_paths_lead_into_the_recipe():
    searched = {
        "peak_lr": LogUniform(1e-4, 1.0),
        "optimizer.betas.1": Uniform(0.9, 0.999),
        "batch_size": Choice((16, 32)),
    }
    optimizer = {"optimizer": "AdamW"}
    made = REAL.replace(recipe=RECIPE | {"optimizer": optimizer}, space=searched)
    recipe = made.recipe_of({"peak_lr": 0.5, "optimizer.betas.1": 0.95, "batch_size": 16})
    assert recipe.schedule == schedules.Cosine(0.5, steps=24)
    assert recipe.optimizer.betas == (0.9, 0.95)
    assert recipe.batch_size == 16
    assert isinstance(recipe, Recipe)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": 0}, "trials must be an integer in .*, got trials=0"),
        ({"sampler": "best"}, "sampler must be one of .random., .* got sampler=.best."),
        ({"space": {}}, "space is empty"),
        ({"rule": {"rule": "luck"}}, "rule must be one of .* got 'luck'"),
        (
            {"rule": {"rule": "median", "luck": 1}},
            "median has no argument 'luck'; it has n_startup",
        ),
        ({"rule": {"rule": "wandb-hyperband"}}, "min_iter or max_iter must be a positive number"),
        ({"grid": {"peak_lr": (1,)}}, "a grid and the sampler 'grid' belong together"),
        ({"recipe": {}}, "the recipe has no schedule"),
        ({"metric": "validation_accuracy"}, "a larger validation_accuracy is better"),
        ({"direction": "up"}, "direction must be one of .* got direction=.up."),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        plan(**changes)


@pytest.mark.parametrize(
    ("recipe", "name", "message"),
    [
        (
            RECIPE,
            "optimizer.luck",
            "the recipe has no 'optimizer.luck' to search; it has weight_decay, momentum",
        ),
        ({"steps": 4, "batch_size": 4}, "peak_lr", "the recipe has no schedule"),
        (RECIPE | {"luck": 1}, "peak_lr", "recipe: .*luck"),
        (RECIPE | {"eval_every": 0}, "peak_lr", "eval_every is 0"),
    ],
)
def test_a_recipe_that_cannot_be_built_is_refused_before_anything_is_trained(
    recipe, name, message, tmp_path
):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(ValueError, match=message):
        sweep(
            REAL.replace(recipe=recipe, space={name: LogUniform(0.1, 0.9)}),
            storage=url,
            progress=False,
        )
    assert not list(tmp_path.iterdir())


def test_a_plan_is_read_from_yaml_with_numbers_as_people_write_them(tmp_path):
    file = tmp_path / "sweep.yml"
    file.write_text(
        "task: {task: mnist1d, n_train: 200}\n"
        "recipe: {schedule: {schedule: Cosine, peak_lr: 1.0, steps: 24}, steps: 24,\n"
        "         batch_size: 20, eval_every: 4}\n"
        "space: {peak_lr: {range: LogUniform, low: 1e-3, high: 30}}\n"
        "trials: 6\nwave: 3\nsampler: random\n"
        "rule: {rule: wandb-hyperband, min_iter: 2, eta: 2}\n"
    )
    assert load(file) == REAL.replace(space={"peak_lr": LogUniform(1e-3, 30)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "can't be read"),
        ("just words", "holds no sweep"),
        ("luck: 1", "'luck' is not a part of a sweep"),
        ("trials: 3", "the sweep has no task"),
        ("task: 1\nrecipe: {}\nspace: {}\ntrials: 1", "task must be a mapping, got 1"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path, text, message):
    file = tmp_path / "sweep.yml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        load(file)


def test_advice_on_bands_that_are_never_reached():
    late = plan(rule={"rule": "wandb-hyperband", "min_iter": 60, "eta": 2})
    [sentence] = advice(late)
    assert sentence.startswith("No run can ever be stopped")
    assert "set min_iter=6." in sentence
    meant = plan(rule={"rule": "wandb-hyperband", "min_iter": 6, "eta": 2})
    assert advice(meant) == []
    assert stopping.rungs(late.rule, late.evaluations) == []


@pytest.mark.parametrize(
    "rule",
    [
        {
            "rule": "successive-halving",
            "min_resource": 4,
            "reduction_factor": 4,
            "min_early_stopping_rate": 1,
        },
        {"rule": "hyperband", "min_resource": 20},
        {"rule": "median", "n_warmup_steps": 16},
    ],
)
def test_advice_on_other_rules_that_never_look(rule):
    [sentence] = advice(plan(rule=rule))
    assert sentence.startswith("No run can ever be stopped: the rule first looks after")


def test_advice_on_a_rate_that_is_drawn_uniformly_over_many_decades():
    [sentence] = advice(plan(space={"peak_lr": Uniform(1e-4, 0.1)}))
    assert "drawn uniformly over 3.0 decades" in sentence
    assert "Draw it log-uniformly" in sentence


def test_advice_on_a_best_value_at_the_edge():
    narrow = plan(space={"peak_lr": LogUniform(1e-4, 3e-4), "optimizer.momentum": Uniform(0, 0.9)})
    study = sweep(narrow, trainer=Formula(), n_jobs=1, progress=False)
    assert any("peak_lr" in s and "upper end" in s for s in advice(narrow, trials(study)))


def test_a_plan_survives_json_and_a_study_refuses_another_plan(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    assert Plan.from_dict(plan().to_dict()) == plan()
    sweep(plan(trials=4), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    with pytest.raises(ValueError, match="was begun with another seed"):
        sweep(plan(seed=5), storage=url, trainer=Formula(), n_jobs=1, progress=False)


@pytest.mark.parametrize("rule", [RULES[1], RULES[3]])
def test_more_trials_go_on_with_the_same_study(tmp_path, rule):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    for number in (8, 20):
        study = sweep(
            plan(trials=number, rule=rule), storage=url, trainer=Formula(), n_jobs=1, progress=False
        )
    assert table(trials(study)) == whole(rule=rule)


def test_runs_of_a_sweep_carry_the_seed_of_the_recipe():
    seeds = {dataclasses.replace(REAL).recipe_of({"peak_lr": r}).seed for r in (0.1, 0.2)}
    assert seeds == {0}
