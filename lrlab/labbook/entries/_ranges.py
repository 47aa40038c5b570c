"""The range of a parameter: one notation, read from the comment beside it and held by every run.

===================  ==================================================================
`2..500`             both ends belong to it; either may be left out: `1..`
`0<..<1`             an end that does not belong to it has a `<`
`1..n_train`         an end may be another parameter
`subset | full`      one of these words
`any`                nothing is refused
`3.. of 0<..`        a list: how many values, and the range of each; `1..` if none is said
`3.. of 0<.. rising` each value above the one before
===================  ==================================================================
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrlab.labbook.entries.values import Type

_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_END = rf"(?:{_NUMBER}|[A-Za-z_]\w*)"
_INTERVAL = re.compile(rf"(?:({_END})\s*(<)?)?\.\.(?:(<)?\s*({_END}))?")
_BRACKET = re.compile(r"\s*\[([^\]]*)\]\s*")
_ANY = "any"
_RISING = " rising"


@dataclass(frozen=True)
class Interval:
    """Numbers between two ends, each of which may be absent, open, or another parameter.

    Args:
        low: the lower end, None without one.
        high: the upper end, None without one.
        low_open: whether the lower end does not belong to it.
        high_open: whether the upper end does not belong to it.
    """

    low: float | str | None = None
    high: float | str | None = None
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: float, values: Mapping[str, Any]) -> bool:
        """Return whether a number lies in it, where other parameters have these values."""
        low, high = _known(self.low, values), _known(self.high, values)
        above = low is None or (value > low if self.low_open else value >= low)
        below = high is None or (value < high if self.high_open else value <= high)
        return above and below

    def words(self, values: Mapping[str, Any]) -> str:
        """Say what it is, e.g. `at least 1 and at most n_train = 640`."""
        if self.low is not None and self.low == self.high:
            return _spelled(self.low, values)
        ends = [
            (self.low, "above" if self.low_open else "at least"),
            (self.high, "below" if self.high_open else "at most"),
        ]
        said = [f"{word} {_spelled(end, values)}" for end, word in ends if end is not None]
        return " and ".join(said) or "a number"


@dataclass(frozen=True)
class Range:
    """What a parameter's value may be.

    Args:
        text: the range as it is written.
        interval: the numbers, None for words.
        words: the choices of a text; empty where every text will do.
        count: how many values a list has, None for a single value.
        rising: whether each value of a list is above the one before.
    """

    text: str
    interval: Interval | None = None
    words: tuple[str, ...] = ()
    count: Interval | None = None
    rising: bool = False

    def refusal(self, name: str, value: Any, values: Mapping[str, Any]) -> str | None:
        """Return why a value is refused, in one sentence, or `None` if it is not.

        Args:
            name: the parameter.
            value: its value, of the parameter's type.
            values: the values of all parameters.

        Example:
            >>> read_range("2..", Type("int")).refusal("n_seeds", 0, {})
            'n_seeds must be at least 2, got 0'
        """
        if value is None:
            return None
        if self.count is None:
            what = self._fault(value, values)
            return f"{name} must be {what}, got {value!r}" if what else None
        if not self.count.holds(len(value), values):
            plural = "value" if self.count.low == self.count.high == 1 else "values"
            held = self.count.words(values)
            return f"{name} must hold {held} {plural}, got {len(value)}: {value!r}"
        for item in value:
            if what := self._fault(item, values):
                return f"each value of {name} must be {what}, got {item!r}"
        if self.rising and any(b <= a for a, b in itertools.pairwise(value)):
            return f"the values of {name} must rise, got {value!r}"
        return None

    def names(self) -> set[str]:
        """Return the other parameters that it refers to."""
        parts = [part for part in (self.interval, self.count) if part is not None]
        return {e for part in parts for e in (part.low, part.high) if isinstance(e, str)}

    def _fault(self, item: Any, values: Mapping[str, Any]) -> str | None:
        if self.interval is not None and not self.interval.holds(item, values):
            return self.interval.words(values)
        if self.words and item not in self.words:
            return f"one of {', '.join(self.words)}"
        return None


def read_range(text: str, type_: Type) -> Range:
    """Read the notation of a range.

    Args:
        text: e.g. `2..500`.
        type_: the type of the parameter.

    Raises:
        ValueError: if it is not in this notation, or does not fit the type.

    Example:
        >>> read_range("3.. of 0<.. rising", Type("float", is_list=True)).count
        Interval(low=3, high=None, low_open=False, high_open=False)
    """
    rest = " ".join(text.split())
    rising = rest.endswith(_RISING)
    count, of, inner = rest.removesuffix(_RISING).rpartition(" of ")
    if not type_.is_list:
        if of or rising:
            raise ValueError(f"the range {text!r} is one of lists, and the type is {type_}")
        return Range(rest, *_one(inner, type_))
    if re.fullmatch(r"\d+", count):
        count = f"{count}..{count}"
    counts = _interval(count or "1..")
    if counts is None:
        raise ValueError(f"{count!r} does not say how many values a list has, as `3..` does")
    return Range(rest, *_one(inner, type_), counts, rising)


def read_comment(comment: str, type_: Type) -> tuple[str, Range | None, str]:
    """Read a parameter's comment, `[unit, range] meaning`; the bracket and its parts may be absent.

    Args:
        comment: what stands behind the parameter.
        type_: the type of the parameter.

    Returns:
        Unit, range (`None` where none is declared) and meaning.

    Raises:
        ValueError: if what looks like a range is none.

    Example:
        >>> unit, range_, meaning = read_comment("[updates, 1..] of a run", Type("int"))
        >>> unit, range_.text, meaning
        ('updates', '1..', 'of a run')
    """
    bracket = _BRACKET.search(comment)
    meaning = _BRACKET.sub(" ", comment, count=1).strip()
    if bracket is None:
        return "", None, meaning
    unit, _, last = bracket[1].rpartition(",")
    last = last.strip()
    if last == _ANY or ".." in last or "|" in last:
        return unit.strip(), read_range(last, type_), meaning
    return bracket[1], None, meaning


def _one(text: str, type_: Type) -> tuple[Interval | None, tuple[str, ...]]:
    if text == _ANY:
        return None, ()
    if type_.scalar == "str":
        words = tuple(word.strip() for word in text.split("|"))
        if len(words) < 2 or not all(words):
            raise ValueError(f"the range of a text is `any` or `this | that`, got {text!r}")
        return None, words
    interval = _interval(text)
    if interval is None:
        raise ValueError(f"a range is written like `1..`, `0<..<1` or `2..n_train`, got {text!r}")
    return interval, ()


def _interval(text: str) -> Interval | None:
    found = _INTERVAL.fullmatch(text.strip())
    if found is None:
        return None
    low, low_open, high_open, high = found.groups()
    return Interval(_end(low), _end(high), bool(low_open), bool(high_open))


def _end(text: str | None) -> float | str | None:
    if text is None or not re.fullmatch(_NUMBER, text):
        return text
    return int(text) if re.fullmatch(r"[+-]?[\d_]+", text) else float(text)


def _known(end: float | str | None, values: Mapping[str, Any]) -> float | None:
    return values[end] if isinstance(end, str) else end


def _spelled(end: float | str, values: Mapping[str, Any]) -> str:
    return f"{end} = {values[end]:g}" if isinstance(end, str) else f"{end:g}"
