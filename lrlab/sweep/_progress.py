"""How far a sweep is, as one line that is renewed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from lrlab import events
from lrlab.sweep.trial import best_of, trials

if TYPE_CHECKING:
    import optuna


class Board:
    """A bar over the trials: best value, how many run, were stopped, diverged, and the time left.

    Args:
        total: number of trials.
        study: what is watched.
        shown: whether anything is shown at all; nothing is, where a program listens to events.
    """

    def __init__(self, total: int, study: optuna.Study, *, shown: bool) -> None:
        self._total, self._study = total, study
        self._told: set[int] = set()
        self._bar = tqdm(total=total, unit="trial", disable=not shown or events.heard())

    def __enter__(self) -> Board:
        events.emit("plan", total=self._total, stored=0, seconds=None)
        self.update()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._bar.close()

    def update(self) -> None:
        """Show what the study holds now."""
        rows = trials(self._study)
        ended = [row for row in rows if row.outcome != "interrupted"]
        for row in ended:
            if row.number not in self._told:
                self._told.add(row.number)
                events.emit("run", key=row.run_key, stored=False, status=row.outcome)
        found = Counter(row.outcome for row in rows)
        counts = {"running": found["interrupted"]}
        counts |= {word: found[word] for word in ("stopped", "diverged")}
        counts |= {"failed": found["failed"]} if found["failed"] else {}
        best = best_of(ended, maximizes=self._study.direction.name == "MAXIMIZE")
        shown = {} if best is None else {"best": f"{best.value:.4g}"}
        self._bar.set_postfix(shown | counts, refresh=False)
        self._bar.update(len(ended) - self._bar.n)
