"""What is likely to be a mistake in a plan, or in what came of it."""

from __future__ import annotations

import math

from lrlab.sweep import rules
from lrlab.sweep._space import IntUniform, Uniform
from lrlab.sweep.search import ENDLESS, Search
from lrlab.sweep.trial import Trial, best_of

_EDGE = 0.05  # share of a range that counts as its edge
_DECADES = 2
_FIRST = ("max_iter", "min_iter", "min_resource", "n_warmup_steps")  # decide when a rule looks


def advice(plan: Search, found: list[Trial] | None = None) -> list[str]:
    """Return what to look at, one sentence each: what it is, and what to change.

    Args:
        plan: the plan.
        found: its trials, where there are some already.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan
        >>> plan = Plan(
        ...     task={"task": "names_lm"}, space={"peak_lr": LogUniform(1e-4, 0.1)}, trials=23,
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 1000,
        ...             "eval_every": 50, "batch_size": 32},
        ...     rule={"rule": "wandb-hyperband", "min_iter": 250},
        ... )
        >>> print(advice(plan)[0])
        No run can ever be stopped: the rule first looks after 250 evaluations, and a run has 20, \
one every 50 updates. To have it look after 250 updates, set min_iter=5.
    """
    notes = list(getattr(plan, "notes", ()))
    return [*notes, *_bands(plan), *_scales(plan), *(_edges(plan, found) if found else [])]


def _bands(plan: Search) -> list[str]:
    first = rules.first_look(plan.rule, plan.judge_every)
    if first is None or first < plan.evaluations or plan.evaluations == ENDLESS:
        return []
    every = plan.step_of(1)
    sentence = (
        f"No run can ever be stopped: the rule first looks after {first} evaluations, and a run "
        f"has {plan.evaluations}, one every {every} updates."
    )
    rule = plan.rule or {}
    given = next((name for name in _FIRST if rule.get(name)), "judge_every")
    value = rule.get(given, plan.judge_every)
    if given != "judge_every" and 1 <= first // every < plan.evaluations:
        sentence += f" To have it look after {first} updates, set {given}={value // every}."
    else:
        sentence += f" Set {given} below {value}, or evaluate more often."
    return [sentence]


def _scales(plan: Search) -> list[str]:
    found = []
    for name, searched in plan.space.items():
        if type(searched) is not Uniform or searched.low <= 0:
            continue
        decades = math.log10(searched.high / searched.low)
        if decades > _DECADES:
            lowest = (searched.low * 10 - searched.low) / (searched.high - searched.low)
            found.append(
                f"{name} is drawn uniformly over {decades:.1f} decades, so that only "
                f"{100 * lowest:.2g} % of the draws fall into the lowest of them. Draw it "
                "log-uniformly."
            )
    return found


def _edges(plan: Search, found: list[Trial]) -> list[str]:
    failed = [trial for trial in found if trial.outcome == "failed"]
    sentences = []
    if failed:
        count = f"{len(failed)} trial{'s' * (len(failed) > 1)} failed"
        sentences.append(f"{count}; trial {failed[0].number}: {failed[0].reason}")
    best = best_of(found, maximizes=plan.maximizes)
    if best is None:
        return [*sentences, "No trial was completed."]
    for name, searched in plan.space.items():
        if not isinstance(searched, (Uniform, IntUniform)):
            continue
        place = searched.position(best.params[name])
        if place < _EDGE or place > 1 - _EDGE:
            end = "lower" if place < 0.5 else "upper"
            sentences.append(
                f"The best {name}, {best.params[name]:.3g}, lies at the {end} end of its range, "
                f"{searched.low:g} to {searched.high:g}. Move that end, and search again."
            )
    return sentences
