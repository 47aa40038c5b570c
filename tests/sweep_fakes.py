"""A sweep that needs no training: plans, and a trainer whose runs are formulas."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import time
from pathlib import Path

from lrlab.sweep import LogUniform, Plan, Trial, Uniform, sweep, trials
from lrlab.sweep.workers import Progress

EVALUATIONS = 16


def plan(**changes: object) -> Plan:
    """A plan of 20 trials with W&B's rule; the task is never trained."""
    made = Plan(
        task={"task": "mnist1d"},
        recipe={
            "schedule": {"schedule": "Constant", "lr": 1.0},
            "steps": 10 * EVALUATIONS,
            "eval_every": 10,
            "batch_size": 10,
        },
        space={"peak_lr": LogUniform(1e-4, 1.0), "optimizer.momentum": Uniform(0.0, 0.9)},
        trials=20,
        rule={"rule": "wandb-hyperband", "min_iter": 2, "eta": 2},
        wave=4,
    )
    return made.replace(**changes)


@dataclasses.dataclass(frozen=True)
class Formula:
    """Losses that fall towards a bowl over the rate; above 0.5 a run diverges half-way.

    Args:
        delay: longest random pause in seconds, which no seed fixes.
        diary: a file that gets a line for each call.
    """

    delay: float = 0.0
    diary: str | None = None

    def __call__(self, plan: Plan, params: dict, evaluation: int) -> Progress:
        rate, momentum = params["peak_lr"], params["optimizer.momentum"]
        if self.delay:
            time.sleep(random.SystemRandom().random() * self.delay)
        if self.diary:
            with Path(self.diary).open("a") as file:
                file.write(f"{os.getpid()} {rate!r} {evaluation}\n")
        last = EVALUATIONS // 2 if rate > 0.5 else evaluation
        floor = 1 + math.log10(rate / 0.02) ** 2 / 4 + 0.1 * (momentum - 0.6) ** 2
        values = [floor + math.exp(-k * (0.1 + rate)) for k in range(1, min(last, evaluation) + 1)]
        return Progress(
            values=tuple(values),
            steps=tuple(10 * k for k in range(1, len(values) + 1)),
            diverged=last < evaluation,
            seconds=0.01 * evaluation,
        )


def table(found: list[Trial]) -> list[tuple]:
    """What must be equal in two studies."""
    return [
        (t.number, t.params, t.outcome, t.value, t.steps.tolist(), t.values.tolist(), t.began)
        for t in found
    ]


def whole(**changes: object) -> list[tuple]:
    """The table of a study that nothing interrupted."""
    return table(trials(sweep(plan(**changes), trainer=Formula(), n_jobs=1, progress=False)))
