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


def test_the_guide_quotes_how_long_commands_take():
    done = subprocess.run(
        [sys.executable, "benchmarks/minutes.py", "--table"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") > 5
    assert done.stdout in (ROOT / "book" / "guide" / "validating.md").read_text(), (
        "python benchmarks/minutes.py --table"
    )
