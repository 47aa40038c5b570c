"""The denoising task: its noise, its parts, its bounds."""

import math

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import Adam
from lrlab.tasks.digits_diffusion import DigitsDiffusion, noise_levels

pytestmark = pytest.mark.trains

SMALL = DigitsDiffusion(width=16, blocks=1, redrawn=True)
RECIPE = Recipe(
    schedule=schedules.Constant(0.01), steps=60, batch_size=70, optimizer=Adam(), eval_every=20
)


def test_the_parts_share_no_image_and_hold_all_digits():
    parts = SMALL.data()
    assert sum(parts.sizes().values()) == 1797
    rows = np.concatenate([part[0].numpy() for part in (parts.train, parts.validation, parts.test)])
    assert len(np.unique(rows, axis=0)) == 1797
    assert rows.min() == -1 and rows.max() == 1
    for part in (parts.train, parts.validation, parts.test):
        assert set(part[1].tolist()) == set(range(10))


def test_noise_levels_keep_the_variance_and_end_in_pure_noise():
    alpha, sigma = noise_levels(torch.linspace(0, 1, 101))
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(101))
    assert (alpha.diff() < 0).all() and (sigma.diff() > 0).all()
    assert sigma[0] == 0 and abs(alpha[-1]) < 1e-6


def test_predicting_no_noise_costs_one():
    class NoNoise(torch.nn.Module):
        def forward(self, images, times, labels):
            return torch.zeros_like(images)

    loss = SMALL.evaluate(NoNoise(), SMALL.data().test, torch.Generator())["loss"]
    assert loss == pytest.approx(SMALL.chance_loss, abs=4 / math.sqrt(250 * 4 * 64 / 2))


def test_the_loss_is_the_squared_error_of_the_noise():
    images, labels = (part[:5] for part in SMALL.data().train)
    torch.manual_seed(0)
    model = SMALL.model()
    loss = SMALL.loss(model, (images, labels), torch.Generator().manual_seed(7))
    same = torch.Generator().manual_seed(7)
    times = torch.rand(5, generator=same)
    noise = torch.randn(5, 64, generator=same)
    noisy = torch.stack(
        [
            math.cos(math.pi / 2 * t) * x + math.sin(math.pi / 2 * t) * e
            for x, t, e in zip(images, times.tolist(), noise, strict=True)
        ]
    )
    direct = ((model(noisy, times, labels) - noise) ** 2).sum() / (5 * 64)
    assert loss.item() == pytest.approx(direct.item(), rel=1e-5)


def test_fixed_noise_gives_one_loss_and_redrawn_noise_gives_another_each_time():
    torch.manual_seed(0)
    model, part = SMALL.model(), SMALL.data().validation
    first, second = (SMALL.evaluate(model, part, torch.Generator().manual_seed(s)) for s in (1, 2))
    assert first["loss"] == second["loss"]
    assert first["redrawn_loss"] != second["redrawn_loss"]
    assert first["redrawn_loss"] == pytest.approx(first["loss"], rel=0.3)


def test_redrawing_the_evaluation_noise_leaves_the_training_as_it_is():
    fixed = train(DigitsDiffusion(width=16, blocks=1), RECIPE)
    both = train(SMALL, RECIPE)
    assert fixed.loss.tobytes() == both.loss.tobytes()
    assert fixed.evals["test_loss"].tobytes() == both.evals["test_loss"].tobytes()
    assert "test_redrawn_loss" in both.evals and "test_redrawn_loss" not in fixed.evals


def test_training_lowers_the_loss_on_all_parts():
    run = train(SMALL, RECIPE)
    for part in ("train", "validation", "test"):
        start, *_, end = run.evals[f"{part}_loss"]
        assert end < 0.9 * start


def test_held_norms_stay_within_their_bound_and_free_ones_do_not():
    def norms(hold):
        task = DigitsDiffusion(width=16, blocks=1, hold_norms=hold)
        run = train(task, RECIPE.replace(schedule=schedules.Constant(0.05), steps=100), until=99)
        weights = run.checkpoint.state["model"]
        model = task.model()
        model.load_state_dict(weights)
        model.train()
        model(torch.zeros(1, 64), torch.zeros(1), torch.zeros(1, dtype=torch.long))
        return {k: v.norm().item() for k, v in model.state_dict().items() if "weight" in k}, weights

    held, state = norms(1.2)
    for name, norm in held.items():
        assert norm <= state[name.replace("weight", "bound")].item() * (1 + 1e-5)
    free, _ = norms(None)
    assert all(free[name] > held[name] for name in free)


def test_a_bound_that_is_never_reached_changes_nothing():
    free = train(DigitsDiffusion(width=16, blocks=1), RECIPE)
    held = train(DigitsDiffusion(width=16, blocks=1, hold_norms=1e6), RECIPE)
    assert free.loss.tobytes() == held.loss.tobytes()


def test_the_larger_digits_have_the_same_form():
    task = tasks.get("digits_diffusion", source="mnist", n_train=200, width=32)
    images, labels = task.data().train
    assert images.shape == (200, 784) and labels.shape == (200,)
    assert images.min() == -1 and images.max() == 1
    out = task.model()(images, torch.rand(200), labels)
    assert out.shape == images.shape


def test_the_stated_size_is_the_size():
    assert sum(p.numel() for p in DigitsDiffusion().model().parameters()) == 52_928


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_train": 1401},
        {"n_train": 0},
        {"source": "letters"},
        {"width": 0},
        {"blocks": 1.5},
        {"hold_norms": 0.0},
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_their_value(arguments):
    [(name, value)] = arguments.items()
    with pytest.raises(ValueError, match=f"{name}.*{value}"):
        tasks.get("digits_diffusion", **arguments)
