"""The training loop: what is recorded, that it is exact, and that nothing outside is touched."""

import multiprocessing
import os
import random
import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import SGD, Adam, AdamW
from lrlab.schedules.controllers import HypergradientDescent, ReduceOnPlateau
from lrlab.training._checkpoint import Checkpoint
from lrlab.training._stopping import EarlyStopping
from lrlab.training.probes import GradientNorm

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=256)
RECIPE = Recipe(
    schedule=schedules.Cosine(0.1, steps=24),
    steps=24,
    batch_size=32,
    optimizer=SGD(momentum=0.9),
    eval_every=6,
    seed=3,
)


def slow_and_obvious(recipe: Recipe) -> np.ndarray:
    """The batch losses by a second, separately written loop, from the same first weights."""
    model = first_weights(recipe)
    x, y = TASK.data().train
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    indices = drawn_indices(recipe)
    losses = []
    for step in range(recipe.steps):
        batch = indices[step * 32 : (step + 1) * 32]
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 + np.cos(np.pi * step / 24)) / 2
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(losses)


def first_weights(recipe: Recipe) -> nn.Module:
    from lrlab.randomness import fork_rng, stream_seed

    with fork_rng():
        torch.manual_seed(stream_seed(recipe.seed, "initialisation"))
        return TASK.model()


def drawn_indices(recipe: Recipe) -> torch.Tensor:
    from lrlab.randomness import generator

    order = generator(recipe.seed, "order")
    return torch.cat([torch.randperm(256, generator=order) for _ in range(3)])


def test_losses_equal_those_of_a_separately_written_loop():
    np.testing.assert_allclose(train(TASK, RECIPE).loss, slow_and_obvious(RECIPE), rtol=1e-6)


def test_the_rate_used_is_the_rate_recorded():
    run = train(TASK, RECIPE)
    assert np.array_equal(run.lr, RECIPE.schedule(np.arange(24)))


def test_evaluations_are_at_the_start_every_so_often_and_at_the_end():
    run = train(TASK, RECIPE.replace(steps=20, schedule=schedules.Constant(0.1)))
    assert run.evals["step"].tolist() == [0, 6, 12, 18, 20]
    assert set(run.evals) == {"step"} | {
        f"{part}_{metric}"
        for part in ("train", "validation", "test")
        for metric in ("loss", "accuracy")
    }


@pytest.mark.parametrize("optimizer", [SGD(momentum=0.9, nesterov=True), Adam(), AdamW()])
@pytest.mark.parametrize("cut", [1, 5, 6, 23])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(optimizer, cut, tmp_path):
    recipe = RECIPE.replace(optimizer=optimizer, average_decay=0.9, clip_norm=1.0)
    probes = (GradientNorm(every=2),)
    whole = train(TASK, recipe, probes=probes)
    part = train(TASK, recipe, probes=probes, until=cut)
    part.checkpoint.save(tmp_path / "run.ckpt")
    checkpoint = Checkpoint.load(tmp_path / "run.ckpt")
    for _ in range(2):  # a checkpoint may be resumed from more than once
        rest = train(TASK, recipe, probes=probes, resume=checkpoint)
        assert rest.same_numbers(whole)
    assert part.status == "partial" and rest.status == "completed"


def test_a_run_that_was_killed_goes_on_from_its_checkpoint_bit_for_bit(tmp_path):
    from lrlab.training.store import Store, run_key

    recipe = RECIPE.replace(steps=3000, schedule=schedules.Constant(0.05), eval_every=1000)
    whole = train(TASK, recipe)
    store = Store(tmp_path, checkpoint_every=40)
    kept = tmp_path / run_key(TASK, recipe)[:2]
    steps_seen = []
    for _ in range(3):
        before = len(steps_seen) and steps_seen[-1]
        process = FORK.Process(target=store.train, args=(TASK, recipe))
        with warnings.catch_warnings():  # of threads that the other process does not have
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        try:
            for _ in range(1200):  # until it has got further than the one before it
                step = checkpointed_step(kept)
                if step > before + 100 * len(steps_seen) or not process.is_alive():
                    break
                time.sleep(0.05)
            assert process.is_alive(), "the run ended before it could be killed"
        finally:
            process.kill()
            process.join()
        steps_seen.append(checkpointed_step(kept))
        assert store.get(run_key(TASK, recipe)) is None
    assert steps_seen == sorted(set(steps_seen)) and steps_seen[-1] < 3000
    assert store.train(TASK, recipe).same_numbers(whole)
    assert [path.suffix for path in kept.iterdir() if path.suffix != ".tmp"] == [".npz"]


def checkpointed_step(folder) -> int:
    files = list(folder.glob("*.ckpt")) if folder.is_dir() else []
    return Checkpoint.load(files[0]).step if files else 0


def test_a_checkpoint_is_refused_by_another_recipe():
    checkpoint = train(TASK, RECIPE, until=4).checkpoint
    with pytest.raises(ValueError, match="another task, recipe or probe"):
        train(TASK, RECIPE.replace(seed=4), resume=checkpoint)


@pytest.mark.parametrize("lr", [1e3, 1e30, 1e38])
def test_a_rate_that_is_far_too_large_is_a_result_and_not_an_error(lr):
    run = train(TASK, RECIPE.replace(schedule=schedules.Constant(lr)))
    assert run.diverged
    assert run.steps == len(run.loss) == len(run.lr) < 24
    assert not run.loss[-1] <= RECIPE.max_loss or not np.isfinite(run.grad_norm[-1])
    assert run.final("test_loss") == run.chance["loss"] == TASK.chance_loss


def test_global_generators_and_threads_are_left_as_they_were():
    torch.set_num_threads(2)
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    train(TASK, RECIPE.replace(steps=2, schedule=schedules.Constant(0.1)))
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_global_generators_do_not_change_a_run():
    first = train(TASK, RECIPE)
    torch.manual_seed(99)
    assert train(TASK, RECIPE).same_numbers(first)


def test_seeds_of_weights_and_of_order_can_be_set_apart():
    base = train(TASK, RECIPE)
    other_order = train(TASK, RECIPE.replace(order_seed=9))
    other_init = train(TASK, RECIPE.replace(init_seed=9))
    at_start = [run.evals["test_loss"][0] for run in (base, other_order, other_init)]
    assert at_start[0] == at_start[1] != at_start[2]
    assert base.loss[0] != other_order.loss[0]


def test_ratios_between_parameter_groups_scale_the_updates():
    recipe = RECIPE.replace(optimizer=SGD(), steps=1, schedule=schedules.Constant(0.1))
    moved = {}
    for ratio in (0.0, 1.0):
        run = train(TASK, recipe.replace(lr_ratios={"0.": ratio}, steps=2), until=1)
        weights = run.checkpoint.state["model"]
        moved[ratio] = {
            k: (v - w).norm().item()
            for (k, v), w in zip(
                weights.items(), first_weights(recipe).state_dict().values(), strict=True
            )
        }
    assert moved[0.0]["0.weight"] == 0 < moved[1.0]["0.weight"]
    assert moved[0.0]["2.weight"] == pytest.approx(moved[1.0]["2.weight"])


def test_a_prefix_that_fits_no_parameter_is_refused():
    with pytest.raises(ValueError, match="no parameter's name starts with 'head'"):
        train(TASK, RECIPE.replace(lr_ratios={"head": 2.0}))


def test_clipping_bounds_the_update_and_records_the_norm_before_it():
    recipe = RECIPE.replace(optimizer=SGD(), steps=2, schedule=schedules.Constant(1.0))
    run = train(TASK, recipe.replace(clip_norm=1e-3), until=1)
    weights = run.checkpoint.state["model"].values()
    start = first_weights(recipe).state_dict().values()
    length = sum((v - w).pow(2).sum() for v, w in zip(weights, start, strict=True)).sqrt().item()
    assert length == pytest.approx(1e-3, rel=1e-2)
    assert run.grad_norm[0] > 0.01


def test_the_weight_average_follows_its_recursion():
    recipe = RECIPE.replace(average_decay=0.5, steps=4, schedule=schedules.Constant(0.1))
    states = [train(TASK, recipe, until=t).checkpoint.state for t in (1, 2, 3)]
    name = "4.bias"
    mean = states[0]["model"][name]
    for state in states[1:]:
        mean = 0.5 * mean + 0.5 * state["model"][name]
    torch.testing.assert_close(states[-1]["average"][f"module.{name}"], mean)


def test_early_stopping_ends_a_run_as_stopped():
    stop = EarlyStopping("validation_loss", patience=1, min_delta=10.0)
    run = train(TASK, RECIPE, stop=stop)
    assert run.status == "stopped" and run.evals["step"].tolist() == [0, 6]


def test_gradient_norms_by_parameter_add_up_to_the_recorded_norm():
    run = train(TASK, RECIPE, probes=(GradientNorm(every=3),))
    norms = run.probes["GradientNorm"]
    assert norms["step"].tolist() == list(range(3, 25, 3))
    total = np.sqrt(sum(v**2 for k, v in norms.items() if k != "step"))
    np.testing.assert_allclose(total, run.grad_norm[2::3], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be an integer of at least 1, got steps=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"seed": -1}, "seed=-1"),
        ({"clip_norm": 0.0}, "clip_norm=0.0"),
        ({"average_decay": 1.0}, "average_decay=1.0"),
        ({"max_loss": float("nan")}, "max_loss=nan"),
        ({"lr_ratios": {"0.": -1.0}}, "'0.': -1.0"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_with_its_value(change, message):
    with pytest.raises(ValueError, match=message):
        RECIPE.replace(**change)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match=r"\[1, 256\], got batch_size=257"):
        train(TASK, RECIPE.replace(batch_size=257))


def test_a_recipe_survives_json():
    import json

    recipe = RECIPE.replace(lr_ratios={"0.": 0.5}, optimizer=AdamW(betas=(0.9, 0.95)))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert hash(recipe) == hash(Recipe.from_dict(recipe.to_dict()))


def test_the_process_environment_is_not_changed():
    before = dict(os.environ)
    train(TASK, RECIPE.replace(steps=1, schedule=schedules.Constant(0.1)))
    assert dict(os.environ) == before


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), Adam()])
def test_a_hypergradient_run_follows_its_recursion_and_resumes_bit_for_bit(optimizer):
    controller = HypergradientDescent(1e-3, beta=0.1)
    recipe = RECIPE.replace(schedule=controller, optimizer=optimizer)
    whole = train(TASK, recipe)
    assert whole.lr[0] == 1e-3 and len(set(whole.lr)) > 10
    part = train(TASK, recipe, until=7)
    assert train(TASK, recipe, resume=part.checkpoint).same_numbers(whole)


def test_a_plateau_lowers_the_rate_after_evaluations_that_do_not_improve():
    controller = ReduceOnPlateau(0.1, factor=0.5, patience=0, threshold=10.0, threshold_mode="abs")
    run = train(TASK, RECIPE.replace(schedule=controller))
    assert run.lr[[0, 11, 12, 17, 18]].tolist() == [0.1, 0.1, 0.05, 0.05, 0.025]
    assert Recipe.from_dict(RECIPE.replace(schedule=controller).to_dict()).schedule == controller


def test_without_evaluations_the_updates_are_the_same():
    never = train(TASK, RECIPE.replace(eval_every=0))
    assert never.evals == {}
    assert np.array_equal(never.loss, train(TASK, RECIPE).loss)
