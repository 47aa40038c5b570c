"""What to do next with a range test, in the words of one who trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrlab.range_test._precise import FIRST
from lrlab.range_test._ramp import distinct

if TYPE_CHECKING:
    from lrlab.range_test._result import RangeTest

WIDE = 10.0
"""From this ratio of its ends on, an interval is explained."""


def advice(result: RangeTest) -> list[str]:
    """Return what a range test says to do, one sentence each.

    Args:
        result: the range test.
    """
    found = result.suggest()
    if found.lr is None:
        return [_without(result)]
    alike = len(distinct(result.traces)) == 1 < len(result.traces)
    said = [
        f"train {result.budget} updates at a constant rate of {found.lr:.2g}; under a cosine or "
        f"one-cycle, search for the peak from {found.lr:.2g} upwards"
    ]
    if found.interval is not None and found.interval.high / found.interval.low > WIDE:
        low, high = found.interval.low, found.interval.high
        more = FIRST * 5 * max(result.pilots[0].planned, result.budget // 2) if result.pilots else 0
        said.append(
            f"the rate is known to a factor of {high / low:.2g} only, from {low:.2g} to {high:.2g}"
            + (f": precision=3 narrows it with {more} updates or more" if result.pilots else "")
        )
    elif found.interval is None and result.pilots and not alike:
        said.append("how sure it is can't be said from so few pilots: precision=3 trains more")
    if alike:
        said.append(
            "all seeds saw the same batches in one order from the same weights, and count as one: "
            "let the loader shuffle, or take lrlab.tasks.from_factory"
        )
    if ratios := result.optimizer.get("ratios"):
        rates = ", ".join(f"{found.lr * ratio:.2g}" for ratio in ratios)
        said.append(f"the parameter groups then have {rates}; as_torch takes the first one's")
    tried = [trace.lr[0] for trace in (result.refined or result.pilots)]
    if tried and found.lr > 0.99 * max(tried) and result.band.high.lr is None:
        said.append(f"no rate was too large: repeat it with lr_max above {max(tried):.2g}")
    return said


def _without(result: RangeTest) -> str:
    reasons = set(result.stop_reason.values())
    if reasons <= {"flat", "completed"}:
        top = result.traces[0].planned_lr[-1]
        return (
            f"no rate up to {top:.2g} moves the loss by more than batches differ: give it more "
            "steps, larger batches, or a larger lr_max; lrlab.checkup looks for mistakes"
        )
    longest = max(result.traces, key=lambda trace: len(trace.loss))
    if len(longest.loss) <= 1 or reasons <= {"nan", "inf"}:
        return "look at the data and the loss first: lrlab.checkup says what is wrong with them"
    return (
        "the loss breaks before it falls: give it more steps, a smaller lr_max, or a gradient that "
        "is clipped; lrlab.checkup looks for mistakes"
    )
