"""Optimizers that estimate their own learning rate, as values, and a probe of what they estimate.

They keep a lower bound d of the distance from the first weights to a solution, which grows while
training goes on, and take it as their rate; what a schedule gives is multiplied by it, so that the
schedule's peak is 1. Prodigy and D-Adaptation are those of the package pytorch-optimizer; DoG is
here, with the average of its weights that its authors evaluate.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar

import pytorch_optimizer
import torch

from lrlab.optimizers import Adam, Optimizer
from lrlab.training.probes import Probe, StepContext, Value

__all__ = ["DAdaptAdam", "DoG", "EstimatedRate", "Prodigy"]


@dataclasses.dataclass(frozen=True)
class Prodigy(Adam):
    r"""Adam whose rate is an estimate d of the distance to the solution; it grows as it learns.

    $$\hat d_{t+1} = \frac{\sum_i \beta_2^{(t-i)/2} d_i^2 \eta_i \langle g_i, w_0 - w_i \rangle}
    {\lVert \sum_i \beta_2^{(t-i)/2} d_i^2 \eta_i g_i \rVert_1}, \qquad
    d_{t+1} = \max(d_t, \hat d_{t+1})$$

    and then an update of Adam without bias correction at the rate $d_t \eta_t$.

    Args:
        weight_decay: λ ≥ 0, multiplied by the rate, as in AdamW.
        betas: decay rates (β₁, β₂) of the two moments, each in [0, 1).
        eps: ε > 0, added to the root of the second moment.

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Mishchenko and Defazio (2024), arXiv:2306.06101.

    Example:
        >>> Prodigy(weight_decay=0.1).to_dict()["optimizer"]
        'Prodigy'
    """

    _torch: ClassVar = pytorch_optimizer.Prodigy


@dataclasses.dataclass(frozen=True)
class DAdaptAdam(Adam):
    r"""Adam by D-Adaptation: the same idea with a bound that grows more slowly.

    $$\hat d_{t+1} = \frac{r_{t+1}}{(1 - \sqrt{\beta_2}) \lVert s_{t+1} \rVert_1}, \qquad
    d_{t+1} = \max(d_t, \hat d_{t+1})$$

    with averages, decaying by $\sqrt{\beta_2}$, $s$ of $d_t \eta_t g_t$ and $r$ of
    $d_t \eta_t \langle g_t, s_t / (\sqrt{v_t} + \varepsilon) \rangle$.

    Args:
        weight_decay: λ ≥ 0, multiplied by the rate, as in AdamW.
        betas: decay rates (β₁, β₂) of the two moments, each in [0, 1).
        eps: ε > 0, added to the root of the second moment.

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Defazio and Mishchenko (2023), arXiv:2301.07733, in its third version.

    Example:
        >>> DAdaptAdam().betas
        (0.9, 0.999)
    """

    _torch: ClassVar = staticmethod(
        functools.partial(pytorch_optimizer.DAdaptAdam, weight_decouple=True)
    )


class _AveragedDoG(torch.optim.Optimizer):
    """DoG over all parameters of a group, which shows the average of its weights in `eval` mode."""

    def __init__(
        self, params: Any, lr: float, weight_decay: float, first: float, power: float
    ) -> None:
        of_weights = {"lr": lr, "weight_decay": weight_decay, "first": first, "power": power}
        super().__init__(params, of_weights | {"d": 0.0, "farthest": 0.0, "squares": 0.0, "t": 0})
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] |= {"start": p.detach().clone(), "average": p.detach().clone()}
        self.showing = False

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            grads = [p.grad.add(p, alpha=group["weight_decay"]) for p in params]
            starts = [self.state[p]["start"] for p in params]
            moved = torch._foreach_sub(params, starts)
            group["t"] += 1
            if group["t"] == 1:
                group["farthest"] = group["first"] * (1 + _norm(starts))
            group["farthest"] = max(group["farthest"], _norm(moved))
            group["squares"] += _norm(grads) ** 2
            group["d"] = group["farthest"] / math.sqrt(group["squares"] + 1e-8)
            torch._foreach_add_(params, grads, alpha=-group["lr"] * group["d"])
            share = (group["power"] + 1) / (group["power"] + group["t"])
            averages = [self.state[p]["average"] for p in params]
            torch._foreach_lerp_(averages, params, share)

    def eval(self) -> None:
        """Put the average into the parameters."""
        if not self.showing:
            self._swap()

    def train(self) -> None:
        """Put the weights back."""
        if self.showing:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                kept = p.clone()
                p.copy_(self.state[p]["average"])
                self.state[p]["average"].copy_(kept)
        self.showing = not self.showing


def _norm(tensors: list[torch.Tensor]) -> float:
    return torch.stack(torch._foreach_norm(tensors)).norm().item()


@dataclasses.dataclass(frozen=True)
class DoG(Optimizer):
    r"""Distance over gradients: SGD whose rate is the way gone over the gradients met.

    $$w_{t+1} = w_t - \eta_t d_t g_t, \qquad
    d_t = \frac{\max(r_\varepsilon, \max_{i \le t} \lVert w_i - w_0 \rVert)}
    {\sqrt{\sum_{i \le t} \lVert g_i \rVert^2 + 10^{-8}}}$$

    with $r_\varepsilon$ = `first` · $(1 + \lVert w_0 \rVert)$, all parameters taken as one vector.
    What is evaluated is their average $\bar w_t = (1 - c_t) \bar w_{t-1} + c_t w_t$ with
    $c_t = (\gamma + 1) / (\gamma + t)$.

    Args:
        weight_decay: λ ≥ 0, added to the gradient (an L2 penalty).
        first: the first step relative to the weights, > 0.
        power: γ ≥ 0 of the average; the larger, the fewer weights it looks back.

    Raises:
        ValueError: if an argument is out of its range.

    Source:
        Ivgi et al. (2023), arXiv:2302.12022.

    Example:
        >>> DoG().to_dict()
        {'optimizer': 'DoG', 'weight_decay': 0.0, 'first': 1e-06, 'power': 8.0}
    """

    first: float = 1e-6
    power: float = 8.0
    _torch: ClassVar = _AveragedDoG

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_float("first", open_low=True)
        self._check_float("power")


@dataclasses.dataclass(frozen=True)
class EstimatedRate(Probe):
    """The rate of an update: the schedule's value times the optimizer's own estimate d.

    Example:
        >>> EstimatedRate(every=10).to_dict()
        {'probe': 'EstimatedRate', 'every': 10}
    """

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return the estimate and the rate, under ``"d"`` and ``"rate"``."""
        d = float(context.optimizer.param_groups[0]["d"])
        return {"d": d, "rate": d * context.lr}
