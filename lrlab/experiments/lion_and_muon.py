"""Lion and Muon as values: one update by signs, one by matrices without their scale.

Lion is that of the package pytorch-optimizer, Muon that of PyTorch with AdamW for what is no hidden
matrix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import pytorch_optimizer
import torch

from lrlab.optimizers import Optimizer

__all__ = ["Lion", "Muon"]


@dataclasses.dataclass(frozen=True)
class Lion(Optimizer):
    r"""Evolved sign momentum: every weight moves by the rate, whatever its gradient's size.

    $$w_{t+1} = w_t - \eta_t (\operatorname{sign}(\beta_1 m_t + (1 - \beta_1) g_t) + \lambda w_t),
    \qquad m_{t+1} = \beta_2 m_t + (1 - \beta_2) g_t$$

    Args:
        weight_decay: λ ≥ 0, multiplied by the learning rate.
        betas: β₁, the share of the average in an update, and β₂, by which it decays, in [0, 1).

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Chen et al. (2023), arXiv:2302.06675.

    Example:
        >>> Lion(weight_decay=0.5).to_dict()
        {'optimizer': 'Lion', 'weight_decay': 0.5, 'betas': [0.9, 0.99]}
    """

    betas: tuple[float, float] = (0.9, 0.99)
    _torch: ClassVar = pytorch_optimizer.Lion

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "betas", _betas(self.betas))


class _MuonAndAdamW(torch.optim.Optimizer):
    """Muon for the hidden matrices and AdamW for the rest, at one rate."""

    def __init__(
        self,
        params: Any,
        lr: float,
        weight_decay: float,
        momentum: float,
        betas: tuple[float, float],
        outer: tuple[int, int],
    ) -> None:
        super().__init__(params, {"lr": lr})
        if len(self.param_groups) > 1:
            raise ValueError("Muon needs all parameters in one group, in the order of the model")
        every = self.param_groups[0]["params"]
        matrices = [p for p in every if p.ndim == 2]
        inner = matrices[outer[0] : len(matrices) - outer[1]]
        if not inner:
            raise ValueError(f"no matrix is left for Muon: {len(matrices)} in all, outer={outer}")
        ids = {id(p) for p in inner}
        rest = [p for p in every if id(p) not in ids]
        shared = {"lr": lr, "weight_decay": weight_decay}
        matched = {"adjust_lr_fn": "match_rms_adamw"}
        self.parts = [torch.optim.Muon(inner, momentum=momentum, **shared, **matched)]
        if rest:
            self.parts.append(torch.optim.AdamW(rest, betas=betas, **shared))

    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> None:  # type: ignore[override]
        for part in self.parts:
            part.param_groups[0]["lr"] = self.param_groups[0]["lr"]
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


@dataclasses.dataclass(frozen=True)
class Muon(Optimizer):
    r"""Momentum, orthogonalised: matrices move along all their directions alike.

    $$b_{t+1} = \mu b_t + (1 - \mu) g_t, \qquad w_{t+1} = (1 - \eta_t \lambda) w_t - 0.2
    \sqrt{\max(m, n)} \, \eta_t \operatorname{NS}(\mu b_{t+1} + (1 - \mu) g_t)$$

    for a hidden matrix of shape (m, n), where five Newton–Schulz steps in bfloat16 bring all
    singular values near 1; the factor makes an update as large as one of AdamW. The first and last
    matrices and all vectors are trained by AdamW at the same rate and weight decay.

    Args:
        weight_decay: λ ≥ 0, multiplied by the learning rate.
        momentum: μ in [0, 1).
        betas: of AdamW, each in [0, 1).
        outer: how many matrices at the beginning and at the end of the model AdamW trains, such as
            embeddings and the last layer.

    Raises:
        ValueError: if an argument is out of its range, or when built, no matrix is left.

    Source:
        Jordan et al. (2024), kellerjordan.github.io/posts/muon; Liu et al. (2025),
        arXiv:2502.16982, for the factor.

    Example:
        >>> Muon(outer=(2, 1)).momentum
        0.95
    """

    momentum: float = 0.95
    betas: tuple[float, float] = (0.9, 0.999)
    outer: tuple[int, int] = (1, 1)
    _torch: ClassVar = _MuonAndAdamW

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_float("momentum", high=1.0)
        object.__setattr__(self, "betas", _betas(self.betas))
        object.__setattr__(self, "outer", tuple(int(n) for n in self.outer))
        if len(self.outer) != 2 or min(self.outer) < 0:
            raise ValueError(f"outer must be two counts, got outer={self.outer}")


def _betas(betas: tuple[float, ...]) -> tuple[float, ...]:
    betas = tuple(float(beta) for beta in betas)
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas must be a pair in [0, 1), got betas={betas}")
    return betas
