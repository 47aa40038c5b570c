"""What a running kernel tells, while it runs."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from lrlab.labbook.entries._told import Reader


class Listener:
    """Follows the events of a kernel: collects the keys of runs and moves a progress bar."""

    def __init__(self, told: Path, label: str) -> None:
        self.runs: set[str] = set()
        self.trained: set[str] = set()
        self.inputs: dict[tuple[str, ...], dict[str, str]] = {}
        self._spared: dict[str, float | None] = {}
        self._reader = Reader(told)
        self._label = label
        self._bar: Any = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()
        if self._bar is not None:
            self._bar.close()

    def seconds_from_empty(self, seconds: float) -> float | None:
        """Seconds with an empty store; None where a stored run does not say what it took."""
        spared = [self._spared[key] for key in self._spared.keys() - self.trained]
        known = [one for one in spared if one is not None]
        if len(known) < len(spared):
            return None
        return round(seconds + sum(known) / (os.cpu_count() or 1), 2)

    def _follow(self) -> None:
        while not self._end.wait(0.2):
            self._take()
        self._take()

    def _take(self) -> None:
        for event in self._reader:
            match event["event"]:
                case "plan":
                    self._extend(event["total"])
                case "run":
                    self._count(event)
                    if self._bar is not None:
                        self._bar.update()
                case "input":
                    what = event["what"], event["name"], event["sha256"]
                    self.inputs[what] = dict(zip(("kind", "name", "sha256"), what, strict=True))
                case "progress" if self._bar is not None:
                    self._bar.set_postfix_str(f"{event['label']} {event['done']}/{event['total']}")

    def _count(self, event: dict[str, Any]) -> None:
        key = event["key"]
        if key is None:
            return
        self.runs.add(key)
        if event["stored"]:
            self._spared[key] = event.get("seconds")
        else:
            self.trained.add(key)

    def _extend(self, total: int) -> None:
        if not self._label:
            return
        if self._bar is not None:
            self._bar.total += total
            self._bar.refresh()
            return
        from tqdm import tqdm

        seldom = 0.1 if sys.stderr.isatty() else 10
        self._bar = tqdm(total=total, desc=self._label, unit="run", mininterval=seldom)
