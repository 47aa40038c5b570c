"""as_torch: PyTorch gets exactly the schedule's rates, whatever happens to the states."""

import io
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from schedule_strategies import any_schedule, one_cycles
from torch.optim.lr_scheduler import LRScheduler

from lrlab.schedules import Constant, Cosine, OneCycle, StepDecay, Warmup, as_torch

SCHEDULE = Warmup(Cosine(0.3, steps=12, end_lr=0.01), warmup_steps=4)
RATIOS = (1.0, 0.1, 2.5)


def build(ratios=RATIOS, optimizer=torch.optim.SGD, **options):
    groups = [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": 0.05 * r} for r in ratios]
    return optimizer(groups, lr=0.05, **options)


def advance(optimizer, scheduler, steps):
    """Train, and return the rates that each update used, one row an update."""
    used = []
    for _ in range(steps):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.ones_like(parameter)
        seen = []
        hook = optimizer.register_step_pre_hook(
            lambda o, *_, seen=seen: seen.extend(float(g["lr"]) for g in o.param_groups)
        )
        optimizer.step()
        hook.remove()
        used.append(seen)
        scheduler.step()
    return np.array(used)


def stored(thing):
    """Return a state as it comes back from a file that is read safely."""
    file = io.BytesIO()
    torch.save(thing.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@given(any_schedule)
def test_every_update_uses_the_rate_of_its_step(schedule):
    optimizer = build(ratios=(1.0,))
    scheduler = as_torch(optimizer, schedule)
    assert isinstance(scheduler, LRScheduler)
    assert advance(optimizer, scheduler, 15)[:, 0].tolist() == schedule(np.arange(15)).tolist()
    assert scheduler.get_last_lr() == [schedule(15)]


def test_groups_keep_the_ratios_of_their_rates():
    optimizer = build()
    used = advance(optimizer, as_torch(optimizer, SCHEDULE), 20)
    rates = SCHEDULE(np.arange(20))
    assert np.array_equal(used[:, 0], rates)
    assert np.allclose(used, np.outer(rates, RATIOS), rtol=1e-15, atol=0)


# What a user may do, in any order that Python allows: the optimizer exists before its scheduler,
# and each before its state is loaded.
ORDERS = [
    order
    for order in itertools.permutations(["load optimizer", "build scheduler", "load scheduler"])
    if order.index("build scheduler") < order.index("load scheduler")
]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
@pytest.mark.parametrize(
    "schedule",
    [SCHEDULE, StepDecay(0.3, 0.5, every_steps=3), OneCycle(0.3, steps=15)],
    ids=["warmup-cosine", "step", "one-cycle"],
)
def test_a_resume_at_every_step_goes_on_with_the_same_rates(schedule, order):
    optimizer = build()
    whole = advance(optimizer, as_torch(optimizer, schedule), 20)
    for cut in range(20):
        optimizer = build()
        scheduler = as_torch(optimizer, schedule)
        advance(optimizer, scheduler, cut)
        states = stored(optimizer), stored(scheduler)

        optimizer = build()
        for action in order:
            if action == "build scheduler":
                scheduler = as_torch(optimizer, schedule)
            elif action == "load optimizer":
                optimizer.load_state_dict(states[0])
            else:
                scheduler.load_state_dict(states[1])
        assert np.array_equal(advance(optimizer, scheduler, 20 - cut), whole[cut:])


def test_a_resume_with_the_scheduler_alone_is_right_too():
    optimizer = build()
    scheduler = as_torch(optimizer, SCHEDULE)
    whole = advance(optimizer, scheduler, 7)
    state = stored(scheduler)
    rest = advance(optimizer, scheduler, 7)
    optimizer = build()
    scheduler = as_torch(optimizer, SCHEDULE)
    scheduler.load_state_dict(state)
    assert np.array_equal(advance(optimizer, scheduler, 7), rest)
    assert len(whole) == 7


@pytest.mark.parametrize("lr", [None, 0.005], ids=["default rate", "own rate"])
def test_a_group_added_later_has_its_rate_from_its_first_update_on(lr):
    optimizer = build(ratios=(1.0,))
    scheduler = as_torch(optimizer, SCHEDULE)
    advance(optimizer, scheduler, 5)
    group = {"params": [torch.nn.Parameter(torch.ones(3))]} | ({} if lr is None else {"lr": lr})
    optimizer.add_param_group(group)
    used = advance(optimizer, scheduler, 5)
    rates = SCHEDULE(np.arange(5, 10))
    assert np.allclose(used, np.outer(rates, [1.0, 1.0 if lr is None else 0.1]), rtol=1e-15)


def test_a_run_with_a_group_added_later_can_be_resumed():
    def grown(optimizer):
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(3))], "lr": 0.01})

    optimizer = build(ratios=(1.0,))
    scheduler = as_torch(optimizer, SCHEDULE)
    advance(optimizer, scheduler, 5)
    grown(optimizer)
    advance(optimizer, scheduler, 1)
    states = stored(optimizer), stored(scheduler)
    rest = advance(optimizer, scheduler, 5)
    for early in (True, False):
        optimizer = build(ratios=(1.0,))
        if early:
            grown(optimizer)
        scheduler = as_torch(optimizer, SCHEDULE)
        scheduler.load_state_dict(states[1])
        if not early:
            grown(optimizer)
        optimizer.load_state_dict(states[0])
        assert np.array_equal(advance(optimizer, scheduler, 5), rest)


def test_a_state_of_another_schedule_is_refused_unless_asked_for():
    longer = Cosine(0.3, steps=24)
    state = stored(as_torch(build(), Cosine(0.3, steps=12)))
    scheduler = as_torch(build(), longer)
    with pytest.raises(ValueError, match=r"the state is of another schedule.*'steps': 12"):
        scheduler.load_state_dict(state)
    del state["schedule"]
    scheduler.load_state_dict(state | {"last_epoch": 6})
    assert scheduler.get_last_lr()[0] == longer(6)


@given(one_cycles(), st.sampled_from([torch.optim.SGD, torch.optim.AdamW]))
def test_the_momentum_of_a_one_cycle_is_set_if_asked_for(schedule, kind):
    optimizer = build(optimizer=kind, **({"momentum": 0.5} if kind is torch.optim.SGD else {}))
    scheduler = as_torch(optimizer, schedule, momentum=True)
    for step in range(10):
        for group in optimizer.param_groups:
            momentum = group["betas"][0] if kind is torch.optim.AdamW else group["momentum"]
            assert momentum == schedule.momentum(step)
        advance(optimizer, scheduler, 1)


@given(st.integers(3, 40), st.data(), st.sampled_from(["cosine", "linear"]), st.booleans())
def test_the_momentum_of_a_one_cycle_is_the_one_of_torch(steps, data, anneal, three):
    warmup = data.draw(st.integers(1, (steps - 1) // (1 + three)))
    ours = OneCycle(0.3, steps, warmup, anneal=anneal, phases=2 + three)
    optimizer = build(ratios=(1.0,), momentum=0.5)
    peer = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=0.3,
        total_steps=steps + 1,
        pct_start=(warmup + 1) / (steps + 1),
        anneal_strategy="cos" if anneal == "cosine" else "linear",
        three_phase=three,
    )
    for step in range(steps):
        momentum = optimizer.param_groups[0]["momentum"]
        assert momentum == pytest.approx(ours.momentum(step), rel=1e-12)
        advance(optimizer, peer, 1)


def test_momentum_is_left_alone_unless_asked_for():
    optimizer = build(momentum=0.5)
    advance(optimizer, as_torch(optimizer, OneCycle(0.3, steps=10)), 3)
    assert optimizer.param_groups[0]["momentum"] == 0.5


def test_a_rate_kept_in_a_tensor_stays_that_tensor():
    rate = torch.tensor(0.05, dtype=torch.float64)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))], lr=rate, capturable=False)
    held = optimizer.param_groups[0]["lr"]
    scheduler = as_torch(optimizer, SCHEDULE)
    advance(optimizer, scheduler, 6)
    scheduler.load_state_dict(stored(scheduler))
    assert optimizer.param_groups[0]["lr"] is held
    assert held.item() == SCHEDULE(6)


@pytest.mark.parametrize(
    ("optimizer", "schedule", "momentum", "message"),
    [
        (lambda: build(ratios=(0.0, 0.0)), SCHEDULE, False, "lr must be positive, got lr=0.0"),
        (lambda: build(momentum=0.5), SCHEDULE, True, "momentum needs a OneCycle schedule"),
        (
            lambda: build(optimizer=torch.optim.Adagrad),
            OneCycle(0.1, 10),
            True,
            "momentum needs an optimizer that has it, got Adagrad",
        ),
    ],
)
def test_what_cannot_work_is_refused(optimizer, schedule, momentum, message):
    with pytest.raises(ValueError, match=message):
        as_torch(optimizer(), schedule, momentum=momentum)


def test_the_schedule_can_be_constant():
    optimizer = build(ratios=(1.0, 3.0))
    used = advance(optimizer, as_torch(optimizer, Constant(0.2)), 3)
    assert np.allclose(used, [[0.2, 0.6]] * 3, rtol=1e-15)
