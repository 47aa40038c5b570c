"""The log of this laboratory, held against today's package."""

import math
from pathlib import Path

import pytest

from lrlab.labbook import ledger
from lrlab.labbook.entries import Entry, log
from lrlab.labbook.entries.rerun import DRIFTED, rerun

ROOT = Path(__file__).parents[2]


def test_no_entry_was_edited_after_it_was_recorded():
    assert [entry.name for entry in log(ROOT) if not entry.unedited()] == []


def test_every_claim_holds_and_what_was_released_is_as_it_was():
    assert [str(problem) for problem in ledger.check(ROOT)] == []


@pytest.mark.slow
def test_an_entry_that_trains_nothing_says_the_same_when_it_is_executed_again():
    again([entry for entry in standing() if not entry.record["runs"]])


@pytest.mark.again
def test_an_entry_that_trains_says_the_same_when_it_is_executed_again():
    again([entry for entry in standing() if entry.record["runs"]])


def standing() -> list[Entry]:
    return [
        entry
        for entry in log(ROOT)
        if entry.superseded_by is None and entry.record["size"] == "full"
    ]


def again(entries: list[Entry]) -> None:
    """Execute the one that takes the least time."""
    if not entries:
        pytest.skip("the log has no such entry yet")
    quickest = min(entries, key=lambda e: e.record.get("seconds_from_empty") or math.inf)
    outcomes = list(rerun(ROOT, [quickest.name], progress=False))
    assert [outcome.status != DRIFTED for outcome in outcomes] == [True], outcomes
