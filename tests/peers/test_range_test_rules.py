"""The rules of other range tests, against the packages themselves on the same losses.

Each package runs its own range test, loop and all, on a model whose loss is prescribed batch by
batch. What it suggests must be what our rule says of the same rates and losses.
"""

import logging
import math

import lightning
import matplotlib
import numpy as np
import pytest
import torch
from _rival_rules import RIVALS
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab.range_test._ramp import Trace, stop_reason

matplotlib.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages and of what they import
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
STEPS, FIRST, LAST = 100, 1e-6, 10.0


def prescribed(kind: str, seed: int) -> np.ndarray:
    """Losses that are flat, fall, and rise; of all the shapes that make rules stumble."""
    rng = np.random.default_rng([seed, sum(map(ord, kind))])
    x = np.linspace(-6, 1, STEPS)
    turn, end = rng.uniform(-4, -2), rng.uniform(-1.0, 0.5)
    loss = 2.3 - rng.uniform(0.3, 2.0) / (1 + np.exp(-3 * (x - turn - 1)))
    loss = loss + np.exp(np.clip(4 * (x - end), None, 6)) * rng.uniform(0.1, 1)
    loss = loss + rng.uniform(0.01, 0.1) * rng.normal(size=STEPS)
    if kind == "nan":
        loss[rng.integers(60, 99) :] = math.nan
    if kind == "flat":
        loss = 2.3 + 0.05 * rng.normal(size=STEPS)
    if kind == "early":
        loss[20:] = 50.0 + rng.normal(size=80)
    if kind == "falling":
        loss = 2.3 - 0.015 * np.arange(STEPS) + 0.05 * rng.normal(size=STEPS)
    return loss


CASES = [(kind, seed) for kind in ("usual", "nan", "flat", "early", "falling") for seed in range(4)]


class Scripted(nn.Module):
    """A model that returns prescribed losses, one a call in training, with a gradient of 0."""

    def __init__(self, losses):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.losses, self.calls = losses, 0

    def forward(self, x):
        value = self.losses[min(self.calls, len(self.losses) - 1)]
        self.calls += 1
        return 0 * self.weight + float(value)


def trace_of(losses: np.ndarray, rates: np.ndarray) -> Trace:
    """What our loop would have recorded of these losses: it ends at the first that isn't finite."""
    bad = np.flatnonzero(~np.isfinite(losses))
    n = bad[0] + 1 if bad.size else len(losses)
    norm = np.zeros(n)
    return Trace(rates[:n], losses[:n], norm, 0, rates, stop_reason(losses[:n], norm))


def same(ours, theirs):
    if theirs is None:
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_fastai(kind, seed, tmp_path):
    from fastai.callback import schedule
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner

    losses = prescribed(kind, seed).astype(np.float32).astype(float)
    data = TensorDataset(torch.zeros(STEPS + 20, 1), torch.zeros(STEPS + 20))
    loaders = DataLoaders(DataLoader(data, 1), DataLoader(data, 1))
    learner = Learner(
        loaders, Scripted(losses), loss_func=lambda out, y: out.sum(), path=tmp_path, cbs=[]
    )
    rates = FIRST * (LAST / FIRST) ** (np.arange(STEPS) / STEPS)
    rules = [schedule.valley, schedule.slide, schedule.minimum, schedule.steep]
    trace = trace_of(losses, rates)
    with learner.no_bar(), learner.no_logging():
        for rule in rules:
            learner.model.calls = 0
            ours = RIVALS[f"fastai-{rule.__name__}"](trace)
            try:
                found = learner.lr_find(
                    FIRST, LAST, num_it=STEPS, show_plot=False, suggest_funcs=rule
                )
            except (IndexError, ValueError, RuntimeError):
                found = [None]  # it fails where too few losses are left
            assert np.allclose(learner.recorder.lrs, rates[: len(learner.recorder.lrs)])
            same(ours, found[0])


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_lightning(kind, seed, tmp_path):
    losses = prescribed(kind, seed).astype(np.float32).astype(float)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.scripted, self.lr = Scripted(losses), 0.1

        def training_step(self, batch, index):
            return self.scripted(batch[0]).sum()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.lr)

    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    finder = lightning.pytorch.tuner.Tuner(trainer).lr_find(
        Module(),
        DataLoader(TensorDataset(torch.zeros(STEPS + 20, 1)), 1),
        min_lr=FIRST,
        max_lr=LAST,
        num_training=STEPS,
        update_attr=False,
    )
    seen = np.array(finder.results["lr"])
    rates = FIRST * (LAST / FIRST) ** (np.arange(1, STEPS + 1) / STEPS)
    rates = np.concatenate([seen, rates[len(seen) :]])
    same(RIVALS["lightning"](trace_of(losses, rates)), finder.suggestion())


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_torch_lr_finder(kind, seed, capsys):
    from torch_lr_finder import LRFinder

    losses = prescribed(kind, seed).astype(np.float32).astype(float)
    model = Scripted(losses)
    finder = LRFinder(
        model, torch.optim.SGD(model.parameters(), lr=FIRST), lambda out, y: out.sum(), "cpu"
    )
    data = TensorDataset(torch.zeros(STEPS, 1), torch.zeros(STEPS))
    finder.range_test(DataLoader(data, 1), end_lr=LAST, num_iter=STEPS)
    try:
        found = finder.plot(suggest_lr=True, ax=matplotlib.figure.Figure().subplots())[1]
    except (RuntimeError, ValueError):
        found = None
    seen = np.array(finder.history["lr"])
    rates = FIRST * (LAST / FIRST) ** (np.arange(STEPS) / (STEPS - 1))
    assert np.allclose(seen, rates[: len(seen)])
    same(RIVALS["torch-lr-finder"](trace_of(losses, rates)), found)
