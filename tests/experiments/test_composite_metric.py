"""The composite metric, against its formula written out, and the plan that entries share."""

import numpy as np
import pytest

from lrlab.experiments.composite_metric import cumulative, per_evaluation, weights
from lrlab.experiments.surnames import bayesian
from lrlab.sweep import advice


def test_the_metric_equals_its_formula_written_out():
    loss = np.random.default_rng(0).uniform(1, 3, 12)
    peak, near, window, kappa = 4, 2, 3, 1.1
    total, expected = 0.0, []
    means = [np.mean(loss[max(0, i - window + 1) : i + 1]) for i in range(12)]
    for i in range(12):
        rise = means[i] - means[max(0, i - 1)]
        m = -rise if abs(i + 1 - peak) <= near else loss[i]
        total += kappa**i / sum(kappa**j for j in range(12)) * m
        expected.append(total)
    found = cumulative(loss, evaluations=12, peak=peak, near=near, window=window, kappa=kappa)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    both = cumulative(
        np.stack([loss, loss[::-1]]),
        evaluations=12,
        peak=peak,
        near=near,
        window=window,
        kappa=kappa,
    )
    np.testing.assert_allclose(both[0], expected, rtol=1e-12)


def test_a_beginning_of_a_run_has_the_metric_that_the_whole_had_there():
    loss = np.linspace(3, 2, 20)
    whole = cumulative(loss, evaluations=20, peak=5, kappa=1.05)
    part = cumulative(loss[:7], evaluations=20, peak=5, kappa=1.05)
    np.testing.assert_allclose(part, whole[:7], rtol=1e-12)


def test_the_weights_sum_to_one_and_rise_by_kappa():
    w = weights(195, 1.1)
    assert w.sum() == pytest.approx(1)
    np.testing.assert_allclose(w[1:] / w[:-1], 1.1)
    assert weights(195, 0.01)[0] == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: per_evaluation([1.0], peak=0), "peak=0"),
        (lambda: per_evaluation([1.0], peak=1, near=-1), "near=-1"),
        (lambda: weights(0, 1.0), "evaluations"),
        (lambda: weights(3, 0.0), "kappa"),
        (lambda: bayesian(updates=10), "updates=10"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_shared_plan_has_nothing_to_advise_and_stops_runs():
    plan = bayesian()
    plan.check()
    assert advice(plan) == []
