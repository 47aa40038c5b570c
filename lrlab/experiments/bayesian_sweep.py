"""Explore or exploit: where a search tries, against where uniform draws would have tried."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import optuna
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

_LENGTH_BOUNDS = (1e-5, 1e5)  # scikit-learn's own, of a kernel's length scale
_STEADY = 1e-7  # added to the diagonal of the kernel's matrix


def distance_ranks(
    positions: ArrayLike, values: ArrayLike, *, wave: int = 1, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Return how near each trial lies to the best one before it, 0 to 1.

    It is the share of uniform draws from the space that lie nearer to that best one. So uniform
    sampling gives 0.5 on average wherever the best one lies; 0 is exploiting, 1 is as far away as
    possible.

    Args:
        positions: where the trials lie, 0 to 1 along each range, shape (trials, dimensions).
        values: smaller is better; what is not finite is never the best, shape (trials,).
        wave: trials that were chosen together, none of them knowing the others' values.
        draws: uniform draws.
        seed: of the draws.

    Returns:
        float64 array of shape (trials,); NaN where there is no best one before.

    Raises:
        ValueError: if the shapes don't fit.

    Example:
        >>> distance_ranks([[0.5], [0.5], [1.0]], [1.0, 2.0, 3.0]).tolist()
        [nan, 0.0, 1.0]
    """
    x, y = np.asarray(positions, dtype=float), np.asarray(values, dtype=float)
    if x.ndim != 2 or y.shape != (len(x),):
        raise ValueError(f"need (n, d) positions and (n,) values, got {x.shape} and {y.shape}")
    drawn = np.random.default_rng(seed).uniform(size=(draws, x.shape[1]))
    value = np.where(np.isfinite(y), y, np.inf)
    ranks = np.full(len(x), np.nan)
    for i in range(len(x)):
        before = value[: i - i % wave]
        if np.isfinite(before).any():
            best = x[int(np.argmin(before))]
            mine = np.linalg.norm(x[i] - best)
            ranks[i] = np.mean(np.linalg.norm(drawn - best, axis=1) < mine)
    return ranks


def at_edge(positions: ArrayLike, width: float = 0.05) -> np.ndarray:
    """Return which trials lie at an end of at least one range.

    Uniform sampling puts a share of $1 - (1 - 2 w)^d$ there.

    Args:
        positions: as for `distance_ranks`.
        width: share of a range that counts as one of its ends, w.

    Returns:
        bool array of shape (trials,).

    Example:
        >>> at_edge([[0.5, 0.99], [0.5, 0.5]]).tolist()
        [True, False]
    """
    x = np.asarray(positions, dtype=float)
    return ((x < width) | (x > 1 - width)).any(axis=1)


def wandb_search(
    objective: Callable[[np.ndarray], float],
    dimensions: int,
    trials: int,
    *,
    seed: int = 0,
    memory: int = 100,
    candidates: int = 1000,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise a function on the unit cube as W&B's Bayesian search does.

    A Gaussian process with a Matérn kernel of order 1.5 and one length scale is fitted to the
    standardised values; of uniform candidates the one with the highest expected improvement on the
    best value is tried next. Where there are more trials than `memory`, the process sees as many
    of them, drawn anew with replacement for every choice. Where the length scale sits at a bound, a
    candidate is taken at random. Unlike W&B's it has a seed.

    Args:
        objective: the function, of an array of shape (dimensions,).
        dimensions: of the cube.
        trials: how many.
        seed: of all draws.
        memory: trials that the process may see.
        candidates: points among which the next one is chosen.

    Returns:
        Positions of shape (trials, dimensions) and values of shape (trials,).

    Source:
        `bayes_search` of the package `sweeps` 0.3.0 (Weights & Biases).

    Example:
        >>> x, y = wandb_search(lambda at: float((at[0] - 0.3) ** 2), 1, 12)
        >>> bool(y.min() < 1e-3)
        True
    """
    from scipy.stats import norm
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    rng = np.random.default_rng(seed)
    x, y = np.empty((trials, dimensions)), np.empty(trials)
    for n in range(trials):
        tried = rng.uniform(size=(candidates, dimensions))
        chosen = 0
        if n >= 2:
            seen = np.arange(n) if n <= memory else rng.integers(n, size=memory)
            mean, spread = y[seen].mean(), y[seen].std() + 1e-6
            process = GaussianProcessRegressor(
                Matern(1.0, _LENGTH_BOUNDS, nu=1.5),
                alpha=_STEADY,
                n_restarts_optimizer=2,
                random_state=2,
            )
            _fit(process, x[seen], (y[seen] - mean) / spread)
            length = float(process.kernel_.length_scale)
            if not np.isclose(np.log(length), np.log(_LENGTH_BOUNDS)).any():
                expected, sd = process.predict(tried, return_std=True)
                better = (y[:n].min() - mean) / spread - expected
                z = better / (sd + 1e-6)
                chosen = int(np.argmax(better * norm.cdf(z) + sd * norm.pdf(z)))
        x[n] = tried[chosen]
        y[n] = objective(x[n])
    return x, y


def tpe_search(
    objective: Callable[[np.ndarray], float], dimensions: int, trials: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise a function on the unit cube with Optuna's tree-structured Parzen estimator.

    Args:
        objective: the function, of an array of shape (dimensions,).
        dimensions: of the cube.
        trials: how many, ten of them at random.
        seed: of the sampler.

    Returns:
        Positions of shape (trials, dimensions) and values of shape (trials,).

    Source:
        Bergstra et al. (2011), *NeurIPS* 24.

    Example:
        >>> x, y = tpe_search(lambda at: float((at[0] - 0.3) ** 2), 1, 12)
        >>> x.shape, y.shape
        ((12, 1), (12,))
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    names = [f"x{i}" for i in range(dimensions)]
    study.optimize(
        lambda trial: objective(np.array([trial.suggest_float(name, 0, 1) for name in names])),
        n_trials=trials,
    )
    found = study.get_trials(deepcopy=False)
    return (
        np.array([[trial.params[name] for name in names] for trial in found]),
        np.array([trial.value for trial in found]),
    )


class Surface:
    """A smooth surface fitted to what trials came to, with their scatter about it as noise.

    A Gaussian process with a Matérn kernel of order 2.5, one length scale for each dimension, and
    white noise, all fitted by likelihood. Searches can be tried on it that would take hours to
    train.

    Args:
        positions: where the trials lie, 0 to 1 along each range, shape (trials, dimensions).
        values: finite, shape (trials,).

    Example:
        >>> x = np.linspace(0, 1, 20)[:, None]
        >>> surface = Surface(x, (x[:, 0] - 0.3) ** 2)
        >>> abs(float(surface.mean([[0.3]])[0])) < 0.01
        True
    """

    def __init__(self, positions: ArrayLike, values: ArrayLike) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern, WhiteKernel

        x, y = np.asarray(positions, dtype=float), np.asarray(values, dtype=float)
        self._centre, self._scale = y.mean(), y.std() + 1e-12
        kernel = 1.0 * Matern(np.ones(x.shape[1]), (0.05, 20.0), nu=2.5) + WhiteKernel(
            0.1, (1e-6, 1.0)
        )
        self._process = GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=0)
        _fit(self._process, x, (y - self._centre) / self._scale)
        self.noise = float(self._scale * np.sqrt(self._process.kernel_.k2.noise_level))

    def mean(self, positions: ArrayLike) -> np.ndarray:
        """Return the surface at positions of shape (n, dimensions), shape (n,)."""
        return self._centre + self._scale * self._process.predict(np.asarray(positions))

    def objective(self, seed: int) -> Callable[[np.ndarray], float]:
        """Return a function of one position, with noise drawn anew at each call."""
        rng = np.random.default_rng([seed, 7])

        def value(at: np.ndarray) -> float:
            return float(self.mean(at[None])[0] + self.noise * rng.normal())

        return value


def _fit(process: GaussianProcessRegressor, x: np.ndarray, y: np.ndarray) -> None:
    # A length scale at its bound is an answer here: such a dimension doesn't matter.
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(x, y)
