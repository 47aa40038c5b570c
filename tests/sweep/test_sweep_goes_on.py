"""Sweeps that go on: odd trials, odd storages, larger metrics, whole numbers, repeated draws."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import optuna
import pytest
from sweep_fakes import Formula, plan, table, whole

from lrlab import Recipe, schedules, tasks
from lrlab.sweep import (
    Choice,
    IntUniform,
    LogUniform,
    Plan,
    Uniform,
    advice,
    open_study,
    sweep,
    trials,
)
from lrlab.sweep.asynchronous import join
from lrlab.sweep.storage import connect
from lrlab.sweep.trainer import TaskTrainer
from lrlab.sweep.workers import Progress
from lrlab.training.state import TrainingState

RECIPE = Recipe(schedule=schedules.Cosine(1.0, steps=8), steps=8, batch_size=10, eval_every=4)
REAL = Plan(
    task=tasks.get("mnist1d", n_train=100),
    recipe=RECIPE,
    space={"peak_lr": LogUniform(1e-3, 1.0)},
    trials=1,
    sampler="random",
)


def carried_out(made, trainer=None, **options):
    return trials(sweep(made, trainer=trainer or Formula(), n_jobs=1, progress=False, **options))


def test_a_trial_builds_its_recipe_and_its_training_state_once(tmp_path, monkeypatch):
    built = {"recipes": 0, "states": 0}
    count_recipe, count_state = Recipe.__post_init__, TrainingState.__init__

    def recipe(self):
        built["recipes"] += 1
        count_recipe(self)

    def state(self, *arguments, **options):
        built["states"] += 1
        count_state(self, *arguments, **options)

    monkeypatch.setattr(Recipe, "__post_init__", recipe)
    monkeypatch.setattr(TrainingState, "__init__", state)
    found = carried_out(REAL.replace(trials=3), TaskTrainer(str(tmp_path)))
    assert [t.outcome for t in found] == ["completed"] * 3
    assert built == {"recipes": 3, "states": 3}


def test_a_plan_takes_objects_and_descriptions_alike():
    described = REAL.to_dict()
    assert Plan.from_dict(described) == REAL
    assert (REAL.task, REAL.recipe) == (tasks.get("mnist1d", n_train=100), RECIPE)


@pytest.mark.parametrize("rule", [None, {"rule": "wandb-hyperband", "min_iter": 2, "eta": 2}])
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_metric_made_large_is_the_same_search_turned_round(rule, sampler):
    class Turned(Formula):
        def __call__(self, *arguments):
            found = super().__call__(*arguments)
            values = tuple(-v for v in found.values)
            return Progress(values, found.steps, found.diverged, found.seconds)

    space = {"peak_lr": LogUniform(1e-4, 0.4), "optimizer.momentum": Uniform(0.0, 0.9)}
    lower = carried_out(plan(rule=rule, sampler=sampler, space=space))
    upper = carried_out(
        plan(rule=rule, sampler=sampler, space=space, direction="maximize"), Turned()
    )
    assert [(t.params, t.outcome, t.value) for t in lower] == [
        (t.params, t.outcome, -t.value) for t in upper
    ]


def test_a_diverged_trial_is_the_worst_in_either_direction():
    space = {"peak_lr": LogUniform(0.6, 1.0), "optimizer.momentum": Uniform(0.0, 0.9)}
    for direction, worst in (("minimize", np.inf), ("maximize", -np.inf)):
        found = carried_out(plan(trials=2, space=space, direction=direction))
        assert [t.value for t in found] == [worst] * 2


def test_accuracy_is_made_large_or_refused():
    with pytest.raises(ValueError, match="say direction: maximize"):
        REAL.replace(metric="validation_accuracy")
    made = REAL.replace(metric="validation_accuracy", direction="maximize", trials=3)
    found = trials(sweep(made, n_jobs=1, progress=False))
    assert all(0 <= t.value <= 1 for t in found)


class Odd(Formula):
    """Some combinations make no sense."""

    def __call__(self, plan, params, evaluation):
        if params["peak_lr"] > 0.1:
            raise ValueError(f"too large: {params['peak_lr']:.3g}\nand more")
        return super().__call__(plan, params, evaluation)


@pytest.mark.parametrize("sampler", ["random", "quasi-random", "tpe", "gp"])
def test_what_makes_no_sense_is_its_trials_outcome_and_the_sweep_goes_on(sampler, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    made = plan(sampler=sampler, trials=12)
    found = carried_out(made, Odd(), storage=url)
    assert {t.outcome for t in found} >= {"failed", "completed"}
    for trial in found:
        assert (trial.outcome == "failed") == (trial.params["peak_lr"] > 0.1)
        if trial.outcome == "failed":
            assert trial.reason == f"too large: {trial.params['peak_lr']:.3g}"
    again = carried_out(made, Odd(), storage=url)
    assert table(again) == table(found)
    assert any("failed; trial" in sentence for sentence in advice(made, found))


def test_asynchronous_workers_note_a_failed_trial_too(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = join(plan(sampler="random", trials=12), url, trainer=Odd(), n_jobs=1)
    found = trials(study)
    assert len(found) == 12
    assert {t.outcome for t in found if t.params["peak_lr"] > 0.1} == {"failed"}


def test_an_error_of_the_machine_is_none_of_a_trial(tmp_path):
    def full(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        carried_out(plan(trials=2), full)


def test_equal_hyperparameters_are_trained_once_and_said_to_be(tmp_path):
    space = {"peak_lr": Choice((0.01, 0.1)), "optimizer.momentum": Choice((0.0, 0.5))}
    diary = tmp_path / "diary.txt"
    found = carried_out(plan(space=space, sampler="random", rule=None), Formula(diary=str(diary)))
    assert len(diary.read_text().splitlines()) == 4
    first: dict[str, int] = {}
    for trial in found:
        same = first.setdefault(repr(trial.params), trial.number)
        assert trial.same_as == (None if same == trial.number else same)
        assert trial.values.tolist() == found[same].values.tolist()


def test_repeated_draws_and_interruptions_make_the_same_study(tmp_path):
    space = {"peak_lr": Choice((0.01, 0.1, 0.3)), "optimizer.momentum": Choice((0.0, 0.5))}
    rule = {"rule": "wandb-hyperband", "min_iter": 2, "eta": 2}
    expected = whole(space=space, rule=rule, sampler="random")
    url = f"sqlite:///{tmp_path / 'study.db'}"
    for number in (7, 13, 20):
        made = plan(space=space, rule=rule, sampler="random", trials=number)
        found = carried_out(made, storage=url)
    assert [row[:6] for row in table(found)] == [row[:6] for row in expected]


@pytest.mark.parametrize("sampler", ["random", "quasi-random", "tpe", "gp"])
def test_whole_numbers_lists_and_numbers_of_numpy_are_searched(sampler, tmp_path):
    space = {
        "batch_size": IntUniform(np.int64(10), 50, step=np.int32(20)),
        "seed": IntUniform(1, 1000, log=True),
        "optimizer.betas": Choice(([0.9, 0.99], [0.8, 0.9])),
        "clip_norm": Choice(np.array([0.5, 1.0])),
        "schedule": Choice(
            (
                {"schedule": "Constant", "lr": 0.1},
                {"schedule": "Cosine", "peak_lr": 0.1, "steps": 8},
            )
        ),
        "optimizer.weight_decay": Uniform(np.float32(0), np.float64(0.1)),
    }
    recipe = RECIPE.to_dict() | {"optimizer": {"optimizer": "AdamW"}}
    made = REAL.replace(recipe=recipe, space=space, trials=np.int64(4), sampler=sampler)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    found = trials(sweep(made, storage=url, n_jobs=1, progress=False))
    assert [t.outcome for t in found] == ["completed"] * 4
    for trial in found:
        assert trial.params["batch_size"] in (10, 30, 50)
        assert type(trial.params["batch_size"]) is int
        assert trial.params["optimizer.betas"] in ([0.9, 0.99], [0.8, 0.9])
        recipe = made.recipe_of(trial.params)
        assert list(recipe.optimizer.betas) == trial.params["optimizer.betas"]
        assert recipe.schedule.to_dict()["schedule"] in ("Constant", "Cosine")


def test_a_grid_holds_lists_and_numbers_of_numpy():
    space = {"optimizer.betas": Choice(([0.9, 0.99], [0.8, 0.9])), "seed": IntUniform(0, 9)}
    grid = {"optimizer.betas": [(0.9, 0.99), [0.8, 0.9]], "seed": np.arange(2)}
    recipe = RECIPE.to_dict() | {"optimizer": {"optimizer": "AdamW"}}
    made = REAL.replace(recipe=recipe, space=space, sampler="grid", grid=grid, trials=4)
    found = trials(sweep(made, n_jobs=1, progress=False))
    assert [(t.params["optimizer.betas"][1], t.params["seed"]) for t in found] == [
        (0.99, 0),
        (0.99, 1),
        (0.9, 0),
        (0.9, 1),
    ]


def test_paths_reach_ratios_of_parameters_and_nested_schedules_and_build_each_part_once():
    warm = schedules.Warmup(schedules.Cosine(1.0, steps=6), warmup_steps=2)
    recipe = RECIPE.replace(schedule=warm, lr_ratios={"0.": 0.1, "2.bias": 0.2})
    made = REAL.replace(recipe=recipe, space={"lr_ratios.2.bias": Uniform(0.0, 1.0)})
    built = made.recipe_of(
        {"lr_ratios.2.bias": 0.5, "lr_ratios.0.": 0.3, "schedule.then.end_lr": 0.1, "peak_lr": 0.5}
    )
    assert dict(built.lr_ratios) == {"0.": 0.3, "2.bias": 0.5}
    assert (built.schedule.then.end_lr, built.schedule.then.peak_lr) == (0.05, 0.5)


# Storages


def state_of(folder):
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def useless(tmp_path_factory):
    """A folder of files that are no study of this plan; not to be changed."""
    folder = tmp_path_factory.mktemp("useless")
    (folder / "text.db").write_text("no database, but a text that is long enough for a header")
    with contextlib.closing(sqlite3.connect(folder / "other.db")) as base:
        base.execute("CREATE TABLE songs (name TEXT)")
    foreign = optuna.create_study(storage=connect(f"sqlite:///{folder}/foreign.db"), study_name="s")
    foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    made = plan(trials=2, sampler="random")
    join(made, f"sqlite:///{folder}/asynchronous.db", name="s", trainer=Formula(), n_jobs=1)
    carried_out(made.replace(seed=9), storage=f"sqlite:///{folder}/seeded.db", name="s")
    return folder


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "a study in memory would be lost"),
        ("sqlite:///:memory:", "a study in memory would be lost"),
        ("sqlite+pysqlite:///file::memory:?uri=true", "a study in memory would be lost"),
        ("sqlite:///file:{0}/x.db?mode=memory&uri=true", "a study in memory would be lost"),
        ("sqlite:///file:{0}/x.db?mode=ro&uri=true", "its storage may only be read"),
        ("sqlite:///{0}/none/x.db", "no folder"),
        ("sqlite:///{0}", "is a folder"),
        ("sqlite:////proc/x.db", "can't be (kept|written|opened)"),
        ("nonsense://x", "can't be opened"),
        ("", "can't be opened"),
        (3, "storage must be a URL"),
        ("sqlite:///{0}/text.db", "file is not a database"),
        ("sqlite:///{0}/other.db", "is the database of another program"),
        ("sqlite:///{0}/foreign.db", "was made by another program"),
        ("sqlite+pysqlite:///{0}/foreign.db", "was made by another program"),
        ("sqlite:///{0}/asynchronous.db", "begun in another way, asynchronously"),
        ("sqlite:///{0}/seeded.db", "was begun with another seed"),
    ],
)
def test_a_storage_that_cannot_be_used_gets_a_sentence_and_nothing_is_written(
    url, message, tmp_path, useless
):
    shutil.copytree(useless, tmp_path, dirs_exist_ok=True)
    made = plan(trials=2, sampler="random")
    before = state_of(tmp_path)
    given = url.format(tmp_path) if isinstance(url, str) else url
    for call in (
        lambda: carried_out(made, storage=given, name="s"),
        lambda: join(made.replace(seed=3), given, name="s", trainer=Formula(), n_jobs=1),
    ):
        if call.__code__.co_names[0] == "join" and "asynchronous" in str(url):
            continue  # the right way, with another seed
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert len(str(caught.value).splitlines()) == 1
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("name", ["none.db", "empty.db", "other.db"])
def test_looking_at_what_is_not_there_makes_nothing(name, tmp_path):
    (tmp_path / "empty.db").touch()
    carried_out(plan(trials=1), storage=f"sqlite:///{tmp_path}/other.db", name="another")
    before = state_of(tmp_path)
    with pytest.raises(ValueError, match=r"there is no study yet|the storage has no study"):
        open_study(None, f"sqlite:///{tmp_path / name}", "sweep")
    assert state_of(tmp_path) == before


def test_what_a_killed_process_was_writing_is_rolled_back(tmp_path):
    path = tmp_path / "study.db"
    before = carried_out(plan(trials=2), storage=f"sqlite:///{path}")
    code = f"""
import os, sqlite3
base = sqlite3.connect({str(path)!r}, isolation_level=None)
base.execute("PRAGMA cache_size = 1")
base.execute("BEGIN")
for k in range(2000):
    base.execute("INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (1, ?, ?)",
                 (f"k{{k}}", "x" * 500))
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.with_name("study.db-journal").stat().st_size > 0
    again = carried_out(plan(trials=3), storage=f"sqlite:///{path}")
    assert table(again)[:2] == table(before)
    assert len(again) == 3


@pytest.fixture(scope="module")
def statements(tmp_path_factory):
    """What makes the tables of a study, one after the other."""
    path = tmp_path_factory.mktemp("whole") / "study.db"
    carried_out(plan(trials=1), storage=f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as made:
        rows = made.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return [text for (text,) in rows]


@pytest.mark.parametrize("count", range(14))
def test_a_process_killed_while_it_made_the_tables_is_no_other_program(tmp_path, count, statements):
    path = tmp_path / "study.db"
    assert count < len(statements)
    with contextlib.closing(sqlite3.connect(path)) as begun:
        for text in statements[:count]:
            begun.execute(text)
    assert len(carried_out(plan(trials=1), storage=f"sqlite:///{path}")) == 1


def test_a_file_that_is_empty_can_be_begun(tmp_path):
    (tmp_path / "study.db").touch()
    found = carried_out(plan(trials=1), storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert len(found) == 1


def test_lockstep_and_asynchronous_workers_never_share_a_study(tmp_path):
    made = plan(trials=2, sampler="random")
    url = f"sqlite:///{tmp_path / 'study.db'}"
    carried_out(made, storage=url)
    with pytest.raises(ValueError, match="begun in another way, in lockstep"):
        join(made, url, trainer=Formula(), n_jobs=1)


def test_a_file_named_by_another_driver_is_locked_too(tmp_path):
    from lrlab.sweep._place import alone

    path = tmp_path / "study.db"
    with (
        alone(f"sqlite+pysqlite:///{path}"),
        pytest.raises(ValueError, match=r"another process works on study\.db"),
    ):
        carried_out(plan(trials=1), storage=f"sqlite:///{path}")
    assert not path.exists()


def test_what_optuna_says_is_not_changed_by_an_import_or_a_sweep():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        carried_out(plan(trials=1))
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)


def test_no_private_name_of_optuna_is_used():
    from pathlib import Path

    import lrlab.sweep

    for file in Path(lrlab.sweep.__file__).parent.glob("*.py"):
        text = file.read_text("utf-8")
        for private in ("study._", "trial._", "pruners._", "_filter_study", "._trial_id"):
            assert private not in text, (file.name, private)


def test_notes_that_are_gone_from_a_judged_trial_are_damage(tmp_path):
    path = tmp_path / "study.db"
    url = f"sqlite:///{path}"
    sweep(plan(), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("DELETE FROM trial_user_attributes WHERE trial_id = 3")
        base.commit()
    study = open_study(None, url, "sweep")
    with pytest.raises(ValueError, match=r"trial 2 of the study 'sweep' is not as it was written"):
        trials(study)
