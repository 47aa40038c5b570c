"""The training loop: one loop for everything, readable from top to bottom."""

from __future__ import annotations

import functools
import json
import math
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from lrlab.randomness import fork_rng, generator
from lrlab.recipe import Recipe
from lrlab.tasks.base import Task
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._stopping import Stop
from lrlab.training.probes import Probe, StepContext
from lrlab.training.record import Run, Status
from lrlab.training.state import TrainingState, in_evaluation


def train(
    task: Task,
    recipe: Recipe,
    *,
    probes: Sequence[Probe] = (),
    stop: Stop | None = None,
    until: int | None = None,
    resume: Checkpoint | None = None,
) -> Run:
    """Train a task by a recipe and return the record of it.

    For step t = 0, 1, …: the rate η_t is computed from t (or by a controller from what it has
    observed), written to the optimizer, used for update number t + 1, and recorded with the loss
    on the batch before the update and the norm of its gradient. One thread; all randomness comes
    from the recipe's seeds through generators that the run owns. Python's, NumPy's and torch's
    global generators are left as they were.

    Args:
        task: data, model and loss.
        recipe: schedule, optimizer, number of updates, seeds.
        probes: what else is measured.
        stop: asked after each evaluation; True ends the run as ``"stopped"``.
        until: train up to this many updates only and keep a checkpoint.
        resume: go on from here. A resumed run equals an uninterrupted one bit for bit.

    Returns:
        The run. A learning rate that is too large gives a run with status ``"diverged"``, never
        an exception.

    Raises:
        ValueError: if the checkpoint belongs to another task, recipe or probe, or if `until` is
            not in [the step resumed from, recipe.steps].

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=3, batch_size=8)
        >>> run = train(tasks.get("mnist", n_train=64), recipe)
        >>> run.status, run.loss.shape
        ('completed', (3,))
    """
    identity = _identity(task, recipe, probes)
    first = resume.step if resume else 0
    last = recipe.steps if until is None else until
    if not first <= last <= recipe.steps:
        raise ValueError(f"until must be in [{first}, {recipe.steps}], got until={until}")
    if resume and resume.identity != identity:
        raise ValueError("the checkpoint belongs to another task, recipe or probe")

    began = time.perf_counter()
    with fork_rng(), task.kept():
        torch.set_num_threads(1)
        state = TrainingState(task, recipe, probes)
        if resume:
            state.load_state_dict(resume.state)
        model, optimizer, history, rate = state.model, state.optimizer, state.history, state.rate
        lrs, losses, grad_norms = history.lr, history.loss, history.grad_norm
        evaluate_at = _evaluation_steps(recipe)
        status: Status = "completed" if last == recipe.steps else "partial"
        state.to_training_mode()
        if first == 0:
            if 0 in evaluate_at:
                _evaluate(task, recipe, state, 0)
            _probe_at_start(task, state, probes)

        for step in range(first, last):
            batch = next(state.batches)
            optimizer.zero_grad()
            loss = task.loss(model, batch, state.noise)
            loss.backward()
            grad_norm = state.gradient_norm()
            lrs[step] = lr = rate.before_update(step, state.parameters)
            for group, ratio in zip(optimizer.param_groups, state.ratios, strict=True):
                group["lr"] = lr * ratio
            losses[step] = loss_value = loss.item()
            grad_norms[step] = norm_value = grad_norm.item()
            history.steps = done = step + 1
            bounded = loss_value <= recipe.max_loss and math.isfinite(loss_value + norm_value)
            if not bounded or rate.diverged:
                status = "diverged"
                break
            if recipe.clip_norm is not None:
                nn.utils.clip_grads_with_norm_(state.parameters, recipe.clip_norm, grad_norm)
            due = [probe for probe in probes if done % probe.every == 0] if probes else ()
            context = StepContext(task, model, optimizer, batch, lr, done)
            seen = [probe.before(context) for probe in due]

            state.update(functools.partial(_again, task, state, batch))

            rate.after_update(state.parameters)
            if state.average is not None:
                state.average.update_parameters(model)
            for probe, before in zip(due, seen, strict=True):
                history.measured(probe, done, probe.after(context, before))
            if done in evaluate_at:
                rate.after_evaluation(_evaluate(task, recipe, state, done))
                if stop is not None and stop(history.evals):
                    status = "stopped"
                    break

        seconds = history.seconds_before + time.perf_counter() - began
        checkpoint = None
        if until is not None and status == "partial":
            checkpoint = Checkpoint(last, identity, state.state_dict(seconds))
    return Run(
        task=identity["task"],
        recipe=recipe,
        status=status,
        chance=dict(task.chance),
        **history.arrays(),
        seconds=seconds,
        checkpoint=checkpoint,
    )


def _again(task: Task, state: TrainingState, batch: Any) -> torch.Tensor:
    """Return loss and gradients of a batch anew."""
    state.optimizer.zero_grad()
    loss = task.loss(state.model, batch, state.noise)
    loss.backward()
    return loss


def _evaluate(task: Task, recipe: Recipe, state: TrainingState, step: int) -> dict[str, float]:
    """Evaluate on all three parts; of the training part as many examples as validation has."""
    with torch.no_grad(), state.evaluating():
        return _measured(task, recipe, state, step)


def _measured(task: Task, recipe: Recipe, state: TrainingState, step: int) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if task.live:
        own: Any = task
        for prefix, model in state.models().items():
            with in_evaluation(model):
                found = own.metrics(model)
            metrics |= {f"{prefix}{name}": value for name, value in found.items()}
        state.history.evaluated(step, metrics)
        return metrics
    data = task.data()
    shown = len(data.validation[0])
    parts = {
        "train": tuple(tensor[:shown] for tensor in data.train),
        "validation": data.validation,
        "test": data.test,
    }
    for prefix, model in state.models().items():
        with in_evaluation(model):
            for part, examples in parts.items():
                noise = generator(recipe.seed, f"evaluation {part} {step}")
                for name, value in task.evaluate(model, examples, noise).items():
                    metrics[f"{prefix}{part}_{name}"] = value
    state.history.evaluated(step, metrics)
    return metrics


def _probe_at_start(task: Task, state: TrainingState, probes: Sequence[Probe]) -> None:
    context = StepContext(task, state.model, state.optimizer, None, 0.0, 0)
    for probe in probes:
        if probe.at_start:
            state.history.measured(probe, 0, probe.after(context, None))


def _evaluation_steps(recipe: Recipe) -> set[int]:
    if recipe.eval_every == 0:
        return set()
    return {*range(0, recipe.steps, recipe.eval_every or recipe.steps), recipe.steps}


def _identity(task: Task, recipe: Recipe, probes: Sequence[Probe]) -> dict[str, Any]:
    parts = {
        "task": task.to_dict(),
        "recipe": recipe.to_dict(),
        "probes": [probe.to_dict() for probe in probes],
    }
    return json.loads(json.dumps(parts))  # tuples become lists, as they would in a file
