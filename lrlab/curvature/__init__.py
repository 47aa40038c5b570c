"""Curvature of the loss: sharpness, and where it makes a rate unstable."""

from lrlab.curvature.hessian import Lanczos, hessian_product, lanczos, sharpness, stability_edge
from lrlab.curvature.probe import (
    Sharpness,
    adam_preconditioner,
    edge,
    preconditioned_sharpness,
)

__all__ = [
    "Lanczos",
    "Sharpness",
    "adam_preconditioner",
    "edge",
    "hessian_product",
    "lanczos",
    "preconditioned_sharpness",
    "sharpness",
    "stability_edge",
]
