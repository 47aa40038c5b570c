"""A claim before it is judged: statement, source, data and the rule fixed in advance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from lrlab.claims._checks import check_direction, check_number, data_of
from lrlab.claims.setting import About, smallest_effect

__all__ = ["Claim"]

Published = float | str | None


class Common(TypedDict, total=False):
    """What every kind of claim may say besides."""

    unit: str
    source: str | None
    published: Published
    about: About


@dataclass(frozen=True)
class Claim:
    """One statement with the rule that will judge it; made by one of the constructors below.

    Args:
        id: short name, unique within the notebook: letters, digits, `_`, `-`.
        kind: "exact", "effect", "equivalence", "proportion" or "descriptive".
        statement: what is claimed, one sentence of plain text.
        data: what was measured, as JSON values.
        rule: the rule's parameters, as JSON values.
        unit: unit of the values.
        source: key in the bibliography of who claimed it; None for a claim of our own.
        published: the published number or result, if there is one.
        about: what is the same in all of an entry's claims on one comparison, see `About`.

    Raises:
        ValueError: if the id, the statement, a value or the rule makes no sense.

    Example:
        >>> claim = Claim.effect("lower", "A beats B", values=[-1.0, -2.0], direction="less")
        >>> claim.kind, claim.rule
        ('effect', {'direction': 'less', 'delta': 0.0})
    """

    id: str
    kind: str
    statement: str
    data: dict[str, Any]
    rule: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    source: str | None = None
    published: Published = None
    about: About = field(default_factory=About)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.id):
            raise ValueError(f"id must be letters, digits, '_' or '-', got id={self.id!r}")
        if not self.statement.strip():
            raise ValueError(f"claim {self.id!r} needs a statement")

    @classmethod
    def effect(
        cls,
        id: str,
        statement: str,
        *,
        values: ArrayLike,
        direction: str,
        delta: float | None = None,
        diverged: int = 0,
        **common: Unpack[Common],
    ) -> Claim:
        """The mean of paired values lies beyond ±δ in one direction.

        Args:
            id: short name, unique within the notebook.
            statement: what is claimed, one sentence.
            values: one value a seed, shape (n,), finite; e.g. `stats.log_differences`.
            direction: "less" (mean < -δ) or "greater" (mean > δ).
            delta: smallest effect of interest δ, at least 0, in the unit of the values; by default
                that of the table for `about.metric`, 0 without a metric.
            diverged: number of pairs that hold a diverged run, scored as guessing.
            **common: `unit`, `source`, `published` and `about`, as for every `Claim`.

        Returns:
            The claim, to be judged by `judge`.

        Raises:
            ValueError: on values that are not finite, an unknown direction, or a δ below 0.
        """
        check_direction(direction)
        if delta is None:
            metric = _metric(common)
            delta = smallest_effect(metric) if metric else 0.0
        check_number("delta", delta, minimum=0.0)
        rule = {"direction": direction, "delta": float(delta)}
        data = data_of(values, diverged)
        return cls(id, "effect", statement, data, rule, **common)

    @classmethod
    def equivalence(
        cls,
        id: str,
        statement: str,
        *,
        values: ArrayLike,
        margin: float | None = None,
        diverged: int = 0,
        **common: Unpack[Common],
    ) -> Claim:
        """The mean of paired values lies within ±margin.

        Args:
            id: short name, unique within the notebook.
            statement: what is claimed, one sentence.
            values: one value a seed, shape (n,), finite.
            margin: half-width of the region of equivalence, positive, in the unit of the values;
                by default δ of the table for `about.metric`.
            diverged: number of pairs that hold a diverged run, scored as guessing.
            **common: `unit`, `source`, `published` and `about`, as for every `Claim`.

        Returns:
            The claim, to be judged by `judge`.

        Raises:
            ValueError: on values that are not finite, or a margin that is not positive.

        Example:
            >>> Claim.equivalence("same", "A equals B", values=[0.1, -0.1], margin=0.25).rule
            {'margin': 0.25}
        """
        margin = smallest_effect(_metric(common)) if margin is None else margin
        check_number("margin", margin, minimum=float(np.nextafter(0, 1)))
        rule = {"margin": float(margin)}
        data = data_of(values, diverged)
        return cls(id, "equivalence", statement, data, rule, **common)

    @classmethod
    def proportion(
        cls,
        id: str,
        statement: str,
        *,
        successes: int,
        n: int,
        direction: str,
        threshold: float,
        method: str = "exact",
        **common: Unpack[Common],
    ) -> Claim:
        """A proportion lies above or below a threshold.

        To compare two conditions on paired seeds, count the pairs that differ: `n` is their
        number, `successes` those in favour of the claim, and the threshold one half (a sign
        test).

        Args:
            id: short name, unique within the notebook.
            statement: what is claimed, one sentence.
            successes: number of successes, 0 to n.
            n: number of trials; 0 is allowed and undecided.
            direction: "less" or "greater" than the threshold.
            threshold: proportion in [0, 1].
            method: interval: "exact" (Clopper-Pearson) or "wilson".
            **common: `unit`, `source`, `published` and `about`, as for every `Claim`.

        Returns:
            The claim, to be judged by `judge`.

        Raises:
            ValueError: on counts, a threshold, a direction or a method that make no sense.

        Example:
            >>> claim = Claim.proportion(
            ...     "most", "Most runs end", successes=9, n=10, direction="greater", threshold=0.5
            ... )
            >>> claim.data
            {'successes': 9, 'n': 10}
        """
        check_direction(direction)
        check_number("threshold", threshold, minimum=0.0, maximum=1.0)
        if method not in ("exact", "wilson"):
            raise ValueError(f"method must be 'exact' or 'wilson', got method={method!r}")
        if not 0 <= successes <= n:
            raise ValueError(f"need 0 <= successes <= n, got {successes} of {n}")
        data = {"successes": int(successes), "n": int(n)}
        rule = {"direction": direction, "threshold": float(threshold), "method": method}
        common.setdefault("unit", "proportion")
        return cls(id, "proportion", statement, data, rule, **common)

    @classmethod
    def exact(
        cls,
        id: str,
        statement: str,
        *,
        holds: bool | None = None,
        measured: Sequence[float] | float | None = None,
        expected: Sequence[float] | float | None = None,
        tolerance: float = 0.0,
        detail: str = "",
        **common: Unpack[Common],
    ) -> Claim:
        """A closed form, an identity or a pinned behaviour: it holds or it does not.

        Give either `holds`, or `measured` and `expected` with the largest absolute difference
        that is allowed; the numbers are kept, so that the verdict can be computed again.

        Args:
            id: short name, unique within the notebook.
            statement: what is claimed, one sentence.
            holds: whether it holds.
            measured: number, or a few of them.
            expected: number, or as many of them.
            tolerance: largest absolute difference allowed, at least 0.
            detail: what was compared, one sentence.
            **common: `unit`, `source`, `published` and `about`, as for every `Claim`.

        Returns:
            The claim, to be judged by `judge`.

        Raises:
            ValueError: unless exactly one of the two forms is given, or on unequal lengths.

        Example:
            >>> Claim.exact("half", "Half of one", measured=0.5, expected=1 / 2).data["measured"]
            [0.5]
        """
        if (holds is None) == (measured is None) or (measured is None) != (expected is None):
            raise ValueError("give either holds, or measured and expected")
        check_number("tolerance", tolerance, minimum=0.0)
        data: dict[str, Any] = {"detail": detail}
        if holds is not None:
            return cls(id, "exact", statement, data | {"holds": bool(holds)}, **common)
        data |= {
            name: np.atleast_1d(np.asarray(numbers, dtype=float)).tolist()
            for name, numbers in (("measured", measured), ("expected", expected))
        }
        if not np.isfinite(data["measured"] + data["expected"]).all():
            raise ValueError(f"claim {id!r}: measured and expected must be finite")
        if len(data["measured"]) != len(data["expected"]):
            raise ValueError(
                f"measured and expected need equal lengths, got {len(data['measured'])} "
                f"and {len(data['expected'])}"
            )
        rule = {"tolerance": float(tolerance)}
        return cls(id, "exact", statement, data, rule, **common)

    @classmethod
    def descriptive(
        cls,
        id: str,
        statement: str,
        *,
        values: ArrayLike,
        scale: str = "linear",
        **common: Unpack[Common],
    ) -> Claim:
        """A number with n and spread, without a verdict.

        Args:
            id: short name, unique within the notebook.
            statement: what was measured, one sentence.
            values: one value a seed, shape (n,), finite.
            scale: "linear" (mean) or "log" (geometric mean: rates and ratios, positive values).
            **common: `unit`, `source`, `published` and `about`, as for every `Claim`.

        Returns:
            The claim, to be shown by `judge` and `show`.

        Raises:
            ValueError: on values that are not finite, or not positive on a log scale.

        Example:
            >>> Claim.descriptive("band-low", "Lower end", values=[0.01, 0.02], scale="log").rule
            {'scale': 'log'}
        """
        if scale not in ("linear", "log"):
            raise ValueError(f"scale must be 'linear' or 'log', got scale={scale!r}")
        data = data_of(values)
        if scale == "log" and min(data["values"]) <= 0:
            raise ValueError(f"a log scale needs positive values, got {min(data['values'])}")
        return cls(id, "descriptive", statement, data, {"scale": scale}, **common)


def _metric(common: Common) -> str:
    return common.get("about", About()).metric
