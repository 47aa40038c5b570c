"""The whole Hessian of a small model's loss, row by row: what products with it are held against."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def full_hessian(model: nn.Module, loss: Tensor) -> np.ndarray:
    """Return the matrix of second derivatives in all parameters, float64 of shape (n, n)."""
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    rows = [
        torch.autograd.grad(g, parameters, retain_graph=True, materialize_grads=True)
        for g in torch.cat([g.flatten() for g in gradients])
    ]
    return torch.stack([torch.cat([r.flatten() for r in row]) for row in rows]).double().numpy()
