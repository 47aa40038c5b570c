"""Scripts of one's own as trials: what they say, how they are stopped, and that none is left."""

import ast
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from wandb_parameters import RATES, SETTINGS, WAVE, curve, stored

from lrlab.labbook.cli import main
from lrlab.labbook.sweeps.programs import search
from lrlab.labbook.sweeps.script import Script
from lrlab.labbook.sweeps.wandb_files import load
from lrlab.sweep import LogUniform, trials

ROOT = Path(__file__).parents[3]

# As it was written for W&B; the tests change its import line and nothing else.
WRITTEN_FOR_WANDB = """\
import argparse
import math

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--epochs", type=int, default=14)
args = parser.parse_args()

wandb.init(project="demo", config=vars(args))
config = wandb.config
floor = 1 + math.log10(config.lr / 0.03) ** 2 / 4
for epoch in range(config.epochs):
    loss = floor + math.exp(-epoch * (0.05 + 3 * config.lr)) + 0.1 * math.sin(9 * epoch)
    if epoch % 5 == 4:
        loss = math.nan
    wandb.log({"epoch": epoch, "loss": SIGN * loss, "note": "text is left out"})
wandb.finish()
"""
SWEEP = """\
program: train.py
method: grid
metric:
  name: loss
  goal: {goal}
parameters:
  lr:
    values: {rates}
early_terminate:
  type: hyperband
{rule}
command:
  - ${{env}}
  - ${{interpreter}}
  - ${{program}}
  - ${{args}}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def script(text: str, **changes: object) -> Script:
    """A search over a script that is written into the working folder."""
    Path("train.py").write_text(textwrap.dedent(text))
    made = Script(
        space={"lr": LogUniform(1e-3, 1.0)},
        trials=3,
        metric="loss",
        direction="minimize",
        sampler="random",
        program="train.py",
        wave=3,
        grace=5.0,
    )
    return made.replace(**changes)


def carried_out(plan: Script, **options: object) -> list:
    return trials(search(plan, n_jobs=2, progress=False, **options))


def children() -> list[psutil.Process]:
    return [c for c in psutil.Process().children(recursive=True) if "train.py" in str(c.cmdline())]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("which", range(len(SETTINGS)))
def test_a_script_for_wandb_is_stopped_where_wandb_stops_it(place, goal, which):
    """The package's own decisions on the same values are in tests/golden."""
    text = WRITTEN_FOR_WANDB.replace("import wandb\n", "import lrlab.sweep.wandb as wandb\n")
    (place / "train.py").write_text(text.replace("SIGN", "-1.0" if goal == "maximize" else "1.0"))
    rule = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in SETTINGS[which].items())
    (place / "sweep.yaml").write_text(SWEEP.format(goal=goal, rates=list(RATES), rule=rule))
    plan = load("sweep.yaml")
    assert plan.wave == WAVE
    found = carried_out(plan)
    assert [len(t.values) for t in found] == stored()["lengths"][goal][which]
    assert {t.outcome for t in found} == {"completed", "stopped"}
    for trial in found:
        finite = [v for v in curve(trial.params["lr"], goal) if math.isfinite(v)]
        assert trial.values.tolist() == finite[: len(trial.values)]
    assert not children()


REPORTS = """
    import sys
    from lrlab.sweep import report
    lr = float(sys.argv[1].partition("=")[2])
    for step in range(1, 9):
        report(step=10 * step, loss=lr + 1 / step, other=3)
"""
LINES = """
    import json, sys, time
    lr = float(sys.argv[1].partition("=")[2])
    print("begins")
    for step in range(1, 9):
        print(json.dumps({"step": 10 * step, "loss": lr + 1 / step}), flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize("text", [REPORTS, LINES])
def test_reports_and_lines_of_json_say_the_same(place, text):
    found = carried_out(script(text))
    assert [t.outcome for t in found] == ["completed"] * 3
    for trial in found:
        assert trial.steps.tolist() == [10 * k for k in range(1, 9)]
        assert trial.values.tolist() == [trial.params["lr"] + 1 / k for k in range(1, 9)]
        assert 0 < trial.start <= trial.seconds
    kept = place / "sweep.trials" / "00000"
    assert len((kept / "metrics.jsonl").read_text().splitlines()) == 8
    assert json.loads((kept / "config.json").read_text()) == found[0].params
    assert ("begins" in (kept / "stdout.txt").read_text()) == (text == LINES)


@pytest.mark.parametrize("text", [REPORTS, LINES])
def test_a_stopped_script_ends_and_the_study_is_one_whatever_the_workers(place, text):
    plan = script(text, trials=6, rule={"rule": "wandb-hyperband", "min_iter": 2, "eta": 2})
    tables = []
    for workers in (1, 3):
        found = trials(search(plan, n_jobs=workers, progress=False))
        tables.append([(t.params, t.outcome, t.values.tolist()) for t in found])
        assert not children()
    assert tables[0] == tables[1]
    assert {outcome for _, outcome, _ in tables[0]} == {"completed", "stopped"}


def test_a_stopped_script_does_its_finally_clauses(place):
    text = """
        import pathlib, sys
        from lrlab.sweep import Stopped, report
        lr = float(sys.argv[1].partition("=")[2])
        try:
            for step in range(9):
                report(loss=lr)
        except Stopped:
            pathlib.Path(f"told-{lr}").touch()
            raise
        finally:
            pathlib.Path(f"done-{lr}").touch()
    """
    plan = script(text, trials=6, rule={"rule": "wandb-hyperband", "min_iter": 2, "eta": 2})
    found = carried_out(plan)
    told = {float(p.name.removeprefix("told-")) for p in place.glob("told-*")}
    assert told == {t.params["lr"] for t in found if t.outcome == "stopped"} != set()
    assert len(list(place.glob("done-*"))) == 6
    assert all((place / f"sweep.trials/{n:05d}/stderr.txt").read_text() == "" for n in range(6))


def test_a_script_that_will_not_end_is_killed(place):
    text = """
        import json, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        lr = float(sys.argv[1].partition("=")[2])
        print(json.dumps({"loss": lr}), flush=True)
        print(json.dumps({"loss": lr}), flush=True)
        if lr > 0.0:
            time.sleep(600 if lr > LIMIT else 0)
    """
    limit = min(t.params["lr"] for t in carried_out(script(REPORTS)))
    plan = script(
        text.replace("LIMIT", repr(limit)),
        rule={"rule": "wandb-hyperband", "min_iter": 1, "eta": 100},
        grace=0.2,
    )
    found = carried_out(plan)
    assert sorted(t.outcome for t in found) == ["completed", "stopped", "stopped"]
    assert not children()


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("raise ValueError('the data are gone')", "failed", "ValueError: the data are gone"),
        ("import sys; sys.exit(3)", "failed", "it ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "failed", "it was ended by signal 9"),
        ("print('no numbers')", "failed", "it ended without a value of 'loss'"),
        (
            "from lrlab.sweep import report; report(lose=1.0)",
            "failed",
            "it ended without a value of 'loss'; it said lose",
        ),
        ("print('{\"loss\": NaN}')", "diverged", None),
        ('print(\'{"loss": 1}\\n[1]\\n{}\\n{"loss": "x"}\\n{\')', "completed", None),
        (
            "from lrlab.sweep import report; report(loss='x')",
            "failed",
            "TypeError: report takes numbers, got loss='x'",
        ),
        (
            "from lrlab.sweep import report; report(step=1.5, loss=1)",
            "failed",
            "TypeError: step must be a whole number, got 1.5",
        ),
        (
            "import numpy as np; from lrlab.sweep import report\n"
            "report(step=np.int64(1), loss=np.float32(1))",
            "completed",
            None,
        ),
        (
            "import lrlab.sweep.wandb as wandb; wandb.watch(1)",
            "failed",
            "AttributeError: lrlab.sweep.wandb has init, config, log and finish, and no 'watch'",
        ),
        (
            "import lrlab.sweep.wandb as wandb; wandb.init().save(1)",
            "failed",
            "AttributeError: lrlab.sweep.wandb has init, config, log and finish, and no 'save'",
        ),
    ],
)
def test_what_becomes_of_a_script_is_the_outcome_of_its_trial(place, text, outcome, reason):
    [trial] = carried_out(script(text, trials=1))
    assert (trial.outcome, trial.reason) == (outcome, reason)


def test_a_script_that_takes_too_long_has_failed_and_is_gone(place):
    [trial] = carried_out(script("import time; time.sleep(600)", trials=1, timeout=0.5, grace=0.5))
    assert (trial.outcome, trial.reason) == ("failed", "it took longer than 0.5 seconds")
    assert not children()


def test_one_failed_trial_does_not_end_the_others(place):
    text = REPORTS + "    if lr > 0.05: raise RuntimeError('too large')\n"
    found = carried_out(script(text, trials=6, wave=2))
    assert {t.outcome for t in found} == {"completed", "failed"}
    assert {t.reason for t in found if t.outcome == "failed"} == {"RuntimeError: too large"}


def test_what_a_script_leaves_running_is_ended_with_it(place):
    text = """
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600) # left behind"])
        print('{"loss": 1}')
    """
    [trial] = carried_out(script(text, trials=1))
    assert trial.outcome == "completed"
    left = [p for p in psutil.process_iter(["cmdline"]) if "# left behind" in str(p.info)]
    assert not left


def test_nested_values_and_all_kinds_of_arguments(place):
    (place / "train.py").write_text(
        "import json, sys, lrlab.sweep.wandb as wandb\n"
        "run = wandb.init(config={'extra': 1, 'lr': 9})\n"
        "open('said.json', 'w').write(json.dumps([sys.argv[1:], run.config.as_dict()]))\n"
        "wandb.log({'loss': {'val': 1.0}})\n"
    )
    (place / "sweep.yaml").write_text(
        "program: train.py\nmethod: random\nrun_cap: 1\n"
        "metric: {name: loss.val, goal: minimize}\n"
        "parameters:\n"
        "  lr: {values: [0.5, 0.25]}\n"
        "  nesterov: {value: true}\n"
        "  quiet: {value: false}\n"
        "  optimizer: {parameters: {betas: {value: [0.9, 0.99]}, eps: {value: 1e-8}}}\n"
        "command: ['${interpreter}', '${program}', '${args}', '${args_no_hyphens}',\n"
        "  '${args_no_boolean_flags}', '${args_json}', '${args_json_file}', 'x${envvar:HOME}', 3]\n"
    )
    plan = load("sweep.yaml")
    [trial] = carried_out(plan)
    assert trial.outcome == "completed", trial.reason
    lr = trial.params["lr"]
    told, config = json.loads((place / "said.json").read_text())
    nested = {"betas": [0.9, 0.99], "eps": 1e-8}
    values = {"lr": lr, "nesterov": True, "quiet": False, "optimizer": nested}
    assert config == values | {"extra": 1}
    flags = [f"{name}={value}" for name, value in values.items()]
    assert sorted(told[:4]) == sorted(f"--{flag}" for flag in flags)
    assert sorted(told[4:8]) == sorted(flags)
    expected = [f"--lr={lr}", "--nesterov", f"--optimizer={nested}"]
    assert sorted(told[8:11]) == sorted(expected)
    assert json.loads(told[11]) == json.loads(Path(told[12]).read_text()) == values
    assert told[13:] == ["x" + os.environ["HOME"], "3"]


def test_outside_of_a_sweep_a_script_just_trains(place):
    text = WRITTEN_FOR_WANDB.replace("import wandb\n", "import lrlab.sweep.wandb as wandb\n")
    (place / "train.py").write_text(text.replace("SIGN", "1"))
    done = subprocess.run(
        [sys.executable, "train.py", "--lr", "0.1"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_the_import_for_scripts_loads_no_tensor_library_and_no_optuna():
    code = "import sys, lrlab.sweep.wandb, lrlab.sweep; lrlab.sweep.report; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert not loaded & {"torch", "optuna", "numpy", "matplotlib"}


def test_rows_are_counted_as_wandb_counts_them(monkeypatch):
    from lrlab.sweep import reporting, wandb

    said = []
    monkeypatch.setattr(reporting, "say", lambda step, row: said.append((step, row)))
    monkeypatch.setattr(wandb, "_step", None)
    monkeypatch.setattr(wandb, "_count", 0)
    wandb.log({"a": 1})
    wandb.log({"a": 2}, commit=False)
    wandb.log({"b": 3})
    wandb.log({"a": 4}, step=10)
    wandb.log({"b": 5}, step=10)
    wandb.log({"a": 6}, step=9)  # W&B leaves out what goes back
    wandb.log({"a": 7}, step=11)
    wandb.finish()
    assert said == [
        (0, {"a": 1.0}),
        (1, {"a": 2.0, "b": 3.0}),
        (10, {"a": 4.0, "b": 5.0}),
        (11, {"a": 7.0}),
    ]


def test_an_interrupted_search_leaves_no_process_and_goes_on(place):
    text = """
        import sys, time
        from lrlab.sweep import report
        lr = float(sys.argv[1].partition("=")[2])
        for step in range(1, 9):
            report(step=step, loss=lr + 1 / step)
            time.sleep(0.05)
    """
    (place / "train.py").write_text(textwrap.dedent(text))
    (place / "sweep.yaml").write_text(
        "program: train.py\nmethod: random\nrun_cap: 6\nmetric: {name: loss}\n"
        "parameters: {lr: {min: 0.001, max: 1.0}}\nlrlab: {wave: 3}\n"
        "early_terminate: {type: hyperband, min_iter: 2, eta: 2}\n"
    )
    command = [sys.executable, "-m", "lrlab.cli", "sweep", "sweep.yaml", "--workers", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What runs in the background of a shell ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    began = place / "sweep.trials" / "00001" / "metrics.jsonl"
    while not (began.exists() and began.stat().st_size):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the same command goes on" in said
    left = [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(place)]
    assert [p.pid for p in left] == [os.getpid()]
    again = CliRunner().invoke(main, command[3:])
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith("6 trials: ")
    whole = carried_out(load("sweep.yaml"))
    from lrlab.sweep import open_study

    kept = trials(open_study(None, "sqlite:///sweep.db", "sweep"))
    assert [(t.params, t.outcome, t.values.tolist()) for t in kept] == [
        (t.params, t.outcome, t.values.tolist()) for t in whole
    ]


def test_equal_hyperparameters_are_run_once(place):
    text = """
        import pathlib, sys, uuid
        pathlib.Path(f"ran-{uuid.uuid4()}").touch()
        print('{"loss": %s}' % sys.argv[1].partition("=")[2])
    """
    (place / "sweep.yaml").write_text(
        "program: train.py\nmethod: random\nrun_cap: 8\nmetric: {name: loss}\n"
        "parameters: {lr: {values: [0.5, 0.25]}}\n"
    )
    (place / "train.py").write_text(textwrap.dedent(text))
    done = CliRunner().invoke(main, ["sweep", "sweep.yaml"])
    assert done.exit_code == 0, done.output
    assert "6 of them had the hyperparameters of an earlier one" in done.output
    assert len(list(place.glob("ran-*"))) == 2


def test_what_a_file_says_that_is_not_done_here_is_named_first(place):
    (place / "train.py").write_text("print('{\"loss\": 1}')")
    (place / "sweep.yaml").write_text(
        "program: train.py\nmethod: bayes\nproject: p\nrun_cap: 1\nname: n\n"
        "metric: {name: loss, target: 0.1, goal: minimize}\n"
        "parameters: {lr: {min: 0.1, max: 0.5}}\n"
    )
    first, second, third, *_ = CliRunner().invoke(main, ["sweep", "sweep.yaml"]).output.splitlines()
    assert "Left aside, since there is no server: project, name." in first
    assert "method: bayes is Optuna's Gaussian process here" in second
    assert "metric: target is not used here." in third
