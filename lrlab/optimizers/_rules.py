"""Optimizers as values: what they are, without the learning rate and without the weights.

A value here holds the hyperparameters, prints as JSON and hashes; `build` makes the
`torch.optim` object for given parameter groups. The learning rate is set by the training loop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from lrlab.checks import Checked, built

_Build = Callable[..., torch.optim.Optimizer]

_KINDS: dict[str, type[Optimizer]] = {}


@dataclasses.dataclass(frozen=True)
class Optimizer(Checked):
    """Base of the optimizers: a frozen value that builds a `torch.optim.Optimizer`.

    Args:
        weight_decay: what the kind of optimizer means by it.

    Example:
        >>> SGD(momentum=0.9).to_dict()["momentum"]
        0.9
    """

    weight_decay: float = 0.0

    _torch: ClassVar[_Build]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _KINDS[cls.__name__] = cls

    def __post_init__(self) -> None:
        self._check_float("weight_decay")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the torch optimizer over parameter groups, at learning rate 0.

        Args:
            groups: parameter groups as `torch.optim` takes them.
        """
        return self._torch(groups, lr=0.0, **self._arguments())

    def _arguments(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in self._arguments().items()}
        return {"optimizer": type(self).__name__} | values


@dataclasses.dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    $$v_{t+1} = \mu v_t + g_t + \lambda w_t, \qquad w_{t+1} = w_t - \eta_t v_{t+1}$$

    Args:
        weight_decay: λ ≥ 0, added to the gradient (an L2 penalty).
        momentum: μ in [0, 1).
        nesterov: take the gradient step from the looked-ahead velocity.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> SGD(momentum=0.9).to_dict()
        {'optimizer': 'SGD', 'weight_decay': 0.0, 'momentum': 0.9, 'nesterov': False}
    """

    momentum: float = 0.0
    nesterov: bool = False
    _torch: ClassVar = torch.optim.SGD

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_float("momentum", high=1.0)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0, got momentum=0.0")


@dataclasses.dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015); weight decay is an L2 penalty, added to the gradient.

    Args:
        weight_decay: λ ≥ 0.
        betas: decay rates (β₁, β₂) of the two moments, each in [0, 1).
        eps: ε > 0, added to the root of the second moment.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> Adam(betas=(0.9, 0.99)).betas
        (0.9, 0.99)
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    _torch: ClassVar[_Build] = torch.optim.Adam

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "betas", tuple(float(b) for b in self.betas))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be a pair in [0, 1), got betas={self.betas}")
        self._check_float("eps", open_low=True)


@dataclasses.dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): w ← w − η λ w, then Adam.

    Args:
        weight_decay: λ ≥ 0, multiplied by the learning rate.
        betas: decay rates (β₁, β₂) of the two moments, each in [0, 1).
        eps: ε > 0, added to the root of the second moment.

    Example:
        >>> AdamW(weight_decay=0.01).to_dict()["weight_decay"]
        0.01
    """

    _torch: ClassVar = torch.optim.AdamW


def from_dict(data: dict[str, Any]) -> Optimizer:
    """Return the optimizer that `Optimizer.to_dict` described.

    Args:
        data: a dict with the key ``"optimizer"``.

    Raises:
        ValueError: if the name is unknown.

    Example:
        >>> from_dict(SGD(momentum=0.5).to_dict())
        SGD(weight_decay=0.0, momentum=0.5, nesterov=False)
    """
    return built("optimizer", _KINDS, data)
