"""as_torch in the loops that people have: phases, sequences, copies, scalers, prolonged runs."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.lr_scheduler import SequentialLR

from lrlab.schedules import (
    Constant,
    Cosine,
    Linear,
    OneCycle,
    StepDecay,
    Warmup,
    WarmupStableDecay,
    as_torch,
)
from lrlab.schedules.controllers import AfterWarmup, HypergradientDescent, ReduceOnPlateau

SCHEDULE = Warmup(Cosine(0.3, steps=12, end_lr=0.01), warmup_steps=4)


def group(lr):
    return {"params": [nn.Parameter(torch.ones(1))], "lr": lr}


def sgd(*rates, **options):
    return torch.optim.SGD([group(lr) for lr in rates], lr=0.1, **options)


def advance(optimizer, scheduler, steps):
    """Train, and return the rates that each update used."""
    used = []
    for _ in range(steps):
        for one in optimizer.param_groups:
            for parameter in one["params"]:
                parameter.grad = torch.ones_like(parameter)
        used.append([float(one["lr"]) for one in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return used


# -- groups and phases ---------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.1, 3.0]), min_size=1, max_size=4).filter(any))
def test_groups_keep_their_ratios_to_the_first_positive_rate_and_zero_stays(rates):
    optimizer = sgd(*rates)
    used = advance(optimizer, as_torch(optimizer, SCHEDULE), 6)
    first = next(rate for rate in rates if rate > 0)
    assert np.allclose(used, np.outer(SCHEDULE(np.arange(6)), np.array(rates) / first), rtol=1e-12)


def test_phases_with_a_group_added_and_a_new_scheduler_while_the_old_one_is_held():
    optimizer = sgd(0.1)
    held = [as_torch(optimizer, Constant(0.1))]
    advance(optimizer, held[0], 2)
    optimizer.add_param_group(group(0.01))
    held.append(as_torch(optimizer, Constant(0.001)))
    assert np.allclose(advance(optimizer, held[1], 3), [[0.001, 0.0001]] * 3, rtol=1e-12)


def test_a_group_added_later_is_left_to_a_scheduler_of_torch_that_has_taken_it():
    optimizer = sgd(0.1)
    held = as_torch(optimizer, Constant(0.2))
    optimizer.add_param_group(group(0.01))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100)
    assert advance(optimizer, scheduler, 2)[0] == [0.2, 0.01] and held.last_epoch == 0


@settings(max_examples=30)
@given(st.floats(1e-3, 1.0), st.floats(1e-3, 1.0), st.integers(0, 8))
def test_rates_changed_between_two_schedulers_count_and_not_those_of_the_start(a, b, steps):
    optimizer = sgd(0.1, 0.1)
    advance(optimizer, as_torch(optimizer, Cosine(0.1, steps=20)), steps)
    optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = a, b
    as_torch(optimizer, Constant(0.5))
    rates = [one["lr"] for one in optimizer.param_groups]
    assert rates == pytest.approx([0.5, 0.5 * b / a], rel=1e-5)


def test_where_a_schedule_has_ended_at_zero_the_ratios_of_its_start_count():
    optimizer = sgd(0.1, 0.01)
    advance(optimizer, as_torch(optimizer, Linear(0.1, end_lr=0.0, steps=3)), 5)
    assert [one["lr"] for one in optimizer.param_groups] == [0.0, 0.0]
    as_torch(optimizer, Constant(0.2))
    assert [one["lr"] for one in optimizer.param_groups] == pytest.approx([0.2, 0.02])


def test_one_schedule_for_each_group():
    optimizer = sgd(0.1, 0.0, 7.0)
    own = [SCHEDULE, Constant(0.5), StepDecay(1.0, 0.5, every_steps=2)]
    scheduler = as_torch(optimizer, own)
    used = advance(optimizer, scheduler, 6)
    assert np.array_equal(used, np.stack([one(np.arange(6)) for one in own], axis=1))
    state = pickle.loads(pickle.dumps(scheduler.state_dict()))
    again = sgd(0.1, 0.0, 7.0)
    resumed = as_torch(again, own)
    resumed.load_state_dict(state)
    assert advance(again, resumed, 4) == advance(optimizer, scheduler, 4)
    with pytest.raises(ValueError, match="one schedule for each parameter group, got 1 for 3"):
        as_torch(optimizer, [SCHEDULE])
    with pytest.raises(ValueError, match="another schedule"):
        as_torch(sgd(1.0, 1.0, 1.0), own[::-1]).load_state_dict(state)


# -- sequences, copies, wrappers -----------------------------------------------------------------


def sequence():
    optimizer = sgd(0.1, 0.05, momentum=0.5)
    parts = [
        as_torch(optimizer, Linear(0.01, 0.1, steps=4)),
        as_torch(optimizer, OneCycle(0.1, steps=4), momentum=True),
        as_torch(optimizer, Cosine(0.1, 6)),
    ]
    return optimizer, SequentialLR(optimizer, parts, milestones=[4, 8])


@pytest.mark.parametrize("cut", range(10))
@pytest.mark.parametrize("scheduler_first", [True, False])
def test_a_sequence_is_resumed_before_between_and_behind_its_milestones(cut, scheduler_first):
    whole = advance(*sequence(), 12)
    optimizer, scheduler = sequence()
    advance(optimizer, scheduler, cut)
    states = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(scheduler.state_dict())
    optimizer, scheduler = sequence()
    if scheduler_first:
        scheduler.load_state_dict(states[1])
    optimizer.load_state_dict(states[0])
    if not scheduler_first:
        scheduler.load_state_dict(states[1])
    assert advance(optimizer, scheduler, 12 - cut) == whole[cut:]


def test_in_a_sequence_the_momentum_is_set_from_the_first_step_of_its_part():
    optimizer, scheduler = sequence()
    advance(optimizer, scheduler, 4)
    assert optimizer.param_groups[0]["momentum"] == OneCycle(0.1, steps=4).momentum(0)


@pytest.mark.parametrize("cut", [0, 1, 5])
@pytest.mark.parametrize("way", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copied_or_pickled_with_its_optimizer_it_goes_on_and_adopts_groups(cut, way):
    def grown(optimizer, scheduler):
        first = advance(optimizer, scheduler, 2)
        optimizer.add_param_group(group(0.05))
        return first + advance(optimizer, scheduler, 3)

    optimizer = sgd(0.1, 0.2)
    scheduler = as_torch(optimizer, SCHEDULE)
    advance(optimizer, scheduler, cut)
    copied, its = way((optimizer, scheduler))
    assert its.optimizer is copied
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grown(copied, its)[:2] == advance(optimizer, scheduler, 2)
    rate = SCHEDULE(cut + 2)
    assert copied.param_groups[2]["lr"] == pytest.approx(0.5 * SCHEDULE(cut + 5))
    assert rate > 0 and len(optimizer.param_groups) == 2


class Wrapper(torch.optim.Optimizer):
    """Never calls Optimizer.__init__."""

    def __init__(self, base):
        self.base = base

    param_groups = property(lambda self: self.base.param_groups)
    state = property(lambda self: self.base.state)
    defaults = property(lambda self: self.base.defaults)

    def step(self, closure=None):
        return self.base.step(closure)


def test_a_wrapper_that_never_called_the_constructor_of_optimizer():
    optimizer = Wrapper(sgd(0.1, 0.01))
    used = advance(optimizer, as_torch(optimizer, SCHEDULE), 5)
    assert np.allclose(used, np.outer(SCHEDULE(np.arange(5)), [1.0, 0.1]), rtol=1e-12)


@pytest.mark.parametrize("schedule", [SCHEDULE, ReduceOnPlateau(0.1)])
def test_an_optimizer_that_sets_its_own_rate_is_refused_in_a_sentence(schedule):
    optimizer = sgd(0.1)
    optimizer.param_groups[0]["lr"] = None
    with pytest.raises(ValueError, match=r"has lr=None: an optimizer that sets its own rate"):
        as_torch(optimizer, schedule)


# -- updates that are left out -------------------------------------------------------------------


@settings(max_examples=25)
@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_updates_that_a_scaler_leaves_out_are_not_counted(overflows):
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = as_torch(optimizer, SCHEDULE)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    used = []
    optimizer.register_step_post_hook(lambda o, *_: used.append(o.param_groups[0]["lr"]))
    for overflow in overflows:
        optimizer.zero_grad()
        scaler.scale((weight * (float("inf") if overflow else 1.0)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scheduler.step()
    assert used == SCHEDULE(np.arange(overflows.count(False))).tolist()


@pytest.mark.filterwarnings("ignore:Detected call")
def test_a_scheduler_that_is_stepped_alone_goes_on():
    scheduler, rates = as_torch(sgd(0.1), SCHEDULE), []
    for _ in range(8):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.step()
    assert rates == SCHEDULE(np.arange(8)).tolist()


# -- prolonged runs ------------------------------------------------------------------------------


def state_after(schedule, steps):
    optimizer = sgd(0.1)
    scheduler = as_torch(optimizer, schedule)
    advance(optimizer, scheduler, steps)
    return scheduler.state_dict()


@settings(max_examples=30)
@given(st.integers(1, 120), st.integers(101, 10**9))
def test_a_state_goes_on_in_another_schedule_exactly_if_its_rates_so_far_are_the_same(step, length):
    old, new = (
        WarmupStableDecay(0.1, steps=n, warmup_steps=10, cooldown_steps=10) for n in (100, length)
    )
    state = state_after(Constant(0.1), 1) | {"schedule": old.to_dict(), "last_epoch": step}
    scheduler = as_torch(sgd(0.1), new)
    if np.array_equal(old(np.arange(step + 1)), new(np.arange(step + 1))):
        scheduler.load_state_dict(state)
        assert scheduler.get_last_lr() == [new(step)]
    else:
        with pytest.raises(ValueError, match=r"another schedule.*extend=True"):
            scheduler.load_state_dict(state)


def test_a_run_is_prolonged_on_purpose_with_extend():
    state = state_after(Cosine(0.1, steps=100), 50)
    longer = Cosine(0.1, steps=200)
    with pytest.raises(ValueError, match="extend=True"):
        as_torch(sgd(0.1), longer).load_state_dict(state)
    scheduler = as_torch(sgd(0.1), longer, extend=True)
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == [longer(50)]


def test_very_long_horizons_are_resumed_at_once():
    schedule = Warmup(Cosine(0.1, steps=10**15), warmup_steps=10**6)
    state = state_after(schedule, 1) | {"last_epoch": 10**14}
    scheduler = as_torch(sgd(0.1), Warmup(Cosine(0.1, steps=10**15), warmup_steps=10**6 + 1))
    with pytest.raises(ValueError, match="another schedule"):
        scheduler.load_state_dict(state)
    scheduler = as_torch(sgd(0.1), schedule)
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == [schedule(10**14)]


# -- warmup, then plateau ------------------------------------------------------------------------


def plateau():
    return AfterWarmup(ReduceOnPlateau(0.1, factor=0.5, patience=0), warmup_steps=4)


def observed(optimizer, scheduler, losses):
    used = []
    for loss in losses:
        used += [one[0] for one in advance(optimizer, scheduler, 2)]
        scheduler.observe(loss)
    return used


def test_a_warmup_is_followed_by_a_plateau():
    optimizer = sgd(0.1, 0.01)
    scheduler = as_torch(optimizer, plateau())
    used = observed(optimizer, scheduler, [9.0, 1.0, 1.0, 1.0, 0.5])
    assert used == pytest.approx([0, 0.025, 0.05, 0.075, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    assert [one["lr"] for one in optimizer.param_groups] == pytest.approx([0.025, 0.0025])


@pytest.mark.parametrize("cut", range(5))
def test_its_state_is_resumed(cut):
    losses = [9.0, 1.0, 1.0, 1.0, 0.5]
    whole = observed(optimizer := sgd(0.1), as_torch(optimizer, plateau()), losses)
    optimizer = sgd(0.1)
    scheduler = as_torch(optimizer, plateau())
    observed(optimizer, scheduler, losses[:cut])
    again = sgd(0.1)
    resumed = as_torch(again, plateau())
    resumed.load_state_dict(scheduler.state_dict())
    assert observed(again, resumed, losses[cut:]) == whole[2 * cut :]


def test_a_training_of_the_laboratory_has_the_rates_of_the_torch_loop():
    from lrlab import Recipe, tasks, train

    controller = AfterWarmup(ReduceOnPlateau(0.1, factor=0.5, patience=0), warmup_steps=4)
    recipe = Recipe(schedule=controller, steps=14, batch_size=8, eval_every=2)
    run = train(tasks.get("mnist1d", n_train=64), recipe)
    optimizer = sgd(0.1)
    losses = run.evals["validation_loss"][1:]
    assert run.lr.tolist() == observed(optimizer, as_torch(optimizer, controller), losses)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: AfterWarmup(HypergradientDescent(0.1), 4),
            "base must be a controller of a metric",
        ),
        (lambda: AfterWarmup(plateau(), 4), "base must be a controller of a metric"),
        (lambda: AfterWarmup(ReduceOnPlateau(0.1), 0), "warmup_steps=0"),
        (lambda: AfterWarmup(ReduceOnPlateau(0.1), 4, start_lr=0.2), "start_lr=0.2"),
        (lambda: as_torch(sgd(0.1), HypergradientDescent(0.1)), "controller of a metric"),
        (lambda: as_torch(sgd(0.1), SCHEDULE).observe(1.0), "a schedule observes nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
