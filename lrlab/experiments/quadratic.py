"""A noisy quadratic: the task on which batch and rate can be worked out with pencil and paper."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from lrlab.tasks.base import Batch, Splits, Task


class Point(nn.Module):
    """Weights θ ∈ R^d that start at one; calling it returns them.

    Args:
        dimensions: d.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(dimensions))

    def forward(self) -> Tensor:
        """Return the weights, shape (d,)."""
        return self.weights


@dataclasses.dataclass(frozen=True)
class Quadratic(Task):
    r"""A quadratic bowl whose gradient is seen with noise.

    $$L(\theta) = \tfrac12 \sum_i h_i \theta_i^2, \qquad
    g_B = H \theta + \varepsilon, \quad \varepsilon_i \sim N(0, \sigma^2 h_i / B)$$

    for a batch of B examples. Curvatures are spread evenly in the logarithm from 1 down to
    1/condition; all weights start at 1. Under plain SGD the second moment of each weight obeys

    $$E\,\theta_{i,t+1}^2 = (1 - \eta_t h_i)^2\, E\,\theta_{i,t}^2 + \eta_t^2 \sigma^2 h_i / B,$$

    which `expected_losses` follows; at a constant rate it is

    $$E\,\theta_{i,t}^2 = v_i + (1 - \eta h_i)^{2t} (1 - v_i), \qquad
    v_i = \frac{\eta \sigma^2}{B (2 - \eta h_i)},$$

    which `expected_loss` sums. The best rate of a single update from weights θ is

    $$\eta^*(B) = \frac{\eta_\max}{1 + B_n / B}, \qquad
    \eta_\max = \frac{\|g\|^2}{g^T H g}, \quad B_n = \frac{\sigma^2 \sum h_i^2}{g^T H g},$$

    with g = Hθ and the noise scale B_n: linear in the batch far below it, constant far above.

    Args:
        dimensions: number of weights.
        condition: ratio of the largest curvature to the smallest, at least 1.
        sigma: scale of the noise of one example's gradient.
        n_train: examples of an epoch, which here are only counted.

    Raises:
        ValueError: if an argument makes no sense.

    Source:
        McCandlish et al. (2018), section 2.2, for the best rate; Zhang et al. (2019),
        arXiv:1907.04164, for the model.

    Example:
        >>> task = Quadratic(dimensions=2, condition=1.0, sigma=0.0)
        >>> task.expected_losses([0.5, 0.5], batch_size=1).tolist()
        [1.0, 0.25, 0.0625]
    """

    dimensions: int = 256
    condition: float = 100.0
    sigma: float = 1.0
    n_train: int = 65_536

    name: ClassVar[str] = "quadratic"

    def __post_init__(self) -> None:
        for name in ("dimensions", "n_train"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {name}={getattr(self, name)}")
        if not self.condition >= 1:
            raise ValueError(f"condition must be at least 1, got condition={self.condition}")
        if not self.sigma >= 0:
            raise ValueError(f"sigma must not be negative, got sigma={self.sigma}")

    @property
    def curvatures(self) -> np.ndarray:
        """The h_i, falling from 1, shape (dimensions,)."""
        return np.geomspace(1.0, 1.0 / self.condition, self.dimensions)

    def expected_losses(self, rates: ArrayLike, batch_size: float) -> np.ndarray:
        """Return the expected loss before each update and after the last, from the recursion.

        Args:
            rates: η of each update, shape (updates,).
            batch_size: examples in a batch.

        Returns:
            Shape (updates + 1,).
        """
        h, second = self.curvatures, np.ones(self.dimensions)
        losses = [0.5 * h @ second]
        for rate in np.asarray(rates, dtype=float):
            second = (1 - rate * h) ** 2 * second + rate**2 * self.sigma**2 * h / batch_size
            losses.append(0.5 * h @ second)
        return np.array(losses)

    def expected_loss(self, rate: float, updates: ArrayLike, batch_size: float) -> np.ndarray:
        """Return the expected loss after numbers of updates at a constant rate, in closed form.

        Args:
            rate: η in (0, 2), where it neither diverges nor stands still.
            updates: numbers of updates, any shape; fractions are allowed.
            batch_size: examples in a batch.

        Returns:
            Shape of `updates`.

        Raises:
            ValueError: if the rate is not in (0, 2).
        """
        if not 0 < rate < 2:
            raise ValueError(f"rate must be in (0, 2), got rate={rate}")
        h, t = self.curvatures, np.asarray(updates, dtype=float)[..., None]
        floor = rate * self.sigma**2 / (batch_size * (2 - rate * h))
        kept = np.abs(1 - rate * h) ** (2 * t)
        return (0.5 * h * (floor + kept * (1 - floor))).sum(-1)

    def best_first_rate(self, batch_size: float) -> float:
        """Return the best rate η* of the first update, in closed form (see above)."""
        h = self.curvatures
        signal, curved = (h**2).sum(), (h**3).sum()
        return float(signal / (curved + self.sigma**2 * (h**2).sum() / batch_size))

    def data(self) -> Splits:
        """Return zeros, one for each example: what is random is drawn in the loss."""
        return _zeros(self.n_train)

    def model(self) -> nn.Module:
        """Return the weights, all at one."""
        return Point(self.dimensions)

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the loss plus ε·θ, whose gradient is that of a batch; ε is drawn from `noise`."""
        theta, h = model(), _curvatures(self)
        epsilon = torch.randn(self.dimensions, generator=noise) * h.sqrt()
        epsilon *= self.sigma / len(batch[0]) ** 0.5
        return 0.5 * (h * theta.square()).sum() + epsilon @ theta

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the loss without noise; it is the same on all parts."""
        return {"loss": 0.5 * (_curvatures(self) * model().square()).sum().item()}


def fewest_updates(task: Quadratic, target: float, batch_size: float) -> tuple[float, float]:
    """Return the fewest updates at a constant rate to an expected loss, and that rate.

    Args:
        task: a quadratic with noise.
        target: the loss, above 0 and below the first one.
        batch_size: examples in a batch.

    Returns:
        Number of updates (a fraction, where the closed form crosses the target) and the rate.

    Raises:
        ValueError: if the target is out of range, or there is no noise.

    Example:
        >>> updates, rate = fewest_updates(Quadratic(), target=5.0, batch_size=64)
        >>> bool(abs(Quadratic().expected_loss(rate, updates, 64) - 5.0) < 1e-6)
        True
    """
    from scipy.optimize import brentq, minimize_scalar

    if not task.sigma > 0:
        raise ValueError(f"sigma must be positive, got sigma={task.sigma}")
    first = 0.5 * float(task.curvatures.sum())
    if not 0 < target < first:
        raise ValueError(f"target must be in (0, {first:.3g}), got target={target}")

    def updates(rate: float) -> float:
        def excess(count: float) -> float:
            return float(task.expected_loss(rate, count, batch_size)) - target

        last = 1.0
        while excess(last) > 0:
            last *= 2
            if last > 1e12:  # the noise at this rate is above the target
                return 1e12 * (1 + excess(last))
        return brentq(excess, 0, last, xtol=1e-10, rtol=1e-12)

    # At a small rate the loss settles at about rate · σ² Σh / 4B: the best one is below that.
    top = min(1.99, 8 * target * batch_size / (task.sigma**2 * float(task.curvatures.sum())))
    found = minimize_scalar(
        lambda log_rate: np.log(updates(float(np.exp(log_rate)))),
        bounds=(np.log(top) - 7, np.log(top)),
        method="bounded",
        options={"xatol": 1e-7},
    )
    rate = float(np.exp(found.x))
    return updates(rate), rate


task = Quadratic


@functools.cache
def _curvatures(task: Quadratic) -> Tensor:
    return torch.tensor(task.curvatures, dtype=torch.float32)


@functools.cache
def _zeros(n_train: int) -> Splits:
    return Splits(*((torch.zeros(n),) for n in (n_train, 1, 1)))
