"""Guarantees for the last iterate, against closed forms and against real functions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.experiments.last_iterate import guarantee, guarantee_curve, simple_guarantee

pytestmark = pytest.mark.trains

SHAPES = {
    "constant": lambda t, T: np.ones_like(t, dtype=float),
    "linear": lambda t, T: 1 - t / T,
    "cosine": lambda t, T: 0.5 * (1 + np.cos(np.pi * t / T)),
    "wsd": lambda t, T: np.minimum(1, (T - t) / (0.2 * T)),
}


def rates(shape, T):
    return SHAPES[shape](np.arange(1, T), T)


@pytest.mark.parametrize("T", [2, 10, 500])
def test_linear_reaches_the_lower_bound_at_the_rates_of_zamani_and_glineur(T):
    found = guarantee(rates("linear", T))
    assert found.bound == pytest.approx(1 / math.sqrt(T), rel=1e-9)
    assert found.scale == pytest.approx(1 / math.sqrt(T), rel=1e-4)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30))
def test_nothing_is_below_the_lower_bound_and_units_do_not_matter(eta):
    found = guarantee(eta)
    assert found.bound >= (1 - 1e-9) / math.sqrt(len(eta) + 1)
    scaled = guarantee([7 * rate for rate in eta])
    assert scaled.bound == pytest.approx(found.bound, rel=1e-6)


@pytest.mark.parametrize("T", [2, 10, 100, 3000])
def test_constant_is_within_the_closed_form_and_near_it(T):
    """Zamani and Glineur: below √(1 + log(N) / 4) / √(N + 1) at the best constant step."""
    closed = math.sqrt(1 + math.log(T - 1) / 4) / math.sqrt(T)
    assert 0.92 * closed < guarantee(rates("constant", T)).bound <= closed * (1 + 1e-9)


def test_the_square_of_the_factor_of_a_constant_rate_grows_by_a_quarter_of_the_logarithm():
    few, many = (T * guarantee(rates("constant", T)).bound ** 2 for T in (1000, 8000))
    assert (many - few) / math.log(8) == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_simple_form_is_never_lower(shape):
    eta = rates(shape, 200)
    with_last = np.append(eta, eta[-1])
    assert guarantee(eta).bound <= simple_guarantee(with_last).bound


def test_the_simple_form_of_a_linear_decay_by_hand():
    T = 50
    eta = np.arange(T, 0, -1.0)
    noise = (2 * T + 1) / 3 + sum(2 / (m - 1) * (2 * m + 1) / 3 for m in range(2, T + 1))
    by_hand = 2 * math.sqrt(1 / (T * (T + 1)) * noise / 2)
    assert simple_guarantee(eta).bound == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_curve_ends_at_the_guarantee_of_its_best_scale(shape):
    eta = rates(shape, 100)
    found = guarantee(eta)
    [end] = guarantee_curve(found.scale * eta, [99])
    assert end == pytest.approx(found.bound, rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_real_functions_keep_the_guarantee_at_every_step(shape, seed):
    """The largest of some linear functions and of |x|: convex, subgradients of norm at most 1."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(15, 6))
    slopes = np.vstack([slopes, -slopes])  # symmetric, so that the minimum is 0 at 0
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
    x = rng.normal(size=6)
    x /= np.linalg.norm(x)
    eta = rates(shape, 40)
    eta = guarantee(eta).scale * eta
    bounds = guarantee_curve(eta, np.arange(1, 40))
    for rate, bound in zip(eta, bounds, strict=True):
        x = x - rate * slopes[np.argmax(slopes @ x)]
        assert (slopes @ x).max() <= bound


def test_arguments_that_make_no_sense():
    with pytest.raises(ValueError, match="negative"):
        guarantee([1.0, -1.0])
    with pytest.raises(ValueError, match="all zero"):
        guarantee([0.0, 0.0])
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        guarantee_curve([1.0, 1.0], [3])
    with pytest.raises(ValueError, match="last rate"):
        simple_guarantee([1.0, 0.0])
