"""Schedules are quick enough to be called at every step and drawn whole: in processor time."""

import time
import timeit

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


def quickest(action, number, turns):
    times = timeit.repeat(action, timer=time.process_time, number=number, repeat=turns)
    return min(times) / number


@pytest.mark.parametrize("schedule", SIMPLE + COMPOSED, ids=lambda s: type(s).__name__)
def test_a_million_steps_take_less_than_fifty_milliseconds(schedule):
    steps = np.arange(N)
    assert quickest(lambda: schedule(steps), number=1, turns=10) < 0.05


@pytest.mark.parametrize("schedule", SIMPLE, ids=lambda s: type(s).__name__)
def test_one_step_takes_less_than_three_microseconds(schedule):
    assert quickest(lambda: schedule(400_000), number=1_000, turns=20) < 3e-6
