"""W&B's `early_terminate: hyperband` as two functions: where it looks, and what it decides."""

from __future__ import annotations

import math
from collections.abc import Sequence

_FIRST_BANDS = 100  # of the endless sequence min_iter · etaⁱ
_LAST = 2.0**53  # where floats stop counting


def wandb_bands(
    *,
    min_iter: int | None = None,
    max_iter: int | None = None,
    s: int = 2,
    eta: float = 3,
) -> tuple[int, ...]:
    r"""Return the numbers of evaluations at which W&B's `early_terminate: hyperband` looks.

    $\lfloor \text{max\_iter} / \eta^i \rfloor$ for $i = 1 \dots s$, as long as it is at least 1; or
    $\lfloor \text{min\_iter} \cdot \eta^i \rfloor$ for $i = 0, 1, \dots$. If both are given,
    `max_iter` counts.

    Args:
        min_iter: evaluations before the first band.
        max_iter: evaluations of a complete run.
        s: number of bands, with `max_iter`.
        eta: ratio of neighbouring bands, above 1.

    Raises:
        ValueError: if neither is given, or there is no band.

    Source:
        `hyperband_stop_runs` of the package `sweeps` 0.3.0 (Weights & Biases).

    Example:
        >>> wandb_bands(max_iter=27, s=2, eta=3)
        (3, 9)
        >>> wandb_bands(min_iter=25, eta=2)[:4]
        (25, 50, 100, 200)
    """
    if not eta > 1:
        raise ValueError(f"eta must be above 1, got eta={eta}")
    if max_iter is not None:
        bands, band = [], float(max_iter)
        for _ in range(s):
            band /= eta
            if band < 1:
                break
            bands.append(int(band))
        if not bands:
            raise ValueError(
                f"there is no band: raise s or max_iter, or lower eta; got max_iter={max_iter}, "
                f"s={s}, eta={eta}"
            )
        return tuple(sorted(bands))
    if min_iter is None or min_iter < 1:
        raise ValueError(f"min_iter or max_iter must be a positive number, got min_iter={min_iter}")
    bands, band = [], float(min_iter)
    for _ in range(_FIRST_BANDS):
        bands.append(int(band))
        band *= eta
        if band > _LAST:
            break
    return tuple(bands)


def wandb_stops(
    history: Sequence[float],
    others: Sequence[Sequence[float]],
    bands: Sequence[int],
    *,
    eta: float = 3,
    strict: bool = False,
) -> bool:
    """Return whether W&B's rule stops a run; smaller values are better.

    Values that are not finite are dropped, as if they had not been logged. At each band, the
    threshold is the value that is at place ⌊n/η⌋, counted from 0, among the n runs that have got
    there, this one included. The run is compared at the last band that it has reached: by its
    value at the band if `strict`, else by its best value so far. It is stopped above the threshold.

    Args:
        history: the metric of the run at each evaluation so far.
        others: the same of all other runs, finished ones too.
        bands: numbers of evaluations, rising.
        eta: one in this many runs goes on.
        strict: compare the value at the band.

    Example:
        >>> wandb_stops([3.0], [[1.0], [2.0]], bands=(1,), eta=3)
        True
        >>> wandb_stops([2.0], [[1.0], [3.0]], bands=(1,), eta=3)
        False
    """
    mine = [value for value in history if math.isfinite(value)]
    reached = [band for band in bands if band <= len(mine)]
    if not reached:
        return False
    band = reached[-1]
    values = [mine[band - 1]]
    for other in others:
        finite = [value for value in other if math.isfinite(value)]
        if len(finite) >= band:
            values.append(finite[band - 1])
    threshold = sorted(values)[int((1.0 / eta) * len(values))]
    return (mine[band - 1] if strict else min(mine)) > threshold
