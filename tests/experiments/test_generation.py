"""What is generated with the denoising task, and how well it is recognised."""

import pytest
import torch

from lrlab import Recipe, schedules, train
from lrlab.experiments.generation import GeneratedDigits, _classifier, _recognised, _sample
from lrlab.optimizers import Adam
from lrlab.tasks.digits_diffusion import DigitsDiffusion, noise_levels

pytestmark = pytest.mark.trains

SMALL = DigitsDiffusion(width=16, blocks=1, redrawn=True)
RECIPE = Recipe(
    schedule=schedules.Constant(0.01), steps=60, batch_size=70, optimizer=Adam(), eval_every=20
)


def test_the_sampler_recovers_an_image_from_a_perfect_denoiser():
    target = SMALL.data().test[0][:10]

    class Perfect(torch.nn.Module):
        def forward(self, x, times, labels):
            alpha, sigma = noise_levels(times[:, None])
            return (x - alpha * target[labels]) / sigma

    images = _sample(Perfect(), torch.arange(10), 64, torch.Generator().manual_seed(0))
    assert torch.allclose(images, target, atol=1e-4)


def test_the_classifier_recognises_real_digits_and_not_noise():
    images, labels = SMALL.data().test
    assert _recognised(SMALL, images, labels) > 0.95
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    assert _recognised(SMALL, noise, labels) < 0.3
    assert _classifier(SMALL) is _classifier(SMALL)


def test_generated_digits_are_measured_without_touching_the_run():
    probe = GeneratedDigits(every=60, count=20, shown=10)
    run, plain = train(SMALL, RECIPE, probes=[probe]), train(SMALL, RECIPE)
    measured = run.probes["GeneratedDigits"]
    assert measured["images"].shape == (1, 10 * 64)
    assert 0 <= measured["accuracy"][0] <= 1
    assert abs(measured["images"]).max() <= 1
    assert run.loss.tobytes() == plain.loss.tobytes()
