"""What the handbook draws: an example of every schedule, and its options varied one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from lrlab.labbook.site.handbook._drawing import Curve, Panel
from lrlab.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSqrt,
    Join,
    Linear,
    LinearDecayToZero,
    MultiStep,
    OneCycle,
    Polynomial,
    Schedule,
    StepDecay,
    Tanh,
    Warmup,
    WarmupStableDecay,
)

STEPS = 1000
STOP = 1100  # past the horizon, where schedules hold their last rate
WARMUP = 150

_flat_then_cosine = Join([Constant(1.0), Cosine(1.0, steps=400)], boundaries=[600])

EXAMPLES: Mapping[str, Schedule] = {
    "Constant": Constant(1.0),
    "StepDecay": StepDecay(1.0, gamma=0.5, every_steps=250, steps=STEPS),
    "MultiStep": MultiStep(1.0, milestones=(500, 750), gamma=0.1, steps=STEPS),
    "Exponential": Exponential(1.0, gamma=0.7, every_steps=100, steps=STEPS),
    "Linear": Linear(1.0, end_lr=0.1, steps=STEPS),
    "LinearDecayToZero": LinearDecayToZero(1.0, steps=STEPS),
    "Polynomial": Polynomial(1.0, end_lr=0.0, steps=STEPS, power=2.0),
    "InverseSqrt": InverseSqrt(1.0, timescale_steps=100, steps=STEPS),
    "Cosine": Cosine(1.0, steps=STEPS),
    "CosineRestarts": CosineRestarts(1.0, cycle_steps=250, cycles=4),
    "OneCycle": OneCycle(1.0, steps=STEPS),
    "Cyclic": Cyclic(1.0, base_lr=0.1, up_steps=125, steps=STEPS),
    "WarmupStableDecay": WarmupStableDecay(1.0, steps=STEPS, warmup_steps=100, cooldown_steps=200),
    "Tanh": Tanh(1.0, steps=STEPS),
    "Warmup": Warmup(Cosine(1.0, steps=850), warmup_steps=WARMUP),
    "Join": _flat_then_cosine,
}

# Values of an option, or whole schedules where a value alone makes no sense.
VARIED: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "Constant": {"lr": (0.25, 0.5, 1.0)},
    "StepDecay": {"gamma": (0.25, 0.5, 0.8), "every_steps": (100, 250, 500)},
    "MultiStep": {"milestones": ((500, 750), (300, 600, 900)), "gamma": (0.1, 0.2, 0.5)},
    "Exponential": {"gamma": (0.5, 0.7, 0.9), "every_steps": (50, 100, 200)},
    "Linear": {"end_lr": (0.0, 0.1, 0.5)},
    "LinearDecayToZero": {},
    "Polynomial": {"end_lr": (0.0, 0.2), "power": (0.5, 0.9, 2.0, 4.0)},
    "InverseSqrt": {"timescale_steps": (10, 100, 1000)},
    "Cosine": {"end_lr": (0.0, 0.1, 0.5)},
    "CosineRestarts": {
        "cycle_steps": (CosineRestarts(1.0, 250, 4), CosineRestarts(1.0, 500, 2)),
        "cycles": (2, 4),
        "growth": (CosineRestarts(1.0, 250, 4), CosineRestarts(1.0, 140, 3, growth=2)),
        "decay": (1.0, 0.7),
        "end_lr": (0.0, 0.2),
    },
    "OneCycle": {
        "warmup_steps": (100, 300, 500),
        "start_lr": (0.04, 0.4),
        "end_lr": (4e-6, 4e-4, 0.04),
        "anneal": ("cosine", "linear"),
        "phases": (2, 3),
        "min_momentum": (0.85, 0.75),
        "max_momentum": (0.95, 0.9),
    },
    "Cyclic": {
        "base_lr": (0.0, 0.1, 0.5),
        "up_steps": (125, 250),
        "down_steps": (125, 375),
        "mode": ("triangular", "triangular2"),
        "gamma": tuple(
            Cyclic(1.0, 0.1, up_steps=125, mode="exp_range", gamma=g, steps=STEPS)
            for g in (0.9995, 0.997)
        ),
    },
    "WarmupStableDecay": {
        "warmup_steps": (0, 100, 300),
        "cooldown_steps": (100, 200, 500),
        "end_lr": (0.0, 0.2),
        "cooldown": ("linear", "cosine", "1-sqrt"),
        "start_lr": (0.0, 0.5),
    },
    "Tanh": {"end_lr": (0.0, 0.2), "lower": (-7.0, -3.0, -1.0), "upper": (1.0, 3.0, 6.0)},
    "Warmup": {
        "then": (
            Warmup(Cosine(1.0, steps=850), WARMUP),
            Warmup(LinearDecayToZero(1.0, steps=850), WARMUP),
            Warmup(InverseSqrt(1.0, timescale_steps=WARMUP, steps=850), WARMUP),
        ),
        "warmup_steps": (
            Warmup(Cosine(1.0, steps=950), 50),
            Warmup(Cosine(1.0, steps=850), 150),
            Warmup(Cosine(1.0, steps=600), 400),
        ),
        "start_lr": (0.0, 0.3),
        "kind": tuple(
            Warmup(Cosine(1.0, steps=600), 400, start_lr=0.01, kind=kind)
            for kind in ("linear", "exponential")
        ),
    },
    "Join": {
        "schedules": (
            _flat_then_cosine,
            Join([Constant(1.0), LinearDecayToZero(1.0, steps=400)], [600]),
        ),
        "boundaries": tuple(
            Join([Constant(1.0), Cosine(1.0, steps=STEPS - n)], [n]) for n in (300, 600)
        ),
    },
}

_LOGARITHMIC = {("OneCycle", "end_lr"), ("StepDecay", "gamma"), ("Exponential", "gamma")}
_WITHOUT_WARMUP = {"OneCycle", "WarmupStableDecay", "Warmup"}  # they rise by themselves


def panels(name: str) -> list[Panel]:
    """What the page of a schedule draws: the schedule with warmup, then each option varied.

    Args:
        name: name of the schedule.
    """
    base = EXAMPLES[name]
    found = [_panel("The schedule", {f"`{name}`": base})]
    if name not in _WITHOUT_WARMUP:
        found = [_panel("The schedule, and behind a warmup", with_warmup(base))]
    for option, variants in varied(name).items():
        momentum = option.endswith("_momentum")
        curves: dict[str, Curve] = {
            _label(option, s): s.momentum if momentum else s for s in variants
        }
        panel = _panel(f"`{option}` varied", curves, log=(name, option) in _LOGARITHMIC)
        if momentum:
            panel = dataclasses.replace(panel, ylabel="momentum", steady=False)
        found.append(panel)
    return found


def varied(name: str) -> dict[str, list[Schedule]]:
    """For each option of a schedule, the example with the option's value varied.

    Args:
        name: name of the schedule.
    """
    base = EXAMPLES[name]
    return {
        option: [
            value if isinstance(value, Schedule) else dataclasses.replace(base, **{option: value})
            for value in values
        ]
        for option, values in VARIED[name].items()
    }


def with_warmup(schedule: Schedule) -> dict[str, Schedule]:
    """A schedule as it is, and behind a linear and an exponential warmup, over as many steps."""
    behind = schedule
    if getattr(schedule, "steps", None) is not None:
        behind = dataclasses.replace(schedule, steps=schedule.steps - WARMUP)
    return {
        "alone": schedule,
        f"`Warmup(…, {WARMUP})`": Warmup(behind, WARMUP),
        f'`Warmup(…, {WARMUP}, 0.01, "exponential")`': Warmup(behind, WARMUP, 0.01, "exponential"),
    }


def _panel(title: str, curves: Mapping[str, Callable[..., Any]], log: bool = False) -> Panel:
    horizons = {getattr(curve, "horizon", None) for curve in curves.values()}
    horizon = horizons.pop() if len(horizons) == 1 else None
    return Panel(title, curves, STOP, horizon, log)


def _label(option: str, schedule: Schedule) -> str:
    if isinstance(schedule, Join):
        kinds = [type(part).__name__ for part in schedule.schedules]
        return f"`{', '.join(kinds)}` at {', '.join(map(str, schedule.boundaries))}"
    value = getattr(schedule, option)
    if isinstance(value, Schedule):
        return f"`{type(value).__name__}`"
    return f"`{option}={value!r}`".replace("'", '"')
