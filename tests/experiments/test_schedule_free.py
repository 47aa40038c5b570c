"""Schedule-free optimizers in the training loop, held against the recursion of their paper."""

import importlib.metadata

import numpy as np
import pytest
import torch
from torch.nn import functional

from lrlab import Recipe, tasks, train
from lrlab.experiments.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from lrlab.randomness import fork_rng, generator, stream_seed
from lrlab.schedules import Constant, Warmup
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._fingerprint import sources

TASK = tasks.get("mnist1d", n_train=64)
STEPS = 12


def recipe(optimizer, **changes):
    schedule = changes.pop("schedule", Constant(0.3))
    return Recipe(schedule=schedule, steps=STEPS, batch_size=16, optimizer=optimizer, **changes)


def slow_and_obvious(of):
    """Train with x, y and z apart, as the paper writes them; return the losses at y and at x."""
    with fork_rng():
        torch.manual_seed(stream_seed(of.seed, "initialisation"))
        model = TASK.model()
    names = [name for name, _ in model.named_parameters()]
    x = {name: p.detach().double() for name, p in model.named_parameters()}
    z, v = dict(x), {name: torch.zeros_like(p) for name, p in x.items()}
    batches = TASK.batches(of.batch_size, generator(of.seed, "order"))
    sgd = isinstance(of.optimizer, ScheduleFreeSGD)
    beta = of.optimizer.momentum if sgd else of.optimizer.betas[0]
    decay, losses, weights = of.optimizer.weight_decay, [], []

    def loss_at(point, inputs, labels):
        logits = torch.func.functional_call(model.double(), point, (inputs.double(),))
        return functional.cross_entropy(logits, labels)

    for step in range(of.steps):
        lr = float(of.schedule(step))
        weights.append(max([lr, *(w**0.5 for w in weights)]) ** 2)
        y = {n: ((1 - beta) * z[n] + beta * x[n]).requires_grad_() for n in names}
        loss = loss_at(y, *next(batches))
        losses.append(loss.item())
        share = weights[-1] / sum(weights) if sum(weights) else 0.0
        for name, g in zip(names, torch.autograd.grad(loss, y.values()), strict=True):
            if not sgd:
                beta2 = of.optimizer.betas[1]
                v[name] = beta2 * v[name] + (1 - beta2) * g**2
                g = g / ((v[name] / (1 - beta2 ** (step + 1))).sqrt() + of.optimizer.eps)
            z[name] = z[name] - lr * (g + decay * y[name].detach())
            x[name] = (1 - share) * x[name] + share * z[name]
    return losses, loss_at(x, *TASK.data().test).item()


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [
        (ScheduleFreeSGD(), Constant(0.3)),
        (ScheduleFreeSGD(momentum=0.8, weight_decay=0.1), Warmup(Constant(0.3), warmup_steps=5)),
        (ScheduleFreeAdamW(weight_decay=0.1), Warmup(Constant(0.003), warmup_steps=5)),
    ],
)
def test_it_trains_at_y_and_is_evaluated_at_x(optimizer, schedule):
    of = recipe(optimizer, schedule=schedule)
    run = train(TASK, of)
    at_y, at_x = slow_and_obvious(of)
    np.testing.assert_allclose(run.loss, at_y, rtol=1e-4)
    assert run.evals["test_loss"][-1] == pytest.approx(at_x, rel=1e-4)


@pytest.mark.parametrize("optimizer", [ScheduleFreeSGD(), ScheduleFreeAdamW()])
def test_an_evaluation_changes_nothing_of_what_follows(optimizer):
    once, often = (train(TASK, recipe(optimizer, eval_every=every)) for every in (None, 1))
    assert np.array_equal(once.loss, often.loss)
    assert once.evals["test_loss"][-1] == often.evals["test_loss"][-1]


@pytest.mark.parametrize("optimizer", [ScheduleFreeSGD(), ScheduleFreeAdamW(weight_decay=0.1)])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(optimizer, tmp_path):
    of = recipe(optimizer, eval_every=3)
    train(TASK, of, until=5).checkpoint.save(tmp_path / "run.ckpt")
    checkpoint = Checkpoint.load(tmp_path / "run.ckpt")
    assert train(TASK, of, resume=checkpoint).same_numbers(train(TASK, of))


def test_the_version_of_the_package_belongs_to_the_key_of_a_run():
    found = sources([ScheduleFreeSGD.__module__])
    assert found["schedulefree"] == importlib.metadata.version("schedulefree")


def test_they_survive_json_and_refuse_what_makes_no_sense():
    of = recipe(ScheduleFreeAdamW(weight_decay=0.1))
    assert Recipe.from_dict(of.to_dict()) == of
    with pytest.raises(ValueError, match="momentum"):
        ScheduleFreeSGD(momentum=0.0)
    with pytest.raises(ValueError, match="betas"):
        ScheduleFreeAdamW(betas=(0.0, 0.9))
