"""A probe of the sharpness: λ_max of the loss while a run trains, as it is and as Adam sees it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from lrlab.probes import Moment, Probe, Value
from lrlab.randomness import generator
from lrlab.sharpness import hessian_product, lanczos


@dataclasses.dataclass(frozen=True)
class Sharpness(Probe):
    r"""The largest eigenvalue of the Hessian on a fixed set of training examples.

    ``largest`` is λ_max of H, ``preconditioned`` that of :math:`P^{-1/2} H P^{-1/2}` with Adam's
    :math:`P = \operatorname{diag}(\sqrt{\hat v} + \varepsilon)`; NaN if the optimizer keeps no
    second moments, or before the first update. Full-batch gradient descent is stable below
    λ_max η = 2, full-batch Adam below 2 (1 + β₁)/(1 − β₁) for the preconditioned one, which is 38
    for β₁ = .9. With minibatches both are descriptions.

    Args:
        every: updates between two measurements; step 0 is measured too.
        examples: the first ones of the training part, or all if it has fewer.
        tolerance: relative error at which the Lanczos iteration ends.
        most: largest number of Hessian-vector products.

    Raises:
        ValueError: if `examples` or `tolerance` is not positive.

    Source:
        Cohen et al., 2021, arXiv:2103.00065; Cohen et al., 2022, arXiv:2207.14484.

    Example:
        >>> Sharpness(every=100).to_dict()["examples"]
        256
    """

    examples: int = 256
    tolerance: float = 0.02
    most: int = 60

    at_start: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.examples < 1:
            raise ValueError(f"examples must be at least 1, got examples={self.examples}")
        if not self.tolerance > 0:
            raise ValueError(f"tolerance must be positive, got tolerance={self.tolerance}")

    def after(self, moment: Moment, before: None) -> dict[str, Value]:
        """Return both eigenvalues, NaN where the Hessian is not finite."""
        model, task = moment.model, moment.task
        parameters = [p for p in model.parameters() if p.requires_grad]
        batch = tuple(tensor[: self.examples] for tensor in task.data().train)
        noise = generator(0, "sharpness")
        # The fused attention kernel of the CPU has no second derivative.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            product = hessian_product(lambda: task.loss(model, batch, noise), parameters)
            n = sum(p.numel() for p in parameters)

            def largest(of) -> float:
                try:
                    return lanczos(of, n, tolerance=self.tolerance, most=self.most).largest
                except ValueError:  # not finite: the run is diverging
                    return float("nan")

            scale = _inverse_root(moment.optimizer, parameters)
            return {
                "largest": largest(product),
                "preconditioned": float("nan")
                if scale is None
                else largest(lambda v: scale * product(scale * v)),
            }


def _inverse_root(
    optimizer: torch.optim.Optimizer, parameters: list[torch.Tensor]
) -> np.ndarray | None:
    """Return the diagonal of P^(-1/2); None without second moments."""
    parts = []
    of = {p: group for group in optimizer.param_groups for p in group["params"]}
    for p in parameters:
        state = optimizer.state.get(p, {})
        if "exp_avg_sq" not in state:
            return None
        correction = 1 - of[p]["betas"][1] ** float(state["step"])
        v = state["exp_avg_sq"].double() / correction
        parts.append((v.sqrt() + of[p]["eps"]).flatten())
    return torch.cat(parts).rsqrt().numpy()
