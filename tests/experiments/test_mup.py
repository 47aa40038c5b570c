"""The two parametrisations of the wide perceptron, and the coordinate check."""

import math

import numpy as np
import pytest
import torch

from lrlab import Recipe, train
from lrlab.experiments.mup.coordinates import coordinate_change, width_exponent
from lrlab.experiments.mup.width_task import Mnist1DWidth
from lrlab.optimizers import Adam
from lrlab.schedules import Constant

pytestmark = pytest.mark.trains

WIDTHS = (32, 128, 512)


def wide(width, parametrisation):
    return Mnist1DWidth(width=width, parametrisation=parametrisation)


def recipe(task, seed=0, rate=2.0**-7):
    return Recipe(
        schedule=Constant(rate),
        steps=5,
        batch_size=50,
        optimizer=Adam(),
        seed=seed,
        lr_ratios=task.lr_ratios,
        eval_every=0,
    )


def test_both_are_one_training_at_the_base_width():
    standard, mup = (wide(32, name) for name in ("standard", "mup"))
    one, other = (train(task, recipe(task)) for task in (standard, mup))
    # The models multiply in different orders, and so do processors: single precision's few last
    # digits are their own.
    for name in ("loss", "grad_norm"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-5)


def test_initial_sizes_are_those_of_the_table():
    torch.manual_seed(0)
    for width in (256, 512):
        for name, output in (("standard", math.sqrt(1 / width)), ("mup", math.sqrt(1 / 32))):
            model = wide(width, name).model()
            assert model.hidden.weight.std().item() == pytest.approx(math.sqrt(2 / width), rel=0.02)
            assert model.output.weight.std().item() == pytest.approx(output, rel=0.05)
            assert not any(p.any() for n, p in model.named_parameters() if n.endswith("bias"))


def test_the_output_scale_spares_the_bias():
    model = wide(64, "mup").model()
    x = torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        plain = model(x)
        model.output.bias += 1
        assert torch.allclose(model(x), plain + 1, atol=1e-6)
        hidden = model.hidden(model.input(x).relu()).relu()
        expected = 0.5 * hidden @ model.output.weight.T + 1
        assert torch.allclose(model(x), expected, atol=1e-6)


def exponents(parametrisation, updates=2):
    changes = []
    for width in WIDTHS:
        task = wide(width, parametrisation)
        found = [coordinate_change(task, recipe(task, seed), updates) for seed in range(3)]
        changes.append({layer: np.mean([one[layer] for one in found]) for layer in found[0]})
    return {layer: width_exponent(WIDTHS, [c[layer] for c in changes]) for layer in changes[0]}


def test_in_mup_every_layer_moves_equally_far_at_every_width():
    found = exponents("mup").values()
    assert -0.2 < min(found) <= max(found) < 0.1


def test_in_the_standard_parametrisation_hidden_and_output_do():
    found = exponents("standard")
    assert abs(found["input"]) < 0.15
    assert found["hidden"] > 0.5 and found["output"] > 0.5


def test_the_first_update_of_adam_moves_the_input_layer_by_the_sum_of_its_inputs():
    task = wide(64, "standard")
    rate = 2.0**-10
    # No gradient of the input layer is exactly 0: each weight moves by the rate, up or down.
    found = coordinate_change(task, recipe(task, rate=rate), updates=1)
    x = task.data().train[0][:500]
    assert 0 < found["input"] < rate * (1 + x.abs().sum(1).square().mean().sqrt().item())


@pytest.mark.parametrize(
    "arguments", [{"width": 0}, {"width": 2.5}, {"base_width": -1}, {"parametrisation": "ntk"}]
)
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(ValueError, match=str(next(iter(arguments.values())))):
        Mnist1DWidth(**arguments)


def test_checks_that_make_no_sense():
    with pytest.raises(ValueError, match="updates=0"):
        coordinate_change(wide(8, "mup"), recipe(wide(8, "mup")), updates=0)
    with pytest.raises(ValueError, match="widths"):
        width_exponent([4, 4], [1.0, 2.0])
    with pytest.raises(ValueError, match="positive"):
        width_exponent([4, 8], [1.0, -2.0])
