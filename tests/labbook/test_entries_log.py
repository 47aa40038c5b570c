import json

import pytest

from lrlab.labbook.entries import BadInput, find, log
from lrlab.labbook.entries._record import check, sealed, to_bytes, unedited
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


def test_a_record_that_lacks_anything_is_refused(record):
    assert len(record) > 20
    for key in record:
        with pytest.raises(ValueError, match=key):
            check({k: v for k, v in record.items() if k != key})


def test_a_record_tells_both_times_and_what_was_read(record):
    assert record["schema"] == 2
    assert record["inputs"] == []
    assert record["seconds_from_empty"] >= record["seconds"]
    assert unedited(record)


def test_a_change_of_any_field_of_a_record_is_noticed(record):
    changes = 0
    for path, value in leaves({k: v for k, v in record.items() if k != "schema"}):
        for other in other_values(value):
            assert not unedited(replaced(record, path, other)), path
            changes += 1
    assert changes > 60
    assert unedited(sealed(record | {"seconds": 1.0}))


def test_a_record_of_the_first_version_is_still_read_and_has_no_seal(record):
    new = ("record_sha256", "inputs", "seconds_from_empty")
    old = {k: v for k, v in record.items() if k not in new} | {"schema": 1}
    check(old)
    assert unedited(old)
    with pytest.raises(ValueError):
        check(old | {"inputs": []})


@pytest.mark.parametrize(
    "change",
    [
        {"size": "huge"},
        {"schema": 3},
        {"schema": True},
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
    with pytest.raises(BadInput, match=f"the record of {entry.name} is no record"):
        log(with_entry)
    entry.path.with_suffix(".json").unlink()
    with pytest.raises(BadInput, match="has no record"):
        log(with_entry)


def test_an_entry_is_found_by_name_or_path(logged):
    [entry] = log(logged)
    assert find(logged, entry.name) == find(logged, str(entry.path)) == entry
    with pytest.raises(BadInput, match=rf"did you mean {entry.name}\?"):
        find(logged, entry.name[:-1])


def leaves(value, path=()):
    """Every value in nested dicts and lists, with the way to it."""
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def other_values(value):
    if isinstance(value, str):
        return [f"{value}x", value[1:]]
    if isinstance(value, bool):
        return [not value]
    return [value + 1] if isinstance(value, int | float) else ["x"]


def replaced(value, path, other):
    if not path:
        return other
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], other)
    return changed


def add_entry(entry, name, **changes):
    entry.path.with_name(f"{name}.ipynb").write_bytes(entry.path.read_bytes())
    record = entry.record | {"entry": name} | changes
    entry.path.with_name(f"{name}.json").write_text(json.dumps(record))
    return name
