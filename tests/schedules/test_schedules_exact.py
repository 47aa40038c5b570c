"""Schedules against their formulas in high precision, down to the last step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from lrlab.schedules import (
    Cosine,
    CosineRestarts,
    Exponential,
    InverseSqrt,
    Linear,
    OneCycle,
    Polynomial,
    Tanh,
    Warmup,
    WarmupStableDecay,
)

mp.dps = 60
RELATIVE = 1e-14
rates = st.floats(1e-8, 100.0)
parts = st.floats(0.0, 1.0)
horizons = st.integers(2, 10**9)


def check(schedule, formula, steps):
    for step in steps:
        exact = formula(mpf(step))
        error = abs(mpf(schedule(step)) - exact)
        assert error <= RELATIVE * abs(exact), (schedule, step, float(error / exact))


def tail(first, last):
    """Return steps at both ends of a stretch and between them."""
    near = (first, first + 1, first + 2, (first + last) // 2, last - 2, last - 1, last)
    return sorted({min(max(step, first), last) for step in near})


def half_cosine(a, b, x):
    return b + (a - b) * (1 + mp.cos(mp.pi * x)) / 2


@given(rates, horizons, parts | st.just(0.0))
def test_cosine(peak, steps, part):
    end = peak * part
    check(
        Cosine(peak, steps, end),
        lambda t: half_cosine(mpf(peak), mpf(end), t / steps),
        tail(0, steps - (end == 0)),
    )


def test_the_usual_formula_of_the_cosine_loses_its_digits_at_the_end():
    steps = 10**6
    exact = (1 + mp.cos(mp.pi * (steps - 1) / steps)) / 2
    usual = (1 + math.cos(math.pi * (steps - 1) / steps)) / 2
    assert abs(usual / exact - 1) > 1e-6
    assert abs(mpf(Cosine(1.0, steps)(steps - 1)) / exact - 1) < 1e-15


@given(rates, st.integers(1, 10**6), st.integers(1, 6), st.integers(1, 4), st.floats(0.3, 1.0))
def test_cosine_restarts(peak, first, cycles, growth, decay):
    schedule = CosineRestarts(peak, first, cycles, growth, decay)
    start, length = 0, first
    for cycle in range(cycles):
        top = mpf(peak) * mpf(decay) ** cycle

        def formula(t, top=top, start=start, length=length):
            return half_cosine(top, mpf(0), (t - start) / length)

        check(schedule, formula, tail(start, start + length - 1))
        start, length = start + length, length * growth


@given(rates, st.integers(10, 10**8), st.floats(0.1, 0.4), st.sampled_from([2, 3]))
def test_one_cycle(peak, steps, part, phases):
    w = max(1, int(part * steps))
    schedule = OneCycle(peak, steps, w, phases=phases)
    peak, start = mpf(peak), mpf(peak / 25)
    end = mpf(peak / 25 / 10_000)
    check(schedule, lambda t: half_cosine(start, peak, t / w), tail(0, w))
    if phases == 2:
        check(schedule, lambda t: half_cosine(peak, end, (t - w) / (steps - w)), tail(w, steps))
    else:
        check(schedule, lambda t: half_cosine(peak, start, (t - w) / w), tail(w, 2 * w))
        rest = steps - 2 * w
        check(schedule, lambda t: half_cosine(start, end, (t - 2 * w) / rest), tail(2 * w, steps))


@given(rates, horizons, parts)
def test_tanh(peak, steps, part):
    end = peak * part * 0.01
    check(
        Tanh(peak, steps, end),
        lambda t: end + (mpf(peak) - mpf(end)) * (1 - mp.tanh(-7 + 10 * t / steps)) / 2,
        tail(0, steps),
    )


@given(rates, rates, horizons)
def test_linear(first, last, steps):
    line = Linear(first, last, steps)
    check(line, lambda t: mpf(first) + (mpf(last) - mpf(first)) * t / steps, tail(0, steps))


@given(rates, horizons, parts, st.floats(0.1, 5.0))
def test_polynomial(peak, steps, part, power):
    end = peak * part
    check(
        Polynomial(peak, end, steps, power),
        lambda t: mpf(end) + (mpf(peak) - mpf(end)) * (1 - t / steps) ** mpf(power),
        tail(0, steps),
    )


@given(rates, st.integers(1, 10**9))
def test_inverse_sqrt(peak, scale):
    schedule = InverseSqrt(peak, scale)
    check(schedule, lambda t: mpf(peak) * mp.sqrt(scale / (scale + t)), [0, 1, scale, 10**10])


@given(rates, st.floats(0.9, 1.0), st.integers(1, 1_000))
def test_exponential(peak, gamma, every):
    check(
        Exponential(peak, gamma, every),
        lambda t: mpf(peak) * mpf(gamma) ** (t / every),
        [0, 1, every, 3 * every + 1],
    )


@given(rates, st.integers(1, 10**8), st.integers(1, 10**8), st.sampled_from(["linear", "1-sqrt"]))
def test_the_cooldown(peak, stable, cooldown, shape):
    begin, steps = stable, stable + cooldown
    schedule = WarmupStableDecay(peak, steps, 0, cooldown, cooldown=shape)

    def formula(t):
        x = (t - begin) / cooldown
        return mpf(peak) * (1 - (x if shape == "linear" else mp.sqrt(x)))

    check(schedule, formula, tail(begin, steps))


@given(rates, st.floats(1e-6, 1.0), st.integers(1, 10**8))
def test_an_exponential_warmup(peak, part, steps):
    start = peak * part
    schedule = Warmup(Linear(peak, 0.0, 10), steps, start, kind="exponential")
    ratio = mpf(peak) / mpf(start)
    check(schedule, lambda t: mpf(start) * ratio ** (t / steps), tail(0, steps))


@pytest.mark.parametrize("end", [0.0, 0.01])
def test_every_step_of_a_cosine_and_not_only_its_ends(end):
    steps = 2_000
    exact = [half_cosine(mpf(0.1), mpf(end), mpf(t) / steps) for t in range(steps)]
    rates = Cosine(0.1, steps, end)(np.arange(steps))
    assert max(abs(mpf(r) / e - 1) for r, e in zip(rates.tolist(), exact, strict=True)) < RELATIVE
