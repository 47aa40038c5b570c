"""Schedules are quick enough to be called at every step and drawn whole: calls are counted."""

import sys

import numpy as np
import pytest

from lrlab.schedules import Cosine, Exponential, Linear, OneCycle, StepDecay, Warmup

N = 10**6
SIMPLE = [
    Linear(0.1, end_lr=0.01, steps=N),
    StepDecay(0.1, gamma=0.5, every_steps=1_000),
    Exponential(0.1, gamma=0.99, every_steps=1_000),
    Cosine(0.1, steps=N, end_lr=0.01),
]
COMPOSED = [OneCycle(0.1, steps=N), Warmup(Cosine(0.1, steps=N), warmup_steps=1_000)]


def calls(schedule, steps):
    """The number of calls of Python and C functions that one evaluation makes."""
    number = 0

    def count(frame, event, argument):
        nonlocal number
        number += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        schedule(steps)
    finally:
        sys.setprofile(None)
    return number - 1  # sys.setprofile itself


@pytest.mark.parametrize("schedule", SIMPLE + COMPOSED, ids=lambda s: type(s).__name__)
def test_a_call_computes_hundreds_of_steps_at_once(schedule):
    assert calls(schedule, np.arange(N)) < N / 200


@pytest.mark.parametrize("schedule", SIMPLE, ids=lambda s: type(s).__name__)
def test_one_step_is_computed_without_an_array(schedule):
    assert calls(schedule, 400_000) <= 12 < calls(schedule, np.arange(10))
