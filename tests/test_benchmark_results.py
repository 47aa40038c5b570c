"""The raw results of the long benchmarks are what was measured, and the guide quotes them."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_hash_beside_the_results_is_theirs(path):
    said = path.with_suffix(".sha256").read_text().split()[0]
    assert said == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_guide_says_how_much_of_the_machine_a_sweep_uses():
    results = json.loads((ROOT / "benchmarks" / "results" / "sweep.json").read_text())
    rows = {row["name"]: row for row in results["rows"]}
    text = " ".join((ROOT / "book" / "guide" / "sweeping.md").read_text().split())
    warm, halved = rows["lrlab, warm workers"], rows["lrlab, warm workers, with a stopping rule"]
    assert warm["efficiency"] >= 0.95
    assert f"train for {100 * warm['efficiency']:.0f} % of the time" in text
    assert f"at each rung, for {100 * halved['efficiency']:.0f} %" in text
    for line, row in (
        ("`lrlab sweep`", warm),
        ("Optuna, `n_jobs=2`", rows["Optuna, n_jobs=2"]),
        ("Ray Tune", rows["Ray Tune"]),
    ):
        assert f"| {line} | {row['trials_per_minute']:.0f} |" in text


@pytest.mark.parametrize(("name", "rows"), [("minutes", 6), ("first_paint", 4)])
def test_the_guide_quotes_how_long_commands_and_pages_take(name, rows):
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", "--table"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") >= rows + 2
    assert done.stdout in (ROOT / "book" / "guide" / "validating.md").read_text(), (
        f"python benchmarks/{name}.py --table"
    )


def test_the_guide_says_how_sure_a_suggestion_is_and_how_much_larger_a_peak():
    results = json.loads(
        (ROOT / "benchmarks" / "results" / "range_test_precision.json").read_text()
    )
    text = (ROOT / "book" / "guide" / "finding_a_rate.md").read_text()
    for cell in results["cells"]:
        row = next(line for line in text.splitlines() if line.startswith(f"| {cell['cell']} |"))
        _, _, spread, covers, updates, *peaks, _ = (part.strip() for part in row.split("|"))
        assert float(spread) == round(cell["spread"], 2) < 3
        assert covers == f"{100 * cell['covers']:.0f} %" and float(updates) == cell["updates"]
        for said, found in zip(
            peaks, (cell["peaks"][k] for k in ("cosine", "one-cycle")), strict=True
        ):
            assert said.startswith(f"{found['factor']:.1f}")
        assert len(cell["suggestions"]) == 20


def test_the_guide_says_how_far_the_default_suggestions_differ():
    results = json.loads((ROOT / "benchmarks" / "results" / "range_test.json").read_text())
    given = [[lr for lr in cell["suggestions"]["pilots"] if lr] for cell in results["cells"]]
    spread = sorted(max(rates) / min(rates) for rates in given)
    text = " ".join((ROOT / "book" / "guide" / "finding_a_rate.md").read_text().split())
    assert f"is {spread[len(spread) // 2]:.1f} times the smallest by the median" in text
    assert f"{spread[-1]:.1f} times at worst" in text
