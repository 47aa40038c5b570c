"""What a range test found: traces, band, suggestions, and why it stopped."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lrlab import stats
from lrlab.display import Pictured
from lrlab.range_test._advice import advice
from lrlab.range_test._band import Band, find_band, initial_loss
from lrlab.range_test._precise import precise
from lrlab.range_test._ramp import StopReason, Trace, distinct
from lrlab.range_test._smoothing import pooled
from lrlab.range_test.pilots import Suggestion, best_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULES = ("pilots", "ramp")

Rule = Callable[[Trace], float | None]


@dataclasses.dataclass(frozen=True, eq=False)
class RangeTest(Pictured):
    """The result of a range test. In a Jupyter cell it shows its picture.

    Args:
        task: the task, as `Task.to_dict` gives it.
        optimizer: the optimizer, as `Optimizer.to_dict` gives it.
        traces: one ramp a seed; raw, nothing is smoothed.
        pilots: short trainings at constant rates, in the order of their rates; may be none.
        budget: updates of the training that rates are suggested for.
        edge: the stability limit 2(1 + β)/λ_max of gradient descent with momentum β, at the first
            weights; None where it was not asked for.
        refined: longer pilots of other seeds; none without `precision`.
        precision: the ratio of the suggestion's ends that was aimed at; None: none was.
    """

    task: dict[str, Any]
    optimizer: dict[str, Any]
    traces: tuple[Trace, ...]
    pilots: tuple[Trace, ...]
    budget: int
    edge: float | None = None
    refined: tuple[Trace, ...] = ()
    precision: float | None = None

    @property
    def stop_reason(self) -> dict[int, StopReason]:
        """Why each seed's ramp ended."""
        return {trace.seed: trace.stop_reason for trace in self.traces}

    @property
    def steps(self) -> int:
        """Number of updates that all of it took."""
        return sum(len(trace.loss) for trace in (*self.traces, *self.pilots, *self.refined))

    @property
    def surcharge(self) -> float:
        """What the losses on the same batch cost: the ramps' time over their time without them."""
        extra = sum(
            float(t.probes["SameBatch"]["seconds"].sum())
            for t in self.traces
            if "SameBatch" in t.probes
        )
        total = sum(t.seconds for t in self.traces)
        return total / (total - extra)

    @functools.cached_property
    def band(self) -> Band:
        """The band of usable rates, with intervals over seeds."""
        return find_band(self.traces, self.budget)

    def suggest(self, rule: str | Rule | None = None) -> Suggestion:
        """Return one rate with its interval and the rule in words; or no rate, and the reason.

        Args:
            rule: ``"pilots"`` (what is used where there are pilots), ``"ramp"`` (from the ramps
                alone), or a function from one ramp's trace to a rate or None: what it says of each
                seed's ramp, the median over seeds and the t interval of the geometric mean.

        Raises:
            ValueError: if there is no such rule, or no pilots for it.
        """
        if rule is None:
            rule = "pilots" if self.pilots else "ramp"
        if callable(rule):
            return self._by(rule)
        if rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got rule={rule!r}")
        if self.band.low.lr is None:
            return Suggestion(None, None, self.band.low.reason)
        if rule == "ramp":
            return self._from_ramp()
        if not self.pilots:
            raise ValueError("rule='pilots' needs pilots, and this range test has none")
        start = initial_loss(self.traces)
        if self.refined and self.precision is not None:
            return precise(self.refined, self.budget, start, self.precision)
        return best_rate(self.pilots, self.budget, start)

    def shift(self, other: RangeTest) -> dict[str, float]:
        """Return by what factor another range test's answers lie above this one's.

        Example: one with twice the steps and seeds. NaN where one of the two has no answer.
        """
        return {
            name: (b / a if a and b else math.nan)
            for name, a, b in (
                ("low", self.band.low.lr, other.band.low.lr),
                ("high", self.band.high.lr, other.band.high.lr),
                ("suggestion", self.suggest().lr, other.suggest().lr),
            )
        }

    def figure(self) -> Figure:
        """Return the picture: loss and gradient norm against the rate, with band and suggestion."""
        from lrlab.range_test.figure import draw

        return draw(self)

    def __str__(self) -> str:
        ends = ", ".join(sorted(set(self.stop_reason.values())))
        ends_of = [self.band.low, *([self.band.high] if self.band.low.lr is not None else [])]
        lines = [
            f"range test of {self.task['task']} with {self.optimizer['optimizer']}: "
            f"{len(self.traces)} ramps ({ends}), {len(self.pilots) + len(self.refined)} pilots, "
            f"{self.steps} updates",
            f"  band for {self.budget} updates: {' to '.join(map(str, ends_of))}",
            f"  suggestion: {self.suggest()}",
            *(f"  next: {sentence}" for sentence in advice(self)),
        ]
        if any("SameBatch" in trace.probes for trace in self.traces):
            lines.append(f"  losses on the same batch: {self.surcharge:.2f} times the ramps' time")
        return "\n".join(lines)

    __repr__ = __str__

    def _from_ramp(self) -> Suggestion:
        def lowest(traces: list[Trace]) -> float:
            lr, loss = pooled(traces)
            return float(lr[int(np.argmin(loss))])

        each = [lowest([t]) / 2 for t in distinct(self.traces) if t.stop_reason != "flat"]
        interval = stats.geometric_interval(each) if len(each) >= 2 else None
        rate = lowest(list(self.traces)) / 2
        return Suggestion(rate, interval, "half of the rate at the ramps' lowest smoothed loss")

    def _by(self, rule: Rule) -> Suggestion:
        name = getattr(rule, "__name__", type(rule).__name__)
        each = [lr for lr in map(rule, distinct(self.traces)) if lr is not None and lr > 0]
        if not each:
            return Suggestion(None, None, f"{name} has no answer on any of the ramps")
        interval = stats.geometric_interval(each) if len(each) >= 2 else None
        words = f"{name}: median over {len(each)} of {len(distinct(self.traces))} seeds"
        return Suggestion(float(np.median(each)), interval, words)
