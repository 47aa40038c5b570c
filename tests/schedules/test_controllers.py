"""Controllers: rates that follow from what was observed, and from nothing else."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lrlab.schedules.controllers import HypergradientDescent, ReduceOnPlateau, from_dict

metrics = st.lists(st.floats(0.01, 100.0), min_size=1, max_size=60)
plateaus = st.builds(
    ReduceOnPlateau,
    st.floats(1e-4, 1.0),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 4),
    threshold=st.floats(0.0, 0.1),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    cooldown=st.integers(0, 3),
    mode=st.sampled_from(["min", "max"]),
    min_lr=st.just(0.0) | st.just(1e-4),
)


def run(controller, observations, state=None):
    state, lrs = state or controller.start(), []
    for observation in observations:
        state, lr = controller.update(state, observation)
        assert lr == state.lr
        lrs.append(lr)
    return state, lrs


@given(plateaus, metrics)
def test_a_plateau_gives_the_rates_of_torch(controller, values):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=controller.lr)
    peer = ReduceLROnPlateau(
        optimizer,
        mode=controller.mode,
        factor=controller.factor,
        patience=controller.patience,
        threshold=controller.threshold,
        threshold_mode=controller.threshold_mode,
        cooldown=controller.cooldown,
        min_lr=controller.min_lr,
        eps=0.0,
    )
    expected = []
    for value in values:
        peer.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    assert run(controller, values)[1] == expected


@given(plateaus, metrics, st.integers(0, 60))
def test_a_state_kept_as_json_goes_on_as_if_nothing_had_happened(controller, values, cut):
    whole = run(controller, values)
    first, lrs = run(controller, values[:cut])
    state = controller.resume(json.loads(json.dumps(first.to_dict())))
    assert state == first
    last, more = run(controller, values[cut:], state)
    assert (last, lrs + more) == whole


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_observation_that_is_not_finite_is_a_divergence_and_not_a_bad_epoch(bad):
    controller = ReduceOnPlateau(0.1, patience=0)
    state, lrs = run(controller, [1.0, bad, bad, 0.5])
    assert lrs == [0.1] * 4
    assert (state.diverged, state.diverged_at, state.updates, state.num_bad_epochs) == (
        True,
        1,
        4,
        0,
    )
    assert not run(controller, [1.0, 0.5])[0].diverged


def test_update_changes_nothing_but_what_it_returns():
    controller = ReduceOnPlateau(0.1, patience=0)
    state = controller.start()
    first, second = controller.update(state, 1.0), controller.update(state, 1.0)
    assert first == second
    assert state == controller.start()


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_a_hypergradient_grows_the_rate_along_and_shrinks_it_against_the_last_step(make, kind):
    controller = HypergradientDescent(0.1, beta=0.01, kind=kind)
    along = run(controller, [make([1.0, 2.0]), make([2.0, 4.0])])[1]
    across = run(controller, [make([1.0, 2.0]), make([-2.0, 1.0])])[1]
    against = run(controller, [make([1.0, 2.0]), make([-2.0, -4.0])])[1]
    change = 0.01 * 10 if kind == "additive" else 0.1 * 0.01
    assert along == pytest.approx([0.1, 0.1 + change])
    assert across == pytest.approx([0.1, 0.1])
    assert against == pytest.approx([0.1, max(0.0, 0.1 - change)])


def test_the_additive_hypergradient_is_the_derivative_of_the_loss_after_the_step():
    # f(w) = ½ wᵀ A w; the step w − η u changes f with η by −∇f(w − η u)·u.
    curvature, w, eta = np.array([1.0, 3.0]), np.array([1.0, -2.0]), 0.05
    u = curvature * w

    def loss(eta):
        return 0.5 * float(curvature @ (w - eta * u) ** 2)

    derivative = (loss(eta + 1e-5) - loss(eta - 1e-5)) / 2e-5
    controller = HypergradientDescent(eta, beta=1e-3, kind="additive")
    _, lrs = run(controller, [u, curvature * (w - eta * u)])
    assert lrs[1] - lrs[0] == pytest.approx(-1e-3 * derivative, rel=1e-7)


def test_a_hypergradient_brings_a_rate_that_is_far_too_small_to_the_loss_of_a_good_one():
    curvature = np.array([1.0, 0.3])

    def descend(controller, lr):
        w, state = np.array([1.0, 1.0]), controller.start() if controller else None
        for _ in range(100):
            gradient = curvature * w
            if controller:
                state, lr = controller.update(state, gradient)
            w = w - lr * gradient
        return 0.5 * float(curvature @ w**2)

    bad, good = descend(None, 1e-3), descend(None, 0.5)
    adapted = descend(HypergradientDescent(1e-3, beta=0.1), None)
    assert good < 1e-9 < 0.1 < bad
    assert adapted < 1e-6 * bad


def test_the_hypergradient_can_follow_another_direction_than_the_gradient():
    controller = HypergradientDescent(0.1, beta=0.1, kind="additive")
    g, u = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    state, _ = controller.update(controller.start(), g, u)
    assert controller.update(state, g)[1] == 0.1
    assert controller.update(state, u)[1] == pytest.approx(0.2)


def test_the_hypergradient_stays_within_its_limits():
    controller = HypergradientDescent(0.1, 1.0, "additive", min_lr=0.05, max_lr=0.2)
    up, down = np.array([1.0]), np.array([-1.0])
    assert run(controller, [up, up])[1] == [0.1, 0.2]
    assert run(controller, [up, down])[1] == [0.1, 0.05]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_a_divergence(bad):
    controller = HypergradientDescent(0.1)
    state, lrs = run(controller, [np.array([1.0]), np.array([bad]), np.array([1.0])])
    assert (lrs, state.diverged_at) == ([0.1] * 3, 1)


def test_a_zero_gradient_leaves_the_rate_alone():
    assert run(HypergradientDescent(0.1), [np.zeros(2)] * 3)[1] == [0.1] * 3


@pytest.mark.parametrize(
    "controller",
    [ReduceOnPlateau(0.1, patience=3, mode="max"), HypergradientDescent(0.2, max_lr=1.0)],
)
def test_a_controller_survives_json(controller):
    again = from_dict(json.loads(json.dumps(controller.to_dict())))
    assert again == controller and hash(again) == hash(controller)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReduceOnPlateau(0), "got lr=0"),
        (lambda: ReduceOnPlateau(0.1, factor=1), "factor must be in (0, 1), got factor=1"),
        (lambda: ReduceOnPlateau(0.1, patience=-1), "got patience=-1"),
        (lambda: ReduceOnPlateau(0.1, min_lr=0.2), "min_lr must be in [0, 0.1], got min_lr=0.2"),
        (lambda: ReduceOnPlateau(0.1, mode="down"), "got mode='down'"),
        (lambda: HypergradientDescent(0.1, beta=1), "beta must be in (0, 1), got beta=1"),
        (lambda: HypergradientDescent(0.1, max_lr=0.01), "got max_lr=0.01"),
        (lambda: from_dict({"controller": "PID"}), "got 'PID'"),
        (lambda: from_dict({"controller": "ReduceOnPlateau"}), "argument: 'lr'"),
    ],
)
def test_nonsense_is_refused_with_the_value_in_the_message(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value)
