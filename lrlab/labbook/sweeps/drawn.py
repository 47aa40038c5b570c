"""Distributions of W&B's that Optuna has not, searched by the probability below a value."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np
from optuna import distributions as optuna_distributions

from lrlab.checks import is_number
from lrlab.sweep.ranges import Range, plain

_NEEDS: dict[str, tuple[str, ...]] = {
    "uniform": ("low", "high"),
    "log_uniform": ("low", "high"),
    "normal": ("mu", "sigma"),
    "log_normal": ("mu", "sigma"),
    "beta": ("a", "b"),
    "categorical": ("options",),
}
_TAIL = 1e-9  # of the probability, which is never drawn


@dataclasses.dataclass(frozen=True)
class Drawn(Range):
    """A distribution by its quantiles, rounded to multiples of `q` if there is one.

    Args:
        kind: ``"uniform"``, ``"log_uniform"``, ``"normal"``, ``"log_normal"``, ``"beta"`` or
            ``"categorical"``.
        low: lower end.
        high: upper end.
        mu: mean, of the logarithm where it is logarithmic.
        sigma: standard deviation, likewise.
        a: first exponent of a beta distribution.
        b: second exponent.
        options: of a categorical one.
        probabilities: of the options; None: all equal.
        q: values are multiples of it; whole numbers if it is one.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> Drawn("normal", mu=1.0, sigma=2.0).at(0.5)
        1.0
        >>> Drawn("log_uniform", low=8, high=512, q=8).at(0.5)
        64
    """

    kind: str
    low: Any = None
    high: Any = None
    mu: Any = None
    sigma: Any = None
    a: Any = None
    b: Any = None
    options: Any = None
    probabilities: Any = None
    q: Any = None

    def __post_init__(self) -> None:
        if self.kind not in _NEEDS:
            raise ValueError(f"there is no distribution {self.kind!r}")
        if self.kind == "categorical":
            self._check_options()
            return
        for name in (*_NEEDS[self.kind], *(["q"] if self.q is not None else [])):
            value = getattr(self, name)
            if not is_number(value) or not abs(value) < 1e300:
                raise ValueError(f"{self.kind}: {name} must be a number, got {name}={value!r}")
            if name in ("sigma", "a", "b", "q") and value <= 0:
                raise ValueError(f"{self.kind}: {name} must be positive, got {name}={value!r}")
            object.__setattr__(self, name, plain(value))
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"{self.kind}: need min < max, got {self.low} and {self.high}")
        if self.kind == "log_uniform" and not (self.low or 0) > 0:
            raise ValueError(f"{self.kind}: the lower end must be positive, got {self.low}")
        with np.errstate(over="ignore", invalid="ignore"):
            ends = [self.at(0.0), self.at(1.0)]
        if not all(math.isfinite(end) for end in ends):
            raise ValueError(f"{self.kind} reaches values that no float holds, {ends}")

    def _check_options(self) -> None:
        if not isinstance(self.options, (list, tuple)) or not self.options:
            raise ValueError(f"values must be a list with something in it, got {self.options!r}")
        object.__setattr__(self, "options", tuple(plain(option) for option in self.options))
        chances = self.probabilities
        if chances is None:
            chances = [1 / len(self.options)] * len(self.options)
        if not isinstance(chances, (list, tuple)) or len(chances) != len(self.options):
            raise ValueError(f"there must be a probability for each of values, got {chances!r}")
        if not all(is_number(p) and 0 <= p <= 1 for p in chances) or abs(sum(chances) - 1) > 1e-6:
            raise ValueError(f"probabilities must be numbers from 0 to 1 with sum 1, got {chances}")
        object.__setattr__(self, "probabilities", tuple(float(p) for p in chances))

    def __hash__(self) -> int:
        return hash(repr(self))

    def distribution(self) -> Any:
        """Return what Optuna searches: the share of probability."""
        return optuna_distributions.FloatDistribution(0.0, 1.0)

    def value(self, raw: float) -> Any:
        """Return the value that a sampler meant."""
        return self.at(raw)

    def raw(self, value: Any) -> float:
        """Return what a sampler would have said for a value."""
        return self.position(value)

    def at(self, place: float) -> Any:
        """Return the value below which this share of the probability lies."""
        place = min(max(float(place), _TAIL), 1 - _TAIL)
        if self.kind == "categorical":
            upto: Any = np.cumsum(self.probabilities)
            return self.options[min(int(np.searchsorted(upto, place)), len(upto) - 1)]
        value = float(self._law.ppf(place))
        if self.q is None:
            return value
        value = float(np.round(value / self.q) * self.q)
        return int(value) if isinstance(self.q, int) else value

    def position(self, value: Any) -> float:
        """Return the share of probability below a value, for an option up to its middle."""
        if self.kind == "categorical":
            place = self.options.index(plain(value))
            return float(sum(self.probabilities[:place]) + self.probabilities[place] / 2)
        return float(self._law.cdf(value))

    @functools.cached_property
    def _law(self) -> Any:
        from scipy import stats

        if self.kind == "uniform":
            return stats.uniform(self.low, self.high - self.low)
        if self.kind == "log_uniform":
            return stats.loguniform(self.low, self.high)
        if self.kind == "normal":
            return stats.norm(self.mu, self.sigma)
        if self.kind == "log_normal":
            return stats.lognorm(self.sigma, scale=np.exp(self.mu))
        return stats.beta(self.a, self.b)

    def holds(self, value: Any) -> bool:
        """Return whether a value can be drawn."""
        return value in self.options if self.options is not None else is_number(value)

    def some(self) -> list[Any]:
        """Return the options, or values from all over."""
        return list(self.options) if self.options else [self.at(p) for p in (0.02, 0.5, 0.98)]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        said = {k: v for k, v in dataclasses.asdict(self).items() if v is not None}
        return {"range": "Drawn"} | plain(said)
