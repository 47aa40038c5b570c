"""Which hyperparameters mattered, how sure that is, and whether the good trials form groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lrlab.checks import need

if TYPE_CHECKING:
    from lrlab.sweep import Trial
    from lrlab.sweep._space import Space


def positions(space: Space, found: Sequence[Trial]) -> np.ndarray:
    """Return where the trials lie in the space, 0 to 1 along each range.

    A logarithmic range is measured by the logarithm, a choice by the place of its option.

    Args:
        space: the space, in the order of the columns.
        found: trials.

    Returns:
        float64 array of shape (trials, hyperparameters).

    Example:
        >>> from lrlab.sweep import LogUniform, Trial
        >>> empty = np.array([])
        >>> trial = Trial(0, {"peak_lr": 1e-3}, "completed", 2.0, empty, empty, 0.0, 1.0, None)
        >>> positions({"peak_lr": LogUniform(1e-4, 1e-2)}, [trial]).tolist()
        [[0.5]]
    """
    columns = [
        [searched.position(trial.params[name]) for trial in found]
        for name, searched in space.items()
    ]
    return np.array(columns, dtype=float).T.reshape(len(found), len(space))


@dataclasses.dataclass(frozen=True, eq=False)
class Importance:
    """How far each hyperparameter explains the values of the trials.

    Args:
        names: of the hyperparameters.
        shares: importances over the bootstrap, shape (resamples, hyperparameters); each row sums to
            1, or is 0 where nothing is explained.
        explained: share of the variance that the forest explains on trials that it has not seen,
            one for each resample.
    """

    names: tuple[str, ...]
    shares: np.ndarray
    explained: np.ndarray

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float, float]:
        """Return (low, median, high) of a hyperparameter's importance over the resamples."""
        values = self.shares[:, self.names.index(name)]
        tail = (1 - level) / 2
        low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
        return float(low), float(median), float(high)


def importance(
    space: Space, found: Sequence[Trial], *, resamples: int = 50, trees: int = 50, seed: int = 0
) -> Importance:
    """Return the importances of the hyperparameters, with their uncertainty over the trials.

    For each bootstrap sample of the trials, a random forest is fitted to the ranks of the values;
    a hyperparameter's importance is how much worse its predictions of the trials left out become
    when that hyperparameter is shuffled among them, as a share of the sum over all. Ranks, so that
    a diverged trial is the worst and no more.

    Args:
        space: the space.
        found: completed and diverged trials, at least ten.
        resamples: bootstrap samples.
        trees: of each forest.
        seed: of resampling, forests and shuffling.

    Raises:
        ValueError: if there are fewer than ten trials.

    Source:
        Breiman (2001), *Machine Learning* 45, 5-32.

    Returns:
        Shares over the bootstrap, and how much is explained at all.

    Example:
        >>> from lrlab.sweep import LogUniform, Trial, Uniform
        >>> space = {"peak_lr": LogUniform(0.01, 1.0), "optimizer.momentum": Uniform(0.0, 0.9)}
        >>> rng = np.random.default_rng(0)
        >>> def trial(number, rate, momentum):
        ...     params = {"peak_lr": rate, "optimizer.momentum": momentum}
        ...     ended = np.array([4]), np.array([rate])
        ...     return Trial(number, params, "completed", rate, *ended, 0, 0, None)
        >>> drawn = zip(0.01 ** rng.random(40), 0.9 * rng.random(40), strict=True)
        >>> trials = [trial(i, *pair) for i, pair in enumerate(drawn)]
        >>> found = importance(space, trials, resamples=5)
        >>> found.shares.mean(0).argmax()
        np.int64(0)
    """
    need("sklearn")
    from scipy.stats import rankdata
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    if len(found) < 10:
        raise ValueError(f"need at least ten trials for importances, got {len(found)}")
    x = positions(space, found)
    y = rankdata([trial.value for trial in found]) / len(found)
    rng = np.random.default_rng(seed)
    shares: list[np.ndarray] = []
    explained: list[float] = []
    while len(shares) < resamples:
        inside = rng.integers(len(found), size=len(found))
        outside = np.setdiff1d(np.arange(len(found)), inside)
        if len(outside) < 2:  # which have no variance that could be explained
            continue
        state = int(rng.integers(2**31))
        forest = RandomForestRegressor(trees, random_state=state, n_jobs=1)
        forest.fit(x[inside], y[inside])
        explained.append(forest.score(x[outside], y[outside]))
        measured = permutation_importance(
            forest, x[outside], y[outside], n_repeats=5, random_state=state, n_jobs=1
        )
        worse = np.maximum(measured.importances_mean, 0)
        shares.append(worse / worse.sum() if worse.sum() > 0 else worse)
    return Importance(tuple(space), np.array(shares), np.array(explained))


@dataclasses.dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of trials, found by k-means, and how clearly they are apart.

    Args:
        k: number of groups with the highest silhouette.
        labels: group of each trial.
        silhouettes: mean silhouette for each number of groups that was tried, by number.
        uniform: silhouettes of as many points drawn uniformly over the trials' extent, one a draw,
            each with its own best number of groups.
    """

    k: int
    labels: np.ndarray
    silhouettes: dict[int, float]
    uniform: np.ndarray

    @property
    def p(self) -> float:
        """Share of the uniform draws whose silhouette is at least as high: no groups give 0.5."""
        best = self.silhouettes[self.k]
        return float((1 + (self.uniform >= best).sum()) / (1 + len(self.uniform)))


def clusters(points: ArrayLike, *, most: int = 6, draws: int = 39, seed: int = 0) -> Clusters:
    """Group points by k-means, the number of groups by the silhouette, against no groups at all.

    Args:
        points: shape (points, dimensions), with comparable scales, such as `positions`.
        most: largest number of groups tried.
        draws: uniform samples to compare with.
        seed: of k-means and of the samples.

    Raises:
        ValueError: if there are not more than `most` points.

    Source:
        Rousseeuw (1987), *J. Computational and Applied Mathematics* 20, 53-65; the comparison with
        uniform samples after Tibshirani et al. (2001), *J. R. Statistical Society B* 63, 411-423.

    Returns:
        The groups, with silhouettes of theirs and of uniform samples.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> points = np.concatenate([rng.normal(place, 0.05, (20, 2)) for place in (0, 1, 2)])
        >>> clusters(points, draws=5).k
        3
    """
    x = np.asarray(points, dtype=float)
    if len(x) <= most:
        raise ValueError(f"need more than {most} points, got {len(x)}")
    silhouettes, labels = _grouped(x, most, seed)
    k = max(silhouettes, key=lambda number: silhouettes[number])
    rng = np.random.default_rng(seed)
    low, high = x.min(0), x.max(0)
    uniform = [
        max(_grouped(rng.uniform(low, high, x.shape), most, seed)[0].values()) for _ in range(draws)
    ]
    return Clusters(k, labels[k], silhouettes, np.array(uniform))


def _grouped(x: np.ndarray, most: int, seed: int) -> tuple[dict[int, float], dict[int, np.ndarray]]:
    need("sklearn")
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    silhouettes, labels = {}, {}
    for k in range(2, most + 1):
        labels[k] = KMeans(k, n_init=5, random_state=seed).fit_predict(x)
        silhouettes[k] = float(silhouette_score(x, labels[k]))
    return silhouettes, labels
