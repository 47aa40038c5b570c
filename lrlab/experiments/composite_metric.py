r"""A metric that asks for a rise of the loss near the peak rate, and for a low loss otherwise.

The analysis of a sweep that this follows (juliusm 2026) names its parts: a rolling mean over 5
evaluations, a reward for an increase "near the max LR", low losses elsewhere, summed with weights
κᵗ. These formulas are ours, made before the source's were found: the source rewards the rise while
the rate grows, in the whole warmup, and not only near the peak; its κ is 1.015.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def per_evaluation(losses: ArrayLike, *, peak: int, near: int = 5, window: int = 5) -> np.ndarray:
    r"""Return what each evaluation adds to the metric, before weighting.

    $$m_i = \begin{cases} -(M_i - M_{i-1}) & |i - p| \le h \\ L_i & \text{otherwise} \end{cases}$$

    for evaluations i = 1, 2, …, with the loss L, its mean M over the last `window` evaluations (as
    many as there are at the start; M₀ = M₁), and the evaluation p at the peak rate.

    Args:
        losses: at each evaluation, the start not counted, shape (…, k).
        peak: the evaluation at the peak rate, counted from 1, p.
        near: evaluations before and after the peak that count as near it, h.
        window: evaluations in the rolling mean.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: if `peak` or `window` is below 1, or `near` below 0.

    Example:
        >>> per_evaluation([3.0, 4.0, 2.0, 1.0], peak=2, near=0, window=1).tolist()
        [3.0, -1.0, 2.0, 1.0]
    """
    for name, value, least in (("peak", peak, 1), ("near", near, 0), ("window", window, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {name}={value}")
    loss = np.asarray(losses, dtype=float)
    place = np.arange(1, loss.shape[-1] + 1)
    mean = np.stack([loss[..., max(0, i - window) : i].mean(axis=-1) for i in place], axis=-1)
    rise = np.diff(mean, axis=-1, prepend=mean[..., :1])
    return np.where(np.abs(place - peak) <= near, -rise, loss)


def weights(evaluations: int, kappa: float) -> np.ndarray:
    r"""Return $w_i = \kappa^{i-1} / \sum_{j \le k} \kappa^{j-1}$ for i = 1, …, k.

    Args:
        evaluations: of a complete run, k.
        kappa: κ > 0; above 1 the end counts more than the beginning.

    Raises:
        ValueError: if κ is not positive, or there is no evaluation.

    Example:
        >>> weights(3, 2.0).round(4).tolist()
        [0.1429, 0.2857, 0.5714]
    """
    if not kappa > 0 or evaluations < 1:
        raise ValueError(f"need kappa > 0 and evaluations >= 1, got {kappa} and {evaluations}")
    largest = evaluations - 1.0 if kappa > 1 else 0.0
    powers = kappa ** (np.arange(evaluations) - largest)  # no overflow
    return powers / powers.sum()


def cumulative(
    losses: ArrayLike, *, evaluations: int, peak: int, kappa: float, near: int = 5, window: int = 5
) -> np.ndarray:
    r"""Return the metric as it stands after each evaluation, $\sum_{j \le i} w_j m_j$.

    Args:
        losses: as for `per_evaluation`, shape (…, k) with k up to `evaluations`.
        evaluations: of a complete run.
        peak: as for `per_evaluation`.
        kappa: as for `weights`.
        near: as for `per_evaluation`.
        window: as for `per_evaluation`.

    Returns:
        float64 array of the same shape.

    Example:
        >>> cumulative([3.0, 2.0], evaluations=2, peak=9, near=0, kappa=1.0).tolist()
        [1.5, 2.5]
    """
    parts = per_evaluation(losses, peak=peak, near=near, window=window)
    return np.cumsum(weights(evaluations, kappa)[: parts.shape[-1]] * parts, axis=-1)
