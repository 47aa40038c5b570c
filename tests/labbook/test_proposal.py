"""The workflow "Run an experiment": its one script, run here with the same inputs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from entry_maker import around, write_entry

from lrlab.claims import Claim
from lrlab.labbook import proposal
from lrlab.labbook.entries.logbook import log

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "run_experiment.py"


def effect(mean):
    return [Claim.effect("lower", "Lower", values=around(mean), direction="less", delta=0.05)]


def test_a_comment_names_the_verdicts_that_changed_and_shows_the_figures(tmp_path):
    write_entry(tmp_path, date="2030-01-01", claims=effect(-0.5))
    write_entry(tmp_path, date="2030-02-01", claims=effect(0.5))
    entries = log(tmp_path)
    said = proposal.comment(entries[-1], entries, "https://images.example/")
    assert "Beside 2030-01-01-demo: 0 of 1 claims have the same verdict." in said
    assert "`demo.lower`: supported" in said and "→ contradicted" in said
    assert "![A line.](https://images.example/2030-02-01-demo-0.png)" in said
    file = proposal.write(entries[-1], entries, tmp_path / "out")
    assert (tmp_path / "out" / "2030-02-01-demo-0.png").read_bytes()[:4] == b"\x89PNG"
    assert file.read_text() == proposal.comment(entries[-1], entries)


def test_a_first_entry_shows_its_claims(tmp_path):
    write_entry(tmp_path, claims=effect(-0.5))
    [entry] = log(tmp_path)
    assert "No entry of this notebook counts yet" in proposal.comment(entry, [entry])


def test_an_answer_comes_first(tmp_path):
    path = write_entry(tmp_path)
    notebook = json.loads(path.read_bytes())
    stored = {"text": "It falls by 4 %.", "claims": ["lower"]}
    notebook["cells"][5]["outputs"][0]["metadata"]["lrlab_answer"] = stored
    path.write_text(json.dumps(notebook))
    [entry] = log(tmp_path)
    assert "**Answer.** It falls by 4 %." in proposal.comment(entry, [entry])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("n=3 rate=0.25", 0, "comment.md"),
        ("n=3\nlabel=a b", 0, "comment.md"),
        ("m=3", 2, "has no parameter 'm'"),
        ("three", 1, "parameters must be name=value"),
    ],
)
def test_the_script_does_what_the_workflow_asks_of_it(tiny, text, code, said):
    words = [sys.executable, SCRIPT, "tiny", "--parameters", text, "--size", "smoke"]
    done = subprocess.run([*words, "--out", "proposal"], cwd=tiny, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert (tiny / "proposal" / "comment.md").exists() == (code == 0)


def test_the_workflow_only_calls_the_script_with_inputs_that_no_shell_reads():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "experiment.yml").read_text())
    steps = workflow["jobs"]["run"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert sum("run_experiment.py" in command for command in commands) == 1
    assert not any("${{" in command for command in commands), "an input would be code"
