"""The log of this laboratory, held against today's package."""

from pathlib import Path

import pytest

from lrlab.entries import log
from lrlab.entries.rerun import DRIFTED, rerun

ROOT = Path(__file__).parents[1]


def test_no_entry_was_edited_after_it_was_recorded():
    assert [entry.name for entry in log(ROOT) if not entry.unedited()] == []


@pytest.mark.slow
def test_the_two_quickest_entries_say_the_same_when_they_are_executed_again():
    standing = [
        entry
        for entry in log(ROOT)
        if entry.superseded_by is None and entry.record["size"] == "full"
    ]
    if not standing:
        pytest.skip("the log has no entries yet")
    # What came from the store took no time then, but will now.
    quickest = sorted(standing, key=lambda e: (from_store(e.record), e.record["seconds"]))[:2]
    outcomes = list(rerun(ROOT, [entry.name for entry in quickest], progress=False))
    assert [o for o in outcomes if o.status == DRIFTED] == []
    assert len(outcomes) == len(quickest)


def from_store(record):
    runs = len(record["runs"])
    return runs - record.get("trained", runs)
