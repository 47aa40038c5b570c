"""Whole sweeps with W&B's own search, and where a search tries: does it explore or exploit?"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from numpy.typing import ArrayLike

from lrlab.sweep import rules
from lrlab.sweep.plan import Plan
from lrlab.training import Job, Run, train_many

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
    return np.any((x < width) | (x > 1 - width), axis=1)


class WandbSearch:
    """Minimise a function on the unit cube as W&B's Bayesian search does, one trial at a time.

    A Gaussian process with a Matérn kernel of order 1.5 and one length scale is fitted to the
    standardised values; of uniform candidates the one with the highest expected improvement on the
    best value is tried next. Where there are more trials than `memory`, the process sees as many
    of them, drawn anew with replacement for every choice. Where the length scale sits at a bound, a
    candidate is taken at random. Unlike W&B's it has a seed.

    Args:
        dimensions: of the cube.
        seed: of all draws.
        memory: trials that the process may see.
        candidates: points among which the next one is chosen.

    Source:
        `bayes_search` of the package `sweeps` 0.3.0 (Weights & Biases).

    Example:
        >>> search = WandbSearch(1)
        >>> for _ in range(12):
        ...     at = search.ask()
        ...     search.tell(at, float((at[0] - 0.3) ** 2))
        >>> min(search.values) < 1e-3
        True
    """

    def __init__(
        self, dimensions: int, *, seed: int = 0, memory: int = 100, candidates: int = 1000
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._shape, self._memory = (candidates, dimensions), memory
        self.positions: list[np.ndarray] = []
        self.values: list[float] = []

    def ask(self) -> np.ndarray:
        """Return where to try next, shape (dimensions,)."""
        from scipy.stats import norm
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern

        tried, n = self._rng.uniform(size=self._shape), len(self.values)
        if n < 2:
            return tried[0]
        x, y = np.array(self.positions), np.array(self.values)
        seen = np.arange(n) if n <= self._memory else self._rng.integers(n, size=self._memory)
        mean, spread = y[seen].mean(), y[seen].std() + 1e-6
        process = GaussianProcessRegressor(
            Matern(1.0, _LENGTH_BOUNDS, nu=1.5),
            alpha=_STEADY,
            n_restarts_optimizer=2,
            random_state=2,
        )
        _fit(process, x[seen], (y[seen] - mean) / spread)
        length = float(process.kernel_.length_scale)
        if np.isclose(np.log(length), np.log(_LENGTH_BOUNDS)).any():
            return tried[0]
        expected, sd = process.predict(tried, return_std=True)
        better = (y.min() - mean) / spread - expected
        z = better / (sd + 1e-6)
        return tried[int(np.argmax(better * norm.cdf(z) + sd * norm.pdf(z)))]

    def tell(self, position: np.ndarray, value: float) -> None:
        """Note what a trial came to, finite; smaller is better."""
        self.positions.append(np.asarray(position, dtype=float))
        self.values.append(float(value))


@dataclasses.dataclass(frozen=True, eq=False)
class Swept:
    """One whole sweep, all of its runs trained to their end.

    Args:
        seed: of search, initial weights and data order.
        positions: where it tried, 0 to 1 along each range, shape (trials, hyperparameters).
        losses: validation loss at the start and at each evaluation, NaN from a divergence on,
            shape (trials, evaluations + 1).
        test: test loss at the end, that of guessing after a divergence, shape (trials,).
        spent: evaluations of each trial until it was stopped or ended, shape (trials,).
    """

    seed: int
    positions: np.ndarray
    losses: np.ndarray
    test: np.ndarray
    spent: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        """Which runs did not diverge."""
        return np.isfinite(self.losses).all(axis=1)

    @property
    def survived(self) -> np.ndarray:
        """Which trials went to their end within the sweep."""
        return self.whole & (self.spent == self.losses.shape[1] - 1)

    @property
    def final(self) -> np.ndarray:
        """Validation loss of each run at its end, infinity if it diverged."""
        return np.where(self.whole, self.losses[:, -1], np.inf)

    @property
    def best(self) -> np.ndarray:
        """Numbers of the survivors, the lowest final validation loss first."""
        order = np.argsort(self.final)
        return order[self.survived[order]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `from_dict` is its inverse."""
        plain = {k: np.asarray(v).tolist() for k, v in vars(self).items() if k != "losses"}
        rows = [[v if np.isfinite(v) else None for v in row] for row in self.losses.tolist()]
        return plain | {"losses": rows}

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Swept:
        """The sweep that `to_dict` wrote."""
        arrays = {k: np.array(d[k], dtype=float) for k in ("positions", "losses", "test")}
        return cls(d["seed"], **arrays, spent=np.array(d["spent"], dtype=int))


class _Going:
    """A sweep that is going on: what its search and its stopping rule have seen."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan, self.seed = plan, seed
        self.search = WandbSearch(len(plan.space), seed=seed)
        self.study = optuna.create_study(
            pruner=rules.make(plan.rule), sampler=optuna.samplers.RandomSampler(seed=0)
        )
        self.rungs = rules.rungs(plan.rule, plan.evaluations)
        self.losses: list[np.ndarray] = []
        self.test: list[float] = []
        self.spent: list[int] = []

    def job(self) -> Job:
        """The next trial, to its end."""
        self.at = self.search.ask()
        places = zip(self.plan.space.items(), self.at, strict=True)
        params = {name: searched.at(float(place)) for (name, searched), place in places}
        return Job(self.plan.task, self.plan.recipe_of(params).replace(seed=self.seed))

    def note(self, run: Run) -> None:
        """Take the run of the last trial."""
        losses = np.full(self.plan.evaluations + 1, np.nan)
        seen = run.evals["validation_loss"]
        losses[: len(seen)] = np.where(np.isfinite(seen), seen, np.nan)
        spent = self._stopped_after(losses[1:])
        known = losses[: spent + 1]
        self.search.tell(self.at, float(np.nanmin(known)))  # W&B takes the best so far
        self.losses.append(losses)
        self.test.append(run.final("test_loss"))
        self.spent.append(spent)

    def _stopped_after(self, losses: np.ndarray) -> int:
        trial = self.study.ask()
        last = len(losses)
        for step, value in enumerate(losses, 1):
            if not np.isfinite(value):
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return step - 1
            trial.report(float(value), step)
            if step in self.rungs and step < last and trial.should_prune():
                self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                return step
        self.study.tell(trial, float(losses[-1]))
        return last

    def done(self) -> Swept:
        return Swept(
            self.seed,
            np.array(self.search.positions),
            np.array(self.losses),
            np.array(self.test),
            np.array(self.spent),
        )


def repeat(
    plan: Plan,
    seeds: Iterable[int],
    *,
    told: Callable[[int], None] | None = None,
    **how: Any,
) -> list[Swept]:
    """Carry out whole sweeps beside one another with W&B's search and rule, a trial at a time.

    Trials that the rule stops are trained on, for the analysis alone: the search sees of them what
    it would have seen.

    Args:
        plan: task, recipe, space, rule and number of trials; its sampler and seed don't count.
        seeds: one for each sweep: of search, initial weights and data order.
        told: called with the number of trials after each one.
        **how: `store` and `n_jobs`, as for `lrlab.training.train_many`.

    Returns:
        The sweeps in the order of the seeds.

    Example:
        >>> from lrlab.experiments import surnames
        >>> plan = surnames.bayesian(trials=2, updates=20, eval_every=10, n_eval=8)
        >>> [one] = repeat(plan, [0], n_jobs=1, store=None)
        >>> one.positions.shape, one.losses.shape, Swept.from_dict(one.to_dict()).seed
        ((2, 3), (2, 3), 0)
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    going = [_Going(plan, seed) for seed in seeds]
    for trial in range(1, plan.trials + 1):
        runs = train_many([one.job() for one in going], progress=False, **how)
        for one, run in zip(going, runs, strict=True):
            one.note(run)
        if told:
            told(trial)
    return [one.done() for one in going]


def _fit(process: GaussianProcessRegressor, x: np.ndarray, y: np.ndarray) -> None:
    # A length scale at its bound is an answer here: such a dimension doesn't matter.
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(x, y)
