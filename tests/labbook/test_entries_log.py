import json

import pytest

from lrlab.labbook.entries import BadInput, find, log
from lrlab.labbook.entries._record import check, schema, to_bytes
from lrlab.labbook.entries.logbook import claims_of


@pytest.fixture
def record(logged):
    return log(logged)[0].record


def test_a_record_says_what_made_the_entry(logged, record):
    assert record["parameters"]["rate"] == 0.5
    assert record["changed"] == {}
    assert (record["runs"], record["trained"]) == (["run-6"], 1)
    assert record["profile"]["name"] == "portable"
    assert record["versions"]["numpy"]
    assert (record["commit"], record["dirty"]) == (None, True)
    assert record["seconds"] > 0


@pytest.mark.parametrize("key", sorted(schema()["required"]))
def test_a_record_that_lacks_anything_is_refused(record, key):
    with pytest.raises(ValueError, match=key):
        check({k: v for k, v in record.items() if k != key})


@pytest.mark.parametrize(
    "change",
    [
        {"size": "huge"},
        {"schema": 2},
        {"entry_sha256": "abc"},
        {"runs": ["a", "a"]},
        {"supersedes": {"entry": "2026-01-01-x"}},
        {"started": "yesterday"},
        {"comment": "by hand"},
    ],
)
def test_a_record_that_does_not_fit_the_schema_is_not_written(record, change):
    with pytest.raises(ValueError):
        to_bytes(record | change)


def test_a_hand_edit_of_an_entry_shows(with_entry):
    [entry] = log(with_entry)
    assert entry.unedited()
    entry.path.write_bytes(entry.path.read_bytes().replace(b"the sum is", b"the sun is"))
    assert not entry.unedited()


def test_entries_are_listed_oldest_first_and_know_their_successor(with_entry):
    [entry] = log(with_entry)
    first = add_entry(entry, "2026-01-02-tiny", date="2026-01-02")
    older = add_entry(entry, "2026-01-01-tiny", date="2026-01-01")
    newer = add_entry(
        entry, "2026-01-03-tiny", date="2026-01-03", supersedes={"entry": first, "reason": "more"}
    )
    listed = log(with_entry)
    assert [e.name for e in listed] == [older, first, newer, entry.name]
    assert [e.superseded_by for e in listed] == [None, newer, None, None]


def test_claims_are_found_in_both_forms_of_metadata():
    outputs = [
        {"metadata": {"lrlab_claim": {"id": "a"}}},
        {"metadata": {"lrlab_claims": [{"id": "b"}, {"id": "c"}]}},
        {"output_type": "stream"},
    ]
    assert [c["id"] for c in claims_of({"cells": [{"outputs": outputs}, {}]})] == ["a", "b", "c"]


def test_an_entry_without_a_valid_record_is_an_error(with_entry):
    [entry] = log(with_entry)
    entry.path.with_suffix(".json").write_text('{"schema": 1}')
    with pytest.raises(BadInput, match=f"the record of {entry.name} is not valid"):
        log(with_entry)
    entry.path.with_suffix(".json").unlink()
    with pytest.raises(BadInput, match="has no record"):
        log(with_entry)


def test_an_entry_is_found_by_name_or_path(logged):
    [entry] = log(logged)
    assert find(logged, entry.name) == find(logged, str(entry.path)) == entry
    with pytest.raises(BadInput, match=rf"did you mean {entry.name}\?"):
        find(logged, entry.name[:-1])


def add_entry(entry, name, **changes):
    entry.path.with_name(f"{name}.ipynb").write_bytes(entry.path.read_bytes())
    record = entry.record | {"entry": name} | changes
    entry.path.with_name(f"{name}.json").write_text(json.dumps(record))
    return name
