"""Plans that make no sense: each gets one sentence and exit code 2, and nothing is written."""

import copy
import functools
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from lrlab.labbook.cli import main

INF, NAN = float("inf"), float("nan")
OURS = {
    "task": {"task": "mnist1d", "n_train": 100},
    "recipe": {
        "schedule": {"schedule": "Cosine", "peak_lr": 1.0, "steps": 16},
        "optimizer": {"optimizer": "AdamW", "betas": [0.9, 0.99]},
        "steps": 16,
        "batch_size": 10,
        "eval_every": 2,
    },
    "space": {"peak_lr": {"range": "LogUniform", "low": 0.001, "high": 1.0}},
    "trials": 6,
    "wave": 3,
    "sampler": "random",
    "rule": {"rule": "wandb-hyperband", "min_iter": 2, "eta": 2},
}
WANDB = {
    "program": "train.py",
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.001, "max": 1.0}, "bs": {"values": [16, 32]}},
    "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
    "run_cap": 6,
}
NO_COUNT = [0, -1, 1.5, "x", "", [], {}, True, 10**12, INF, NAN]
NO_MAPPING = [None, 3, "x", [], [1], True]
NO_NAME = [3, "", [], {}, True, None]


def put(value, *path):
    return path, value


def each(values, *path):
    return [(path, value) for value in values]


RANGE = ("space", "peak_lr")
WITH_GRID = {"sampler": "grid", "trials": 2, "grid": {"peak_lr": [0.1, 0.2]}}
CHANGES = [
    *each([*NO_MAPPING, {}, {"task": 3}, {"task": None}, {"task": "mnist2d"}], "task"),
    *each(["many", -1, 0, [], {}, NAN], "task", "n_train"),
    *each([1, "x"], "task", "luck"),
    *each([*NO_MAPPING, {}], "recipe"),
    *each([*NO_COUNT, None], "recipe", "steps"),
    *each([*NO_COUNT, None, 101], "recipe", "batch_size"),
    *each([0, -1, 1.5, "x", "", [], {}, True, INF, NAN], "recipe", "eval_every"),
    *each([-1, 1.5, "x", [], {}, NAN, INF], "recipe", "seed"),
    *each([-1, 0, "x", [], {}, NAN], "recipe", "clip_norm"),
    *each([-1, 1, "x", [], {}, NAN], "recipe", "average_decay"),
    *each([-1, 0, "x", [], NAN], "recipe", "max_loss"),
    *each(["x", 3, {"a": -1}, {"none": 0.1}, {"0.": "x"}], "recipe", "lr_ratios"),
    put(1, "recipe", "luck"),
    *each([*NO_MAPPING, {}, {"schedule": "x"}, {"schedule": []}], "recipe", "schedule"),
    *each([{"schedule": "Cosine"}, {"controller": "x"}], "recipe", "schedule"),
    *each([-1, "x", [], NAN, INF, True, None], "recipe", "schedule", "peak_lr"),
    *each([*NO_COUNT[:-3], INF, NAN, None], "recipe", "schedule", "steps"),
    put(1, "recipe", "schedule", "luck"),
    *each([*NO_MAPPING[1:], {}, {"optimizer": "x"}], "recipe", "optimizer"),
    *each([{"optimizer": []}, {"optimizer": 3}], "recipe", "optimizer"),
    *each([3, "x", [1], [0.9, 1.5], [0.9, "x"]], "recipe", "optimizer", "betas"),
    *each([-1, "x", [], NAN], "recipe", "optimizer", "weight_decay"),
    put(1, "recipe", "optimizer", "luck"),
    *each([*NO_MAPPING, {}], "space"),
    *each([*NO_MAPPING, {}, {"range": "x"}, {"range": []}, {"range": "Uniform"}], *RANGE),
    *each([0, -1, "x", [], {}, NAN, INF, 2.0, None, True, 10**400], *RANGE, "low"),
    *each([0, "x", [], {}, NAN, INF, 0.001, None, True], *RANGE, "high"),
    *each(["x", 3, []], *RANGE, "type"),
    put("int", *RANGE, "type"),
    put(1, *RANGE, "luck"),
    *each([{"range": "Choice", "options": o} for o in ("x", 3, [], [1], [1, 1], [1, NAN])], *RANGE),
    *each([{"range": "Choice"}, {"range": "Choice", "options": ["a", "b"]}], *RANGE),
    *each([{"range": "Choice", "options": [[1], [2]]}], *RANGE),
    *each([{"range": "Drawn", "kind": k} for k in ("x", 3, "normal")], *RANGE),
    *each(
        [
            {"range": "IntUniform", "low": 8, "high": 16} | change
            for change in (
                {"low": 1.5},
                {"low": "x"},
                {"low": 16},
                {"step": 0},
                {"step": -1},
                {"step": 1.5},
                {"step": 100},
                {"log": 1},
                {"log": True, "low": 0},
                {"log": True, "step": 2},
                {"high": 10**20},
                {"luck": 1},
            )
        ],
        "space",
        "batch_size",
    ),
    *each(
        [{"range": "Uniform", "low": 0.1, "high": 2.0}],
        "space",
        "optimizer.betas.1",
    ),
    *[
        put({"range": "Uniform", "low": 0.1, "high": 0.2}, "space", name)
        for name in (
            "steps",
            "eval_every",
            "luck",
            "",
            "x" * 500,
            "optimizer",
            "optimizer.luck",
            "optimizer.betas",
            "optimizer.betas.7",
            "optimizer.betas.x",
            "optimizer.betas.1.2",
            "optimizer.betas.-1",
            "schedule",
            "schedule.",
            ".schedule",
            "seed",
            "batch_size",
            "schedule.peak_lr.x",
            "recipe.seed",
        )
    ],
    *each(NO_COUNT, "trials"),
    *each(NO_COUNT, "wave"),
    *each([*NO_COUNT[:-3], INF, NAN], "judge_every"),
    *each([-1, 1.5, "x", "", [], {}, True, INF, NAN, 2**70], "seed"),
    *each([*NO_NAME, "step", "luck", " ", "validation_accuracy", "x" * 10**5], "metric"),
    *each(["up", 3, [], {}, True, ""], "direction"),
    *each(["x", 3, [], {}, True, "grid", None], "sampler"),
    *each([3, "median", [], {}, True, {"rule": "x"}, {"rule": []}, {"rule": None}], "rule"),
    *each([True, 1.5, NAN, INF, 0, -1, "x", [], {}], "rule", "min_iter"),
    *each([True, NAN, INF, 1, 0, -2, "x", []], "rule", "eta"),
    *each([1.5, True, 10**9, -1, "x", NAN], "rule", "s"),
    *each([True, NAN, INF, 1, 10**12, "x"], "rule", "max_iter"),
    *each([1, "x", 0.5, []], "rule", "strict"),
    put(1, "rule", "luck"),
    *each(
        [
            {"rule": "median", "n_startup_trials": 1.5},
            {"rule": "median", "n_warmup_steps": -1},
            {"rule": "median", "interval_steps": 0},
            {"rule": "median", "min_resource": 1},
            {"rule": "hyperband", "min_resource": 20, "max_resource": 2},
            {"rule": "hyperband", "reduction_factor": 1},
            {"rule": "successive-halving", "reduction_factor": 1},
            {"rule": "successive-halving", "min_resource": "x"},
            {"rule": "successive-halving", "min_early_stopping_rate": -1},
            {"rule": "successive-halving", "min_resource": "auto", "bootstrap_count": 3},
            {"rule": "none", "x": 1},
        ],
        "rule",
    ),
    *each([[0.1], 3, "x", {}, {"luck": [1]}, {"peak_lr": [0.1]}], "grid"),
    put(1, "luck"),
    *[put(None, name) for name in ("trials", "wave", "seed", "judge_every")],
    *[
        (("",), WITH_GRID | {"grid": grid})
        for grid in (
            {"peak_lr": []},
            {"peak_lr": 0.1},
            {"peak_lr": "x"},
            {"peak_lr": [5]},
            {"peak_lr": ["x", 0.1]},
            {"peak_lr": [[0.1], 0.2]},
            {"peak_lr": [NAN, 0.1]},
            {"luck": [0.1]},
            {"peak_lr": [0.1]},
            {},
            None,
            [],
        )
    ],
]
LR = ("parameters", "lr")
DRAWN = [
    {"distribution": "x"},
    {"distribution": []},
    {"distribution": "uniform", "min": 1, "max": 0},
    {"distribution": "uniform", "min": "x", "max": 0},
    {"distribution": "int_uniform", "min": 0.5, "max": 2},
    {"distribution": "q_uniform", "min": 0, "max": 2, "q": 0},
    {"distribution": "q_uniform", "min": 0, "max": 2, "q": "x"},
    {"distribution": "log_uniform", "min": 0, "max": 1000},
    {"distribution": "log_uniform_values", "min": 0, "max": 1},
    {"distribution": "inv_log_uniform_values", "min": -1, "max": 1},
    {"distribution": "q_log_uniform_values", "min": 0, "max": 1},
    {"distribution": "normal", "mu": "x"},
    {"distribution": "normal", "sigma": 0},
    {"distribution": "normal", "sigma": NAN},
    {"distribution": "log_normal", "mu": 800},
    {"distribution": "beta", "a": 0},
    {"distribution": "beta", "b": -1},
    {"distribution": "normal", "min": 0},
    {"values": [1, 2], "probabilities": [0.5]},
    {"values": [1, 2], "probabilities": [0.5, 0.6]},
    {"values": [1, 2], "probabilities": ["x", 1]},
    {"values": [1, 2], "probabilities": 3},
    {"values": []},
    {"values": "x"},
    {"values": [1, NAN]},
    {"value": NAN},
    {"min": 1},
    {"min": 0, "max": INF},
    {"min": 0, "max": True},
    {"parameters": 3},
    {"parameters": {"x": 3}},
    {"parameters": {"x": {"value": 1}}, "value": 2},
    {"luck": 1},
]
OF_WANDB = [
    *each([*NO_NAME, "none.py", "."], "program"),
    *each(["x", "custom", *NO_NAME], "method"),
    *each([None, 3, "loss", [], {}, {"name": ""}, {"name": []}, {"name": "step"}], "metric"),
    *each(["up", 3, [], True], "metric", "goal"),
    put(1, "metric", "luck"),
    put({"name": "val/acc"}, "metric"),
    *each([*NO_MAPPING, {}], "parameters"),
    *each([*NO_MAPPING, {}, *DRAWN], *LR),
    *[put({"value": 1}, "parameters", name) for name in ("", "-x", "a=b", 3)],
    put({"parameters": {"b": {"value": 1}, "c": {"values": [1, 2]}}, "x": 1}, "parameters", "a"),
    *each([3, "hyperband", [], {}, {"type": "envelope"}, {"type": []}], "early_terminate"),
    *each([True, 1.5, NAN, 0, "x"], "early_terminate", "min_iter"),
    *each([True, NAN, 1, "x"], "early_terminate", "eta"),
    put(27, "early_terminate", "max_iter"),
    put(1, "early_terminate", "luck"),
    *each([0, -1, 1.5, "x", [], True, 10**12], "run_cap"),
    put(None, "run_cap"),
    *each(
        ["python x", [], {}, 3, [[]], [None], [True], ["${luck}"], ["/no/such/thing"], ["a\0b"]],
        "command",
    ),
    put(["${interpreter}", "${envvar:LRLAB_NO_SUCH_VARIABLE}"], "command"),
    *each([3, "x", [], {"luck": 1}, {"timeout": 0}, {"timeout": "x"}, {"grace": -1}], "lrlab"),
    *each([{"wave": 0}, {"seed": -1}, {"trials": 1.5}, {"timeout": NAN}], "lrlab"),
    put(1, "luck"),
    put([{"name": "a"}], "metrics"),
    (("",), {"method": "grid"}),
    (("",), {"method": "bayes", "run_cap": None}),
    (("",), {"parameters": {"a": {"value": 1}}}),
]
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12)
)
TEXT = yaml.safe_dump(OURS)
TEXTS = [
    b"",
    b"\n# nothing\n",
    b"just words",
    b"[1, 2]",
    b"3",
    b"a: [",
    b"a: {b: c",
    b"\tx: 1",
    b"a: b: c",
    b"x: 'unclosed",
    b"\xff\xfe\x00\x01",
    b"a: \x00",
    "é: 1".encode("latin-1"),
    b"a: !!python/object/apply:os.system ['touch written']",
    b"a: !!python/name:os.system",
    b"a: !unknown 3",
    b"--- {a: 1}\n--- {b: 1}",
    b"a: &a [*a]",
    b"a: &a {b: *a}",
    b"&a {task: *a}",
    b"a: *nowhere",
    b"? [1, 2]\n: 3",
    b"? {a: 1}\n: 3",
    b"<<: 3",
    b"a: 2020-01-01",
    b"a: !!set {x, y}",
    b"a: !!binary aGVsbG8=",
    b"a: " + b"1" * 5000,
    b"[" * 3000,
    b"{a: " * 2000,
    b"- " * 3000 + b"x",
    b"x: 1\n" * 3,
    b"a: " + b"x" * 2**20,
    LAUGHS.encode(),
    (TEXT + "trials: 7\n").encode(),
    (TEXT + "space: {}\n").encode(),
    TEXT.replace("steps: 16", "steps: 16\n  steps: 16", 1).encode(),
    TEXT.replace("task: mnist1d", "task: mnist1d\n  task: mnist1d", 1).encode(),
    (TEXT + "? null\n: 1\n").encode(),
    (TEXT + "3: 1\n").encode(),
    (TEXT + "true: 1\n").encode(),
    TEXT.replace("trials: 6", "trials: 0x").encode(),
    TEXT.replace("trials: 6", "trials: 2020-01-01").encode(),
    TEXT.replace("trials: 6", "trials: 6e0").encode(),
]


def changed(base: dict, path: tuple, value: object) -> str:
    made = copy.deepcopy(base)
    if path == ("",):
        made |= value
    else:
        place = made
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
    return yaml.dump(made, Dumper=yaml.SafeDumper)


@functools.cache
def plans() -> list[bytes]:
    """Made where they are tested: every worker of a parallel test run collects this file."""
    return [
        *(changed(OURS, *change).encode() for change in CHANGES),
        *(changed(WANDB, *change).encode() for change in OF_WANDB),
        *TEXTS,
    ]


def test_there_are_enough_of_them():
    assert len(set(plans())) >= 300
    assert len(plans()) - len(set(plans())) < 5


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "runs"))
    (tmp_path / "train.py").write_text("print('{\"loss\": 1}')\n")
    return tmp_path


def refused(place: Path, *words: str) -> str:
    before = {p: p.stat().st_mtime_ns for p in place.rglob("*")}
    done = CliRunner().invoke(main, ["sweep", "run", *words, "--workers", "1"])
    said = done.output.strip()
    assert done.exit_code == 2, (done.exit_code, said[-300:], done.exception)
    assert len(said.splitlines()) == 1 and len(said) <= 400, said[:1000]
    assert said.startswith("lrlab: ") and "Traceback" not in said
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*")} == before
    return said


def test_the_plans_they_are_made_of_are_good_ones(place):
    for base in (OURS, WANDB):
        (place / "plan.yml").write_text(yaml.safe_dump(base))
        done = CliRunner().invoke(main, ["sweep", "run", "plan.yml", "--workers", "1"])
        assert done.exit_code == 0, done.output
        (place / "plan.db").unlink()


@pytest.mark.parametrize("part", range(20))
def test_each_gets_one_sentence_and_nothing_is_written(place, part):
    for plan in plans()[part::20]:
        (place / "plan.yml").write_bytes(plan)
        try:
            refused(place, "plan.yml")
        except AssertionError as error:
            raise AssertionError(f"{plan[:600].decode('utf-8', 'replace')}: {error}") from None


def test_files_that_cannot_be_read_get_one_sentence(place):
    (place / "folder.yml").mkdir()
    assert "Is a directory" in refused(place, "folder.yml")
    assert "No such file" in refused(place, "none.yml")
