"""Tuned learning rates: found by a tuning entry of the log, read by the entries that compare.

A tuning entry carries each of its rates as a described claim whose id begins with ``rate-``, with
one value for each tuning seed; their geometric mean is the rate to use. No format of its own, and
the log's checks hold it as they hold every other number.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from lrlab.training.results import Metric, Results

_PREFIX = "rate-"
AROUND = (0.5, 1.0, 2.0)
"""Times the tuned rate: what is tried again within each seed of a comparison."""


def best_rate(rates: ArrayLike, losses: ArrayLike) -> float:
    r"""Return the rate at which a loss curve is lowest, between the points of its grid.

    The vertex of the parabola through $(\ln \eta, \ln L)$ at the lowest point and its two
    neighbours. Where the lowest point is at an end of the grid, or next to a run that diverged, it
    is that point itself.

    Args:
        rates: a grid of at least three rates with equal ratios, rising, shape (n,).
        losses: positive, shape (n,); what is not finite counts as diverged.

    Raises:
        ValueError: if the grid is not as it should be, or every run diverged.

    Example:
        >>> rates = np.array([1e-3, 2e-3, 4e-3])
        >>> round(best_rate(rates, np.exp(np.log(rates / 2.5e-3) ** 2)), 6)
        0.0025
    """
    eta, loss = np.asarray(rates, dtype=float), np.asarray(losses, dtype=float)
    if eta.shape != loss.shape or eta.ndim != 1 or eta.size < 3:
        raise ValueError(f"need three or more rates and losses, got {eta.shape} and {loss.shape}")
    ratios = eta[1:] / eta[:-1]
    if not (eta[0] > 0 and ratios[0] > 1 and np.allclose(ratios, ratios[0])):
        raise ValueError(f"rates must rise by equal ratios, got rates={eta.tolist()}")
    if not np.isfinite(loss).any():
        raise ValueError("every run of the grid diverged")
    k = int(np.nanargmin(np.where(np.isfinite(loss), loss, np.inf)))
    around = loss[max(0, k - 1) : k + 2]
    if around.size < 3 or not np.isfinite(around).all():
        return float(eta[k])
    left, middle, right = np.log(around)
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature > 0 else 0.0
    return float(eta[k] * ratios[0] ** shift)


def basin(rates: ArrayLike, losses: ArrayLike, excess: float) -> float:
    """Return the ratio of the rates between which a loss exceeds its lowest value by no more.

    The loss is interpolated between the points of the grid, in logarithms; where the grid ends
    before, it is a lower bound.

    Args:
        rates: the grid, rising, shape (n,).
        losses: positive, shape (n,).
        excess: relative excess over the lowest loss, 0.05 for 5 %.

    Example:
        >>> round(basin([0.1, 0.2, 0.4], [1.05, 1.0, 1.05], 0.05), 3)
        4.0
    """
    ends = np.log(rates)
    x = np.linspace(ends[0], ends[-1], 2001)
    y = np.interp(x, ends, np.log(losses))
    inside = x[y <= y.min() + np.log1p(excess) + 1e-12]
    return float(np.exp(inside.max() - inside.min()))


@dataclasses.dataclass(frozen=True)
class Tuned:
    """Rates that a tuning entry found.

    Args:
        entry: the name of the entry.
        rates: the rate to use, by condition.
        numbers: its other described numbers, by the slug of their claims.
        values: the single values of both, one for each of its repetitions, by slug.
    """

    entry: str
    rates: Mapping[str, float]
    numbers: Mapping[str, float]
    values: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)

    def rate(self, condition: str) -> float:
        """Return the tuned rate of a condition.

        Raises:
            ValueError: naming the conditions that were tuned.
        """
        key = slug(condition)
        if key not in self.rates:
            known = ", ".join(self.rates)
            raise ValueError(f"{self.entry} has not tuned {condition!r}; it has {known}")
        return self.rates[key]


def slug(condition: str) -> str:
    """Return a condition's name as a part of a claim's id.

    Example:
        >>> slug("inverse square root, short")
        'inverse-square-root-short'
    """
    return re.sub(r"[^a-z0-9]+", "-", condition.lower()).strip("-")


def claim_id(condition: str) -> str:
    """Return the id of the claim that carries a condition's tuned rate.

    Example:
        >>> claim_id("one-cycle, short")
        'rate-one-cycle-short'
    """
    return _PREFIX + slug(condition)


def read(notebook: str, entry: str | None = None, root: Path | None = None) -> Tuned:
    """Return what the newest entry of a tuning notebook found that counts, or a named one.

    An entry counts if it is of full size, has the default parameters and is not superseded.

    Args:
        notebook: the tuning notebook.
        entry: the name of an entry; None: the newest that counts.
        root: the laboratory's folder; None: the one around the working folder.

    Raises:
        ValueError: if there is no such entry, or if it carries no rate.
    """
    from lrlab.labbook.entries.laboratory import find_root
    from lrlab.labbook.entries.logbook import log

    entries = [e for e in log(root or find_root()) if e.record["notebook"] == notebook]
    if entry is None:
        chosen = [
            e
            for e in entries
            if e.record["size"] == "full" and not e.record["changed"] and not e.superseded_by
        ]
        missing = f"the log has no full entry of {notebook}; `lrlab run {notebook}` makes one"
    else:
        chosen = [e for e in entries if e.name == entry]
        missing = f"the log has no entry {entry!r} of {notebook}"
    if not chosen:
        raise ValueError(missing)
    measured = {
        claim["id"].rpartition(".")[2]: claim
        for claim in chosen[-1].claims()
        if claim["kind"] == "descriptive"
    }
    described = {slug: claim["estimate"] for slug, claim in measured.items()}
    rates = {k.removeprefix(_PREFIX): v for k, v in described.items() if k.startswith(_PREFIX)}
    if not rates:
        raise ValueError(f"{chosen[-1].name} carries no tuned rate")
    others = {k: v for k, v in described.items() if not k.startswith(_PREFIX)}
    values = {slug: tuple(claim["data"]["values"]) for slug, claim in measured.items()}
    return Tuned(chosen[-1].name, rates, others, values)


def within_seeds(runs: Results, metric: Metric) -> Results:
    """Return, of each seed's runs at several rates, the one where a validation metric is lowest.

    So the luck of tuning is drawn anew with each seed, and lies in the interval over the seeds.

    Args:
        runs: with keys of (condition, rate, seed), the condition of one part or several.
        metric: of the validation part, lower is better; a tie goes to the rate that comes first.

    Returns:
        One run for each condition and seed, with keys of (condition, seed).
    """
    found = runs.final(metric)
    best: dict[tuple, tuple] = {}
    for key, value in found.items():
        *condition, _, seed = key
        kept = (*condition, seed)
        if kept not in best or value < found[best[kept]]:
            best[kept] = key
    return type(runs)({kept: runs[key] for kept, key in best.items()})
