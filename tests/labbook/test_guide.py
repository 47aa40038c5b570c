"""The guide's worked example runs as it is printed."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from lrlab.labbook.cli import main
from lrlab.labbook.entries import consistency

ROOT = Path(__file__).parents[2]


def test_worked_example_of_the_guide_becomes_an_entry(tmp_path, monkeypatch):
    lab, look = tmp_path / "lab", tmp_path / "look"
    (lab / "notebooks").mkdir(parents=True)
    (lab / "_toc.yml").touch()
    shutil.copy(ROOT / "book/guide/worked_example.py", lab / "notebooks")
    monkeypatch.chdir(lab)
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "store"))

    done = CliRunner().invoke(
        main, ["run", "worked_example", "--smoke", "--out", str(look)], catch_exceptions=False
    )

    assert done.exit_code == 0, done.output
    [record] = look.glob("*.json")
    assert json.loads(record.read_text())["size"] == "smoke"
    entry = json.loads(record.with_suffix(".ipynb").read_text())
    printed = entry["cells"][-2]["outputs"][0]["data"]["text/plain"]
    assert "decay-ends-lower  n=2  inconclusive" in "".join(printed)
    [claim] = entry["cells"][-2]["outputs"][0]["metadata"]["lrlab_claims"]
    assert consistency.of_delta(claim) == []


def test_worked_example_refuses_a_rate_that_makes_no_sense(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").touch()
    shutil.copy(ROOT / "book/guide/worked_example.py", tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "worked_example", "-p", "peak_lr", "-1"])
    assert done.exit_code == 2
    assert "peak_lr must be above 0, got -1.0" in done.output
    assert not (tmp_path / "book").exists()


FINDING = (ROOT / "book/guide/finding_a_rate.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", FINDING, re.DOTALL)


@pytest.fixture(scope="module")
def names():
    """What the first block of the page has defined, as it is printed."""
    found: dict = {}
    with torch.random.fork_rng():
        exec(BLOCKS[0], found)
    return found


def test_example_of_finding_a_rate_runs_as_it_is_printed(names):
    result = names["result"]
    assert result.band.low.lr < result.suggest().lr < result.band.high.lr
    for rule in re.findall(r'`(?:result\.suggest\()?"([a-z-]+)"', FINDING):
        assert result.suggest(rule).rule
    assert result.steps <= 800


def test_what_the_example_prints_is_what_the_page_says(names):
    """Its words, and its numbers but for the last digits, which are another processor's."""
    [shown] = re.findall(r"```text\n(range test.*?)```", FINDING, re.DOTALL)
    printed = str(names["result"])
    number = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")
    assert number.sub("#", shown.strip()) == number.sub("#", printed)
    said = [float(one) for one in number.findall(shown)]
    assert said == pytest.approx([float(one) for one in number.findall(printed)], rel=0.05)


def test_entries_that_the_guide_executes_again_are_in_the_log():
    text = (ROOT / "book/guide/rerunning.md").read_text("utf-8")
    named = re.findall(r"lrlab rerun (\d\S+)", text)
    assert named and all((ROOT / f"book/log/{name}.ipynb").is_file() for name in named)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_all_other_lines_of_finding_a_rate_run_as_they_are_printed(names, capsys):
    apart = ("from_lightning(", "from_trainer(")  # tests/peers runs these
    names = dict(names)
    for code in BLOCKS[1:]:
        if not any(door in code for door in apart):
            exec(code, names)
    assert str(names["result"].suggest()) in capsys.readouterr().out
    interval = names["result"].suggest().interval
    assert interval.high / interval.low <= 3
    assert names["scheduler"].get_last_lr()[0] == pytest.approx(names["lr"] / 100)
