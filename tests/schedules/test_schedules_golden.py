"""Schedules against the values of other libraries, as they were stored by `make golden`."""

import json

import pytest
from peer_forms import FORMS, LIBRARIES, PAIRS, PARITY, TOLERANCE, errors, read_golden, table

from lrlab import schedules

CASES, VERSIONS = read_golden()


@pytest.mark.parametrize(("form", "library"), PAIRS, ids=str)
def test_the_schedule_has_the_rates_of_the_library(form, library):
    assert len(CASES[form, library]) >= 5
    for values, theirs in CASES[form, library]:
        error, _ = errors(form, library, values, theirs)
        assert error.max() <= TOLERANCE[library], (form, library, values)


def test_the_parity_table_in_the_book_follows_from_the_stored_values():
    published, now = json.loads(PARITY.read_text()), table(CASES, VERSIONS)
    assert published["versions"] == now["versions"]
    assert len(published["rows"]) == len(now["rows"]) == len(PAIRS)
    for row, again in zip(published["rows"], now["rows"], strict=True):
        # The last digits of an error are the processor's; everything else is the same.
        assert row.pop("largest_error") == pytest.approx(again.pop("largest_error"), abs=1e-14)
        assert row == again


def test_every_kind_of_schedule_has_a_peer_and_every_library_is_used():
    kinds = {name for name in schedules.__all__ if name[0].isupper()} - {"Schedule"}
    assert {form["schedule"] for form in FORMS.values()} == kinds
    assert {library for _, library in PAIRS} == set(LIBRARIES)
