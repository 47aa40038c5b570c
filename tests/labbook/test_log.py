"""The log of this laboratory, held against today's package."""

from pathlib import Path

import pytest

from lrlab.labbook.entries import log
from lrlab.labbook.entries.rerun import DRIFTED, rerun

ROOT = Path(__file__).parents[2]


def test_no_entry_was_edited_after_it_was_recorded():
    assert [entry.name for entry in log(ROOT) if not entry.unedited()] == []


# Remove the mark with the first entries of the new house: strict, so that it can't be forgotten.
@pytest.mark.xfail(strict=True, reason="the log's cells import modules by their former names")
@pytest.mark.slow
def test_two_entries_say_the_same_when_they_are_executed_again():
    """One that trains nothing, and the one that trains the fewest runs."""
    standing = [
        entry
        for entry in log(ROOT)
        if entry.superseded_by is None and entry.record["size"] == "full"
    ]
    if not standing:
        pytest.skip("the log has no entries yet")
    # What came from the store, whole or begun, took no time then, but will now.
    quickest = sorted(standing, key=cost)
    training = [entry for entry in quickest[1:] if entry.record["runs"]]
    outcomes = list(rerun(ROOT, [e.name for e in (quickest[:1] + training[:1])], progress=False))
    assert [o for o in outcomes if o.status == DRIFTED] == []
    assert len(outcomes) == 2


def cost(entry):
    record, runs = entry.record, len(entry.record["runs"])
    return runs - record.get("trained", runs), runs, record["seconds"]
