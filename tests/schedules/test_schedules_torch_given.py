"""as_torch and its step: what is a metric, and what is no metric, step, schedule or state."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_schedules_torch_loops import SCHEDULE, advance, plateau, sgd
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau, SequentialLR, StepLR

from lrlab.schedules import Constant, Cosine, as_torch
from lrlab.schedules.controllers import AfterWarmup, ReduceOnPlateau


@settings(max_examples=40)
@given(
    st.lists(st.integers(-3, 3) | st.floats(-3, 3), max_size=15),
    st.sampled_from([lambda x: x, np.float64, torch.tensor, lambda x: torch.tensor([x])]),
    st.booleans(),
    st.sampled_from([{}, {"mode": "max", "cooldown": 1}, {"threshold_mode": "abs"}]),
)
def test_metrics_given_to_step_make_the_rates_of_the_plateau_of_torch(losses, kind, named, options):
    options = {"factor": 0.5, "patience": 1} | options
    ours, theirs = sgd(0.1, 0.01), sgd(0.1, 0.01)
    scheduler = as_torch(ours, ReduceOnPlateau(0.1, **options))
    peer = ReduceLROnPlateau(theirs, eps=0, **options)
    for loss in losses:
        value = kind(loss)
        (scheduler.step(metrics=value) if named else scheduler.step(value))
        peer.step(value)
        rates = [one["lr"] for one in ours.param_groups]
        assert rates == pytest.approx([one["lr"] for one in theirs.param_groups], rel=1e-6)
        assert scheduler.get_last_lr() == rates
    assert scheduler.last_epoch == 0


def test_metrics_and_updates_are_told_apart_behind_a_warmup():
    optimizer = sgd(0.1)
    controller = AfterWarmup(ReduceOnPlateau(0.1, factor=0.5, patience=0), warmup_steps=2)
    scheduler = as_torch(optimizer, controller)
    scheduler.step(7)  # in the warmup it does not count
    assert advance(optimizer, scheduler, 3) == [[0.0], [0.05], [0.1]]
    for loss in (1, 2, 3):
        scheduler.step(loss)
    assert scheduler.last_epoch == 3
    assert advance(optimizer, scheduler, 2) == [[0.025], [0.025]]


def test_a_plateau_that_waits_in_a_sequence_counts_metrics_from_its_turn_on():
    optimizer = sgd(0.1)
    later = as_torch(optimizer, ReduceOnPlateau(0.1, factor=0.5, patience=0))
    first = as_torch(optimizer, Constant(0.2))
    scheduler = SequentialLR(optimizer, [first, later], milestones=[2])
    for loss in (1, 0, 2.0):
        later.step(loss)
    assert advance(optimizer, scheduler, 3) == [[0.2], [0.2], [0.1]]
    for loss in (1, 2):
        later.step(loss)
    assert advance(optimizer, scheduler, 2) == [[0.05], [0.05]]


def stays(optimizer, scheduler, call, message):
    before = scheduler.state_dict(), [one["lr"] for one in optimizer.param_groups]
    with pytest.raises(ValueError, match=message):
        call()
    assert (scheduler.state_dict(), [one["lr"] for one in optimizer.param_groups]) == before


@pytest.mark.parametrize("given", [torch.ones(2), np.ones(3), {"loss": 1.0}, [1.0], "low"])
def test_what_is_no_metric_is_refused_and_nothing_changes(given):
    optimizer = sgd(0.1)
    scheduler = as_torch(optimizer, plateau())
    for show in (scheduler.step, scheduler.observe, lambda x: scheduler.step(metrics=x)):
        stays(optimizer, scheduler, lambda show=show: show(given), "a metric is one number, got")


@pytest.mark.parametrize("given", [0.7, 2.0, torch.tensor(0.7), torch.tensor(93), -1, True, "1"])
@pytest.mark.parametrize("schedule", [SCHEDULE, [SCHEDULE]])
def test_what_is_no_step_is_refused_by_a_schedule_and_nothing_changes(schedule, given):
    optimizer = sgd(0.1)
    scheduler = as_torch(optimizer, schedule)
    advance(optimizer, scheduler, 2)
    stays(optimizer, scheduler, lambda: scheduler.step(given), "step counts updates, got")
    stays(optimizer, scheduler, lambda: scheduler.step(metrics=1.0), "observes nothing")


@pytest.mark.filterwarnings("ignore:The epoch parameter", "ignore:Detected call")
@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_a_step_that_is_given_is_gone_to_and_stays_a_plain_number(kind):
    scheduler = as_torch(sgd(0.1), SCHEDULE)
    scheduler.step(kind(5))
    assert scheduler.get_last_lr() == [SCHEDULE(5)]
    assert json.loads(json.dumps(scheduler.state_dict())) == scheduler.state_dict()


@pytest.mark.parametrize(
    "given",
    [
        *(lambda t: 0.1, 0.1, None, "cosine", [], [lambda t: 0.1], Cosine, {"schedule": "Cosine"}),
        *([0.1, 0.01], [Cosine(0.1, 9), plateau()], np.ones(3)),
        StepLR(sgd(0.1), 3),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_way_to_one(given):
    with pytest.raises(ValueError, match="needs a schedule, a controller, or a list of schedules"):
        as_torch(sgd(0.1), given)


def emptied():
    optimizer = sgd(0.1)
    optimizer.param_groups.clear()
    return optimizer


@pytest.mark.parametrize(
    "wrong", [Constant(0.1), [sgd(0.1)], None, torch.optim.SGD, nn.Linear(2, 1), emptied()]
)
def test_what_is_no_optimizer_is_refused(wrong):
    with pytest.raises(ValueError, match="needs a torch optimizer first"):
        as_torch(wrong, Constant(0.1))


@pytest.mark.parametrize(
    "state",
    [
        *({}, None, [], {"last_epoch": None}, {"last_epoch": 2.5}, {1: 2}),
        *(sgd(0.1).state_dict(), nn.Linear(2, 1).state_dict()),
        {"model": {}, "scheduler": {"last_epoch": 3}},
    ],
)
def test_what_is_no_state_is_refused_and_nothing_changes(state):
    optimizer = sgd(0.1)
    scheduler = as_torch(optimizer, SCHEDULE)
    advance(optimizer, scheduler, 2)
    stays(optimizer, scheduler, lambda: scheduler.load_state_dict(state), "no scheduler's state")
