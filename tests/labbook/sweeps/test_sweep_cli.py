"""`lrlab sweep` as it is typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from lrlab.labbook.cli import main
from lrlab.labbook.entries import _warm
from lrlab.sweep import load
from lrlab.sweep.plan import Plan
from lrlab.training.parallel import WorkerKilled

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "book" / "guide" / "sweeping.md"
EXAMPLE = GUIDE.with_name("surnames.yml")

SMALL = """\
task: {task: mnist1d, n_train: 100}
recipe:
  schedule: {schedule: Cosine, peak_lr: 1.0, steps: 16}
  steps: 16
  batch_size: 10
  eval_every: 2
space: {peak_lr: {range: LogUniform, low: 1e-3, high: 1.0}}
trials: 6
wave: 3
sampler: random
rule: {rule: wandb-hyperband, min_iter: 2, eta: 2}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "runs"))
    path = tmp_path / "small.yml"
    path.write_text(SMALL)
    return path


def typed(*words: object):
    return CliRunner().invoke(main, ["sweep", *map(str, words)])


def test_a_search_is_carried_out_once_and_then_only_looked_at(file):
    first = typed("run", file, "--workers", 1)
    assert first.exit_code == 0, first.output
    assert "6 trials: " in first.output
    assert "best: trial" in first.output
    again = typed(file, "--workers", 1)
    assert again.exit_code == 0
    assert again.output.splitlines()[-1] == first.output.splitlines()[-1]
    status = typed("status", file)
    assert status.exit_code == 0
    assert len(status.output.splitlines()) == 1 + 6 + 2


def test_a_stopped_trial_is_continued_and_the_study_stays(file):
    typed(file, "--workers", 1)
    rows = typed("status", file).output
    stopped = next(line.split()[0] for line in rows.splitlines() if " stopped" in line)
    continued = typed(file, "--continue-trial", stopped)
    assert continued.exit_code == 0, continued.output
    assert f"trial {stopped}, stopped after" in continued.output
    assert typed("status", file).output == rows
    complete = next(line.split()[0] for line in rows.splitlines() if " completed" in line)
    for number, message in ((complete, "only a stopped one"), (99, "has no trial 99")):
        refused = typed(file, "--continue-trial", number)
        assert refused.exit_code == 2
        assert message in refused.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("trials: 6", "trials: none"), "trials must be an integer"),
        (("sampler: random", "sampler: luck"), "sampler must be one of"),
        (("task: mnist1d", "task: mnist2d"), "there is no task 'mnist2d'; did you mean"),
        (("peak_lr: {range", "luck: {range"), "the recipe has no 'luck' to search"),
        (("eval_every: 2", "eval_every: 0"), "eval_every is 0"),
        (("trials: 6", "trials: 6\nmetric: luck"), "no metric 'luck'; there are train_loss"),
        (
            ("n_train: 100", "n_train: many"),
            "n_train must be an integer in [1, 3500]",
        ),
        (("{task: mnist1d, n_train: 100}", "{}"), "the task has no name"),
        (("{schedule: Cosine, peak_lr: 1.0, steps: 16}", "cosine"), "schedule must be a mapping"),
        (
            ("{schedule: Cosine, peak_lr: 1.0, steps: 16}", "{controller: ReduceOnPlateau, lr: 1}"),
            "peak_lr scales a schedule",
        ),
        (("batch_size: 10", "batch_size: 1000"), "batch_size must be in [1, 100]"),
        (
            ("batch_size: 10", "batch_size: 10\n  clip_norm: x"),
            "clip_norm must be in (0, inf)",
        ),
        (("low: 1e-3", "low: small"), "need finite low < high, got low='small'"),
        (("{range: LogUniform, low: 1e-3, high: 1.0}", "0.1"), "a range must be a mapping"),
        (("space: {peak_lr", "space: {3"), "the space can't hold 3"),
        (("space: {peak_lr", "space: {steps"), "the space can't hold 'steps'"),
        (("space: {peak_lr", "space: {seed"), "seed must be an integer of at least 0"),
        (
            ("{range: LogUniform, low: 1e-3, high: 1.0}", "{range: Choice, options: many}"),
            "options must be a list, got 'many'",
        ),
        (
            ("space: {", "space: {optimizer.momentum: {range: Uniform, low: 0, high: 2}, "),
            "momentum must be in [0, 1), got momentum=2",
        ),
        (
            ("space: {", "space: {batch_size: {range: Choice, options: [10, 1000]}, "),
            "got batch_size=1000",
        ),
        (("min_iter: 2", "min_iter: two"), "wandb-hyperband: min_iter must be a number"),
        (("rule: {rule: wandb-hyperband, min_iter: 2, eta: 2}", "rule: median"), "a mapping"),
        (("rule: wandb-hyperband", "rule: [median]"), "rule must be one of"),
        (("sampler: random", "sampler: grid\ngrid: [0.1]"), "grid must be a mapping"),
        (("sampler: random", "sampler: grid\ngrid: {peak_lr: 0.1}"), "must be a list of values"),
        (
            (
                "trials: 6\nwave: 3\nsampler: random",
                "trials: 1\nsampler: grid\ngrid: {peak_lr: [5]}",
            ),
            "peak_lr 5 is outside of its range",
        ),
    ],
)
def test_bad_input_gets_one_sentence_and_changes_nothing(file, change, message):
    changed = SMALL.replace(*change)
    assert changed != SMALL
    file.write_text(changed)
    before = sorted(file.parent.iterdir())
    refused = typed("run", file)
    assert refused.exit_code == 2
    assert message in refused.output
    assert len(refused.output.strip().splitlines()) == 1
    assert sorted(file.parent.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_study_that_was_not_begun_cannot_be_looked_at(file, command):
    refused = typed(command, file)
    assert refused.exit_code == 2
    assert f"lrlab sweep run {file} begins it" in refused.output


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_in_a_module_beside_the_plan_is_found(file, monkeypatch, workers):
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"model_beside_{workers}"
    file.with_name(f"{name}.py").write_text(
        "import torch\n\n\ndef build(seed):\n"
        "    model = torch.nn.Linear(3, 1)\n"
        "    batches = [(torch.ones(4, 3), torch.ones(4, 1))] * 4\n"
        "    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "    return model, optimizer, batches, torch.nn.functional.mse_loss, batches\n"
    )
    plan = yaml.safe_load(SMALL) | {"task": {"task": "factory", "build": f"{name}:build"}}
    file.write_text(yaml.safe_dump(plan))
    done = typed("run", file, "--workers", workers)
    assert done.exit_code == 0, done.output
    assert "6 trials: " in done.output
    assert "failed" not in done.output


def test_a_mistyped_command_is_not_taken_for_a_file(file):
    refused = typed("stauts", file)
    assert refused.exit_code == 2
    assert "Did you mean 'status'?" in refused.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--continue-trial", 0], "small.db does not exist"),
        (["--storage", "nonsense://x"], "the study's storage can't be opened"),
        (["--cluster", "tcp://127.0.0.1:1"], "there is no Dask scheduler at tcp://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_reached_is_named(file, words, message, monkeypatch):
    monkeypatch.setattr("lrlab.labbook.cli._sweep._PATIENCE", 1)
    refused = typed("run", file, *words)
    assert refused.exit_code == 2
    assert message in refused.output
    assert not file.with_suffix(".db").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [(KeyboardInterrupt(), "the same command goes on"), (WorkerKilled("it was killed"), "killed")],
)
def test_an_interrupted_search_says_how_to_go_on(file, monkeypatch, error, said):
    def interrupted(*arguments, **options):
        raise error

    monkeypatch.setattr("lrlab.sweep._engine.sweep", interrupted)
    stopped = typed("run", file)
    assert stopped.exit_code == 1
    assert said in stopped.output and len(stopped.output.splitlines()) == 1


def test_advice_is_given_before_anything_is_trained(file):
    file.write_text(SMALL.replace("min_iter: 2", "min_iter: 20"))
    said = typed("run", file, "--workers", 1)
    assert "No run can ever be stopped" in said.output


def test_a_failed_trial_is_shown_with_its_reason(tmp_path, monkeypatch):
    shutil.copy(EXAMPLE.parent / "scripts" / "sweep.yaml", tmp_path)
    (tmp_path / "train.py").write_text("raise SystemExit('the data are gone')\n")
    monkeypatch.chdir(tmp_path)
    done = typed("sweep.yaml", "--count", 2)
    assert done.exit_code == 0
    assert "2 trials: 2 failed" in done.output
    assert "2 trials failed; trial 0: the data are gone" in done.output
    status = typed("status", "sweep.yaml")
    assert status.output.count("the data are gone") == 2
    assert typed("report", "sweep.yaml").exit_code == 0


# Stands in for the interpreter: each script is a fork of a process that has loaded PyTorch.
SERVER = """
import os, runpy, sys, traceback
import torch._dynamo, lrlab.sweep.reporting
from lrlab.labbook.entries import _warm

def run(arguments, environment, folder):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except Exception:
        traceback.print_exc()
        return 1
    return 0

_warm._LIBRARIES = ()
_warm._become_a_kernel = run
_warm.serve(sys.argv[1])
"""


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interpreter")
    address, program = folder / "socket", folder / "python"
    words = shlex.join([sys.executable, "-I", "-S", _warm.__file__, str(address)])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    command = [sys.executable, "-c", SERVER, str(address)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not address.exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield str(program)
    process.terminate()
    process.wait()


@pytest.mark.parametrize("script", ["train.py", "train_wandb.py"])
def test_the_guides_scripts_are_searched_as_it_says(tmp_path, monkeypatch, interpreter, script):
    for name in ("sweep.yaml", script):
        shutil.copy(EXAMPLE.parent / "scripts" / name, tmp_path)
    file = tmp_path / "sweep.yaml"
    file.write_text(
        file.read_text().replace("train.py", script).replace("run_cap: 8", "run_cap: 4")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lrlab.labbook.sweeps.script.sys.executable", interpreter)
    done = typed(file, "--workers", 2)
    assert done.exit_code == 0, done.output
    assert "4 trials: " in done.output and "failed" not in done.output
    assert "stopped" in done.output and "best: trial" in done.output
    said = typed("report", file)
    assert said.exit_code == 0, said.output
    assert "until they first said something" in (tmp_path / "sweep.html").read_text()
    assert len(list((tmp_path / "sweep.trials" / "00003").iterdir())) == 4
    more = typed(file, "--count", 5)
    assert "5 trials: " in more.output


def test_the_guides_space_is_one():
    [text] = re.findall(r"```yaml\n(space:.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    data = yaml.safe_load(EXAMPLE.read_text()) | yaml.safe_load(text.replace("1e-4", "1.0e-4"))
    made = Plan.from_dict(data)
    made.check()
    assert list(made.space) == [
        "peak_lr",
        "batch_size",
        "optimizer.betas",
        "optimizer.weight_decay",
    ]


def test_the_guides_python_runs_as_it_is_printed(file, monkeypatch):
    """The one with joblib; threads stand in for Ray."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    [code] = [block for block in blocks if "parallel_config" in block]
    file.rename(file.with_name("surnames.yml"))
    monkeypatch.chdir(file.parent)
    names: dict = {}
    exec(code.replace('"ray"', '"threading", n_jobs=1'), names)
    assert names["best"].outcome == "completed"


def test_what_a_script_cannot_do_is_refused(tmp_path, monkeypatch):
    for name in ("sweep.yaml", "train.py"):
        shutil.copy(EXAMPLE.parent / "scripts" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    for words in (["--async"], ["--cluster", "tcp://x:1"], ["--continue-trial", 3]):
        refused = typed(tmp_path / "sweep.yaml", *words)
        assert refused.exit_code == 2
        assert "a script is searched in lockstep on this machine" in refused.output
    assert sorted(tmp_path.iterdir()) == before


def test_the_guides_example_is_a_plan():
    plan = load(EXAMPLE)
    plan.check()
    assert (plan.evaluations, plan.trials) == (195, 40)
    assert Plan.from_dict(plan.to_dict()) == plan
