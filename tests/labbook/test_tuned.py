"""Tuned rates: found between the points of a grid, and read from the entry that counts."""

import json

import numpy as np
import pytest

from lrlab.claims import Claim, judge
from lrlab.labbook import tuned
from lrlab.labbook.entries.logbook import log
from lrlab.training.results import Results

GRID = 0.001 * 2.0 ** np.arange(6)


@pytest.mark.parametrize("optimum", [0.0021, 0.004, 0.0077, 0.0155])
def test_the_vertex_of_a_parabola_is_found_wherever_it_lies(optimum):
    losses = 0.2 * np.exp(0.3 * np.log(GRID / optimum) ** 2)
    assert tuned.best_rate(GRID, losses) == pytest.approx(optimum)


def test_a_minimum_at_the_end_of_the_grid_is_that_point():
    assert tuned.best_rate(GRID, GRID) == GRID[0]
    assert tuned.best_rate(GRID, 1 / GRID) == GRID[-1]


@pytest.mark.parametrize("steepness", [0.05, 0.2, 0.8])
def test_the_basin_of_a_parabola_has_its_width_and_the_grid_bounds_it(steepness):
    fine = np.geomspace(0.001, 1.0, 401)
    losses = np.exp(steepness * np.log(fine / 0.03) ** 2)
    width = np.exp(2 * np.sqrt(np.log(1.05) / steepness))
    assert tuned.basin(fine, losses, 0.05) == pytest.approx(width, rel=0.01)
    assert tuned.basin(fine, np.ones(401), 0.05) == pytest.approx(1000)


def test_a_minimum_beside_a_divergence_is_that_point():
    assert tuned.best_rate(GRID, [5, 4, 3, 2, np.inf, np.nan]) == GRID[3]


def test_the_rate_lies_between_the_neighbours_of_the_lowest_point():
    losses = np.array([0.9, 0.30, 0.2999, 0.9, 1.0, 1.0])
    assert GRID[1] < tuned.best_rate(GRID, losses) < GRID[2]


@pytest.mark.parametrize(
    ("rates", "losses", "message"),
    [
        ([0.1, 0.2], [1, 2], "three or more"),
        ([0.1, 0.2, 0.3], [1, 2, 3], "equal ratios"),
        ([0.4, 0.2, 0.1], [1, 2, 3], "equal ratios"),
        ([0.1, 0.2, 0.4], [np.inf] * 3, "diverged"),
    ],
)
def test_a_grid_that_can_not_be_read_is_refused(rates, losses, message):
    with pytest.raises(ValueError, match=message):
        tuned.best_rate(rates, losses)


def put(root, name, rates, **changes):
    """Add an entry of the notebook `tiny` that carries tuned rates."""
    [first] = [e for e in log(root) if e.record["notebook"] == "tiny"][:1]
    claims = [
        Claim.descriptive(tuned.claim_id(key), "Best rate", values=values, scale="log")
        for key, values in rates.items()
    ]
    claims.append(Claim.descriptive("spread", "Spread", values=[0.25]))
    carried = [claim.to_dict() for claim in judge(claims, notebook="tiny")]
    notebook = json.loads(first.path.read_bytes())
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "lrlab_claims" in output.get("metadata", {}):
                output["metadata"]["lrlab_claims"] = carried
    first.path.with_name(f"{name}.ipynb").write_text(json.dumps(notebook))
    record = first.record | {"entry": name} | changes
    first.path.with_name(f"{name}.json").write_text(json.dumps(record))


def test_the_newest_entry_that_counts_is_read(with_entry):
    put(with_entry, "2091-01-01-tiny", {"one-cycle": [0.1, 0.4]}, date="2091-01-01")
    put(with_entry, "2092-01-01-tiny", {"one-cycle": [0.3, 0.3]}, date="2092-01-01")
    put(with_entry, "2093-01-01-tiny", {"one-cycle": [9.0]}, date="2093-01-01", size="smoke")
    put(with_entry, "2094-01-01-tiny", {"one-cycle": [9.0]}, date="2094-01-01", changed={"n": 7})
    found = tuned.read("tiny", root=with_entry)
    assert found.entry == "2092-01-01-tiny"
    assert found.rate("one-cycle") == pytest.approx(0.3)
    assert found.numbers == {"spread": 0.25}
    assert found.values["rate-one-cycle"] == (0.3, 0.3)
    named = tuned.read("tiny", "2091-01-01-tiny", root=with_entry)
    assert named.rate("one-cycle") == pytest.approx(0.2)  # the geometric mean


def test_what_is_missing_is_said(with_entry):
    with pytest.raises(ValueError, match="no full entry of other; `lrlab run other` makes one"):
        tuned.read("other", root=with_entry)
    with pytest.raises(ValueError, match="no entry 'x' of tiny"):
        tuned.read("tiny", "x", root=with_entry)
    with pytest.raises(ValueError, match="carries no tuned rate"):
        tuned.read("tiny", root=with_entry)
    put(with_entry, "2091-01-01-tiny", {"cosine": [0.1]}, date="2091-01-01")
    with pytest.raises(ValueError, match="has not tuned 'step'; it has cosine"):
        tuned.read("tiny", root=with_entry).rate("step")


def test_of_each_seed_the_rate_with_the_lowest_validation_loss_is_kept():
    class Stand:
        def __init__(self, validation):
            self.validation = validation

    losses = {("a", 0.5, 0): 2.0, ("a", 1.0, 0): 1.0, ("a", 2.0, 0): 3.0}
    losses |= {("a", 0.5, 1): 0.5, ("a", 1.0, 1): 0.7, ("a", 2.0, 1): 0.5}
    runs = Results({key: Stand(loss) for key, loss in losses.items()})
    kept = tuned.within_seeds(runs, lambda run: run.validation)
    assert list(kept) == [("a", 0), ("a", 1)]
    assert kept["a", 0] is runs["a", 1.0, 0]
    assert kept["a", 1] is runs["a", 0.5, 1]
