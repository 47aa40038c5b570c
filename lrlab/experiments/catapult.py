"""A wide two-layer linear network on one example: what a rate above 2/λ does to it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectories:
    """What happened, step by step; all arrays of shape (rates, updates + 1).

    Args:
        loss: ½ f².
        curvature: λ, the largest eigenvalue of the network's tangent kernel.
        lr: the learning rates, shape (rates,).
    """

    loss: np.ndarray
    curvature: np.ndarray
    lr: np.ndarray

    def converged(self, share: float = 1e-3) -> np.ndarray:
        """Whether the last loss is finite and below a share of the first, shape (rates,)."""
        return self.loss[:, -1] < share * self.loss[:, 0]

    def spike(self) -> np.ndarray:
        """The largest loss as a multiple of the first, infinite where it grew beyond all bounds."""
        return self.loss.max(axis=1) / self.loss[:, 0]


def linear_network(
    rates: ArrayLike, *, width: int, updates: int, seed: int, relu: bool = False
) -> Trajectories:
    r"""Train f = v·φ(u) / √width on one example, x = 1 and y = 0, by gradient descent.

    φ is the identity or ReLU, all weights start from N(0, 1), the loss is ½ f², and

    $$\lambda = \frac{1}{m} \left( \|\varphi(u)\|^2 + \|v \varphi'(u)\|^2 \right) .$$

    The identity obeys f ← f (1 − ηλ + η² f² / m) and
    λ ← λ + (η f² / m)(ηλ − 4): above ηλ = 2 the loss grows, and λ falls while ηλ < 4.

    Args:
        rates: learning rates in units of 1/λ at the start, shape (rates,).
        width: number of hidden units m.
        updates: number of updates; a rate whose loss exceeds 1e12 stops there.
        seed: of the initial weights, which all rates share.
        relu: rectify the hidden units.

    Returns:
        Losses and curvatures of all rates.

    Raises:
        ValueError: if an argument is not positive.

    Source:
        Lewkowycz et al. (2020), section 2.

    Example:
        >>> found = linear_network([1.0, 3.0, 5.0], width=500, updates=100, seed=0)
        >>> found.converged().tolist()
        [True, True, False]
    """
    multiples = np.asarray(rates, dtype=float)
    if multiples.ndim != 1 or not (multiples > 0).all():
        raise ValueError(f"rates must be positive, got {rates}")
    if width < 1 or updates < 1:
        raise ValueError(f"width and updates must be positive, got {width}, {updates}")
    rng = np.random.default_rng(seed)
    u, v = (np.tile(rng.normal(size=width), (len(multiples), 1)) for _ in range(2))
    lr = np.zeros(0)
    losses, curvatures = [], []
    alive = np.ones(len(multiples), dtype=bool)
    for step in range(updates + 1):
        hidden = np.maximum(u, 0) if relu else u
        slope = (u > 0).astype(float) if relu else np.ones_like(u)
        output = (v * hidden).sum(1) / np.sqrt(width)
        curvature = ((hidden**2).sum(1) + ((v * slope) ** 2).sum(1)) / width
        if step == 0:
            lr = multiples / curvature
        loss = 0.5 * output**2
        alive = alive & (loss < 1e12)
        losses.append(np.where(alive, loss, np.inf))
        curvatures.append(np.where(alive, curvature, np.inf))
        factor = np.where(alive, lr * output, 0.0)[:, None] / np.sqrt(width)
        u, v = u - factor * v * slope, v - factor * hidden
    return Trajectories(np.array(losses).T, np.array(curvatures).T, lr)
