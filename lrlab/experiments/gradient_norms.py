"""A probe of the sharpness on a sample of the training part, where the whole takes too long."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from lrlab.curvature.hessian import Lanczos, sharpness
from lrlab.experiments.sharpness import adam_preconditioner, preconditioned_sharpness
from lrlab.randomness import generator
from lrlab.training.probes import Probe, StepContext, Value


@dataclasses.dataclass(frozen=True)
class SampleSharpness(Probe):
    """The largest eigenvalue of the Hessian on a fixed sample, as it is and as Adam sees it.

    A run keeps ``largest``, and ``preconditioned`` by
    `lrlab.experiments.sharpness.adam_preconditioner`;
    NaN where the optimizer has none, infinity where the Hessian is not finite.

    Args:
        every: updates between two measurements.
        examples: the first ones of the training part, or all if it has fewer.
        tolerance: relative error at which Lanczos ends.
        most: largest number of Hessian-vector products for one measurement.

    Raises:
        ValueError: if `examples` or `tolerance` is not positive.

    Example:
        >>> SampleSharpness(every=100).to_dict()["examples"]
        256
    """

    examples: int = 256
    tolerance: float = 0.02
    most: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.examples < 1:
            raise ValueError(f"examples must be at least 1, got examples={self.examples}")
        if not self.tolerance > 0:
            raise ValueError(f"tolerance must be positive, got tolerance={self.tolerance}")

    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return both eigenvalues."""
        model, task = context.model, context.task
        batch = tuple(tensor[: self.examples] for tensor in task.data().train)
        how = {"tolerance": self.tolerance, "most": self.most}
        # The fused attention of the CPU has no second derivative.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            found = {"largest": _largest(lambda: sharpness(task, model, batch, **how))}
            if not isinstance(context.optimizer, torch.optim.Adam):
                return found | {"preconditioned": math.nan}
            noise = generator(0, "sharpness")
            parameters = [p for p in model.parameters() if p.requires_grad]
            diagonal = adam_preconditioner(context.optimizer)
            return found | {
                "preconditioned": _largest(
                    lambda: preconditioned_sharpness(
                        lambda: task.loss(model, batch, noise), parameters, diagonal, **how
                    )
                )
            }


def _largest(measure: Callable[[], Lanczos]) -> float:
    try:
        return measure().largest
    except ValueError:  # weights that are not finite: the run is about to end as diverged
        return math.inf
