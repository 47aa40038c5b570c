"""Schedule-free optimizers as values: the package of their authors, built by a recipe.

They keep three points: gradients are taken at y, steps are made at z, and what is evaluated is x,
the average of z. The training loop puts them into their evaluation mode for every evaluation.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import schedulefree

from lrlab.optimizers import Adam, Optimizer

__all__ = ["ScheduleFreeAdamW", "ScheduleFreeSGD"]


@dataclasses.dataclass(frozen=True)
class ScheduleFreeSGD(Optimizer):
    r"""Schedule-free stochastic gradient descent.

    $$y_t = (1 - \mu) z_t + \mu x_t, \qquad z_{t+1} = z_t - \eta_t (g(y_t) + \lambda y_t), \qquad
    x_{t+1} = (1 - c_{t+1}) x_t + c_{t+1} z_{t+1}$$

    with $c_{t+1} = \gamma_t^2 / \sum_{i \le t} \gamma_i^2$, where $\gamma_t$ is the largest rate so
    far: under a constant rate x is the mean of all z.

    Args:
        weight_decay: λ ≥ 0, added to the gradient at y.
        momentum: μ in (0, 1), the share of x in y.

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Defazio et al. (2024), arXiv:2405.15682.

    Example:
        >>> ScheduleFreeSGD().to_dict()
        {'optimizer': 'ScheduleFreeSGD', 'weight_decay': 0.0, 'momentum': 0.9}
    """

    momentum: float = 0.9
    _torch: ClassVar = schedulefree.SGDScheduleFree

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_float("momentum", open_low=True, high=1.0)


@dataclasses.dataclass(frozen=True)
class ScheduleFreeAdamW(Adam):
    """Schedule-free AdamW: the same, with steps at z that are divided by the second moment's root.

    Args:
        weight_decay: λ ≥ 0, multiplied by the learning rate, of the weights at y.
        betas: β₁ in (0, 1), the share of x in y, and β₂, the decay rate of the second moment.
        eps: ε > 0, added to the root of the second moment.

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Defazio et al. (2024), arXiv:2405.15682.

    Example:
        >>> ScheduleFreeAdamW(betas=(0.9, 0.99)).betas
        (0.9, 0.99)
    """

    _torch: ClassVar = schedulefree.AdamWScheduleFree

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.betas[0] == 0:
            raise ValueError(f"betas must begin above 0, got betas={self.betas}")
