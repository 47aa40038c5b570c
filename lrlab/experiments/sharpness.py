"""Sharpness along a training, for gradient descent and for Adam, and where the edge is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from lrlab.curvature.hessian import Lanczos, hessian_product, lanczos
from lrlab.optimizers import SGD, Adam, Optimizer
from lrlab.randomness import generator
from lrlab.training.probes import Probe, StepContext, Value


def edge(optimizer: Optimizer) -> float:
    r"""Return the product of rate and sharpness above which full-batch descent is unstable.

    On a quadratic: 2 (1 + β) for gradient descent with momentum β, and for Adam, of the
    preconditioned sharpness, 2 (1 + β₁) / (1 − β₁): 38 for β₁ = 0.9.

    Args:
        optimizer: SGD without Nesterov momentum, or Adam, without weight decay.

    Raises:
        ValueError: if the optimizer is another one.

    Source:
        Cohen et al. (2021) for momentum; Cohen et al. (2022) for Adam.

    Example:
        >>> edge(SGD()), edge(SGD(momentum=0.5)), round(edge(Adam()), 9)
        (2.0, 3.0, 38.0)
    """
    if type(optimizer) is SGD and not (optimizer.nesterov or optimizer.weight_decay):
        return 2 * (1 + optimizer.momentum)
    if type(optimizer) is Adam and not optimizer.weight_decay:
        return 2 * (1 + optimizer.betas[0]) / (1 - optimizer.betas[0])
    raise ValueError(f"the edge is known for plain SGD and Adam, got optimizer={optimizer}")


def preconditioned_sharpness(
    loss: Callable[[], Tensor],
    parameters: Sequence[Tensor],
    preconditioner: np.ndarray,
    *,
    tolerance: float = 1e-6,
    most: int = 200,
) -> Lanczos:
    r"""Return the ends of the spectrum of $P^{-1/2} H P^{-1/2}$, which is that of P⁻¹ H.

    Args:
        loss: gives the loss with its graph.
        parameters: those that count, together n numbers.
        preconditioner: the diagonal of P in the order of the parameters, positive, shape (n,).
        tolerance: relative error at which it ends.
        most: largest number of Hessian-vector products.

    Raises:
        ValueError: if the preconditioner is not positive.

    Source:
        Cohen et al. (2022).

    Returns:
        Both ends, with a bound on the error.

    Example:
        >>> w = torch.tensor([1.0, 1.0], requires_grad=True)
        >>> def loss():
        ...     return w[0] ** 2 + 5 * w[1] ** 2
        >>> found = preconditioned_sharpness(loss, [w], np.array([1.0, 10.0]))
        >>> round(found.largest, 6)  # of 2/1 and 10/10
        2.0
    """
    diagonal = np.asarray(preconditioner, dtype=float)
    if not (diagonal > 0).all():
        raise ValueError(f"the preconditioner must be positive, got {diagonal.min()}")
    scale = 1 / np.sqrt(diagonal)
    product = hessian_product(loss, parameters)
    return lanczos(lambda v: scale * product(scale * v), len(scale), tolerance=tolerance, most=most)


def adam_preconditioner(optimizer: torch.optim.Optimizer) -> np.ndarray:
    r"""Return the diagonal of the matrix by which Adam, after t updates, divides its average.

    $$P_t = (1 - \beta_1^t) \left( \sqrt{v_t / (1 - \beta_2^t)} + \epsilon \right)$$

    Args:
        optimizer: after at least one update.

    Returns:
        float64 array of shape (n,), in the order of the parameters.

    Raises:
        ValueError: before the first update.

    Source:
        Cohen et al. (2022).

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> optimizer = torch.optim.Adam([weight], eps=0.0)
        >>> weight.grad = torch.tensor([3.0, -4.0])
        >>> optimizer.step()
        >>> adam_preconditioner(optimizer).round(6)  # (1 - 0.9) |g| after the first update
        array([0.3, 0.4])
    """
    parts = []
    for group in optimizer.param_groups:
        beta1, beta2 = group["betas"]
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            if not state:
                raise ValueError("Adam has no preconditioner before its first update")
            t = float(state["step"])
            root = (state["exp_avg_sq"].double() / (1 - beta2**t)).sqrt() + group["eps"]
            parts.append(((1 - beta1**t) * root).flatten())
    return torch.cat(parts).numpy()


@dataclasses.dataclass(frozen=True)
class Sharpness(Probe):
    """The largest eigenvalue of the Hessian of the loss on the whole training part.

    A run keeps under its name ``largest``, the bound on its ``error``, and ``products``, the number
    of Hessian-vector products that it took.

    Args:
        every: updates between two measurements; without a preconditioner step 0 is measured too.
        preconditioned: of the Hessian as Adam sees it, `preconditioned_sharpness`.
        tolerance: relative error at which Lanczos ends.
        most: largest number of Hessian-vector products for one measurement.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> Sharpness(every=50).to_dict()["tolerance"]
        0.001
    """

    preconditioned: bool = False
    tolerance: float = 1e-3
    most: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_float("tolerance", high=1.0)
        self._check_int("most")
        # Before any update there is no preconditioner.
        object.__setattr__(self, "at_start", not self.preconditioned)

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return what was found; infinite where the Hessian is."""
        parameters = [p for p in context.model.parameters() if p.requires_grad]
        batch, noise = context.task.data().train, generator(0, "sharpness")
        diagonal = (
            adam_preconditioner(context.optimizer)
            if self.preconditioned
            else np.ones(sum(p.numel() for p in parameters))
        )
        try:
            with torch.enable_grad():
                found = preconditioned_sharpness(
                    lambda: context.task.loss(context.model, batch, noise),
                    parameters,
                    diagonal,
                    tolerance=self.tolerance,
                    most=self.most,
                )
        except ValueError:  # weights that are not finite: the run is about to end as diverged
            return {"largest": math.inf, "error": math.inf, "products": 0.0}
        return {
            "largest": found.largest,
            "error": found.error,
            "products": float(found.products),
        }
