"""Residual perceptrons of any depth: what is scaled by how much, held against plain arithmetic."""

import math

import pytest
import torch

from lrlab import Recipe, train
from lrlab.experiments.residual_depth import Mnist1DDepth, ResidualPerceptron
from lrlab.optimizers import SGD, Adam
from lrlab.schedules import Constant


def signals(n=5):
    return torch.randn(n, 40, generator=torch.Generator().manual_seed(1))


def by_hand(model, x, branch, norm):
    """The logits, from the weights alone and in double precision."""

    def layer(linear, h):
        return h @ linear.weight.double().T + linear.bias.double()

    def normed(h):
        centred = h - h.mean(1, keepdim=True)
        return centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() if norm else h

    h = layer(model.input, x.double())
    for block in model.blocks:
        h = h + branch * layer(block, normed(h).clamp(min=0))
    return layer(model.output, normed(h))


@pytest.mark.parametrize("norm", [False, True])
def test_the_logits_are_those_of_the_formula(norm):
    torch.manual_seed(0)
    model = ResidualPerceptron(6, 16, branch=0.3, norm=norm)
    with torch.no_grad():
        expected = by_hand(model, signals(), 0.3, norm)
        torch.testing.assert_close(model(signals()).double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("branches", "branch"), [("plain", 1.0), ("normed", 1.0), ("scaled", math.sqrt(2 / 32))]
)
def test_only_scaled_branches_shrink_with_the_depth(branches, branch):
    task = Mnist1DDepth(depth=32, width=8, branches=branches)
    assert task.model().branch == pytest.approx(branch)
    assert task.lr_ratios == {"blocks.": pytest.approx(math.sqrt(2 / 32))}


def test_at_the_base_depth_plain_and_scaled_are_one_network():
    models = []
    for branches in ("plain", "scaled"):
        torch.manual_seed(3)
        models.append(Mnist1DDepth(depth=4, base_depth=4, branches=branches).model())
    with torch.no_grad():
        assert torch.equal(models[0](signals()), models[1](signals()))


def test_scaled_branches_keep_the_size_of_the_stream_where_plain_ones_let_it_grow():
    sizes = {}
    for branches in ("plain", "scaled"):
        torch.manual_seed(0)
        model = Mnist1DDepth(depth=64, width=128, branches=branches).model()
        with torch.no_grad():
            x = first = model.input(signals(200))
            for block in model.blocks:
                x = x + model.branch * block(x.relu())
            sizes[branches] = (x.square().mean() / first.square().mean()).sqrt().item()
    # Each plain layer multiplies the mean square by about 1 + 1/6, all scaled ones by e^(1/3).
    assert sizes["plain"] > 30 and 1 < sizes["scaled"] < 2


@pytest.mark.trains
def test_depth_mup_moves_the_branches_weights_by_the_root_less_with_adam():
    task = Mnist1DDepth(depth=8, width=16, branches="scaled")
    moved = {}
    for name, ratios in (("scaled", {}), ("depth-muP", task.lr_ratios)):
        recipe = Recipe(
            schedule=Constant(1e-3),
            steps=2,
            batch_size=32,
            optimizer=Adam(),
            lr_ratios=ratios,
            eval_every=0,
        )
        states = [train(task, recipe, until=until).checkpoint.state["model"] for until in (0, 1)]
        moved[name] = {
            part: (states[1][f"{part}.weight"] - states[0][f"{part}.weight"]).abs().max().item()
            for part in ("input", "blocks.3", "output")
        }
    for part, factor in (("input", 1.0), ("blocks.3", 0.5), ("output", 1.0)):
        assert moved["depth-muP"][part] == pytest.approx(factor * moved["scaled"][part], rel=1e-3)


@pytest.mark.trains
def test_it_trains_below_guessing():
    recipe = Recipe(
        schedule=Constant(0.05), steps=60, batch_size=100, optimizer=SGD(momentum=0.9), seed=1
    )
    run = train(Mnist1DDepth(depth=4, branches="scaled"), recipe)
    assert run.final("test_loss") < 0.9 * math.log(10)


@pytest.mark.parametrize("arguments", [{"depth": 0}, {"width": 1.5}, {"branches": "wide"}])
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(ValueError, match=str(next(iter(arguments.values())))):
        Mnist1DDepth(**arguments)
