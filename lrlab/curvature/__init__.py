"""Curvature of the loss: sharpness, and where it makes a rate unstable."""

from lrlab.curvature.hessian import Lanczos, hessian_product, lanczos, sharpness, stability_edge

__all__ = [
    "Lanczos",
    "hessian_product",
    "lanczos",
    "sharpness",
    "stability_edge",
]
