"""Schedules against the libraries themselves, over parameters drawn by Hypothesis."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import VERSIONS, rates
from peer_forms import (
    FORMS,
    GOLDEN_CASES,
    PAIRS,
    TOLERANCE,
    compared_steps,
    errors,
    fill,
    our_schedule,
    placeholders,
    read_golden,
    write_golden,
)

CASES = {pair: [] for pair in PAIRS}
STORED = read_golden()[0] if GOLDEN_CASES.exists() else {}
parts = st.floats(0.001, 1.0)


@st.composite
def parameters(draw, form):
    """Draw values for a form's placeholders that make sense together."""
    names = placeholders(form)
    schedule = FORMS[form]["schedule"]
    peak = draw(st.floats(1e-4, 2.0))
    steps = draw(st.integers(5, 60))
    third = st.integers(1, max(1, (steps - 1) // 3))
    start = peak * draw(parts)
    grows = "growth" in names  # then many short cycles, to meet those that a logarithm misplaces
    ceiling = start if schedule == "OneCycle" else peak * 0.99
    drawn = {
        "peak_lr": st.just(peak),
        "steps": st.just(steps),
        "start_lr": st.just(start),
        "end_lr": parts.map(lambda part: ceiling * part),
        "base_lr": parts.map(lambda part: peak * part),
        "warmup_steps": third,
        "cooldown_steps": third,
        "boundary": st.integers(1, 20),
        "gamma": st.floats(0.1, 1.0),
        "every_steps": st.integers(1, 20),
        "milestones": st.sets(st.integers(1, 55), min_size=1, max_size=4).map(sorted),
        "power": st.floats(0.3, 3.0),
        "timescale_steps": st.integers(1, 100),
        "cycle_steps": st.integers(1, 2 if grows else 12),
        "cycles": st.integers(1, 6 if grows else 4),
        "growth": st.integers(2, 3),
        "decay": st.floats(0.5, 1.0),
        "up_steps": st.integers(1, 20),
        "down_steps": st.integers(1, 20),
        "mode": st.sampled_from(["triangular", "triangular2"]),
        "cooldown": st.sampled_from(["linear", "cosine", "1-sqrt"]),
        "lower": st.floats(-9.0, -2.0),
        "upper": st.floats(1.0, 5.0),
    }
    return {name: draw(drawn[name]) for name in names}


@pytest.mark.parametrize(("form", "library"), PAIRS, ids=str)
def test_the_schedule_has_the_rates_of_the_library(form, library):
    @settings(max_examples=20, derandomize=True, deadline=None, database=None)
    @given(parameters(form))
    def compare(values):
        n = compared_steps(form, library, our_schedule(form, values))
        code = fill(FORMS[form][library]["code"], values)
        theirs = rates(library, code, values["peak_lr"], n)
        error, _ = errors(form, library, values, theirs)
        assert error.max() <= TOLERANCE[library], code
        if all(values != seen for seen, _ in CASES[form, library]):
            CASES[form, library].append((values, theirs))

    compare()


@pytest.mark.parametrize(("form", "library"), PAIRS, ids=str)
def test_the_library_still_has_the_rates_that_are_stored(form, library):
    for values, stored in STORED.get((form, library), []):
        code = fill(FORMS[form][library]["code"], values)
        theirs = rates(library, code, values["peak_lr"], len(stored))
        gap = np.abs(stored - theirs).max() / values["peak_lr"]
        assert gap <= TOLERANCE[library], "the library has changed: make golden"


def test_the_stored_values_are_of_these_pairs_and_versions():
    """Or store them, if asked to: this is the end of `make golden`.

    Which cases are drawn depends on the whole source, from which Hypothesis takes numbers, so that
    the stored ones are cases of their day; each of them is held against the library above.
    """
    if os.environ.get("LRLAB_GOLDEN") == "write":
        write_golden(CASES, VERSIONS)
    stored, versions = read_golden()
    assert versions == VERSIONS
    assert stored.keys() == set(PAIRS)
    assert min(len(cases) for cases in stored.values()) >= 10
