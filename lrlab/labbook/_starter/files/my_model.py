"""Your own model: `build(seed)` makes all that a training needs, anew for each seed.

Replace the body by your own. The global generators of torch, NumPy and Python are seeded before
each call, so that a seed gives the same weights again.
"""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build(seed: int):
    """Return model, optimizer, training loader, loss, and a loader of validation batches."""
    model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    train = DataLoader(moons(512, seed=0), batch_size=64, shuffle=True, generator=order)
    validation = DataLoader(moons(512, seed=1), batch_size=512)
    return model, optimizer, train, nn.CrossEntropyLoss(), validation


def moons(n: int, seed: int) -> TensorDataset:
    """Return n noisy points (n, 2) on two half-moons, and which moon each is on (n,)."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    angle, side = math.pi * torch.rand(n, generator=draw), 1 - 2 * label
    x = torch.stack([angle.cos() + label, side * (angle.sin() - 0.25)], dim=1)
    return TensorDataset(x + 0.15 * torch.randn(n, 2, generator=draw), label)
