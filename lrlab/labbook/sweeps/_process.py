"""One script that runs: what it says, when it pauses, how it is told to end."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrlab.sweep.workers import Progress

_PATIENCE = 5.0  # seconds for the last lines of a process that has ended
_LAST = 4096  # bytes of the end of stderr that are looked at


class Process:
    """A started script.

    It may say its metric `allowed` times; then it waits: in `lrlab.sweep.report`, if it speaks
    through that, else the whole process group is paused.

    Args:
        words: the command.
        folder: where stdout.txt, stderr.txt and metrics.jsonl are kept.
        metric: name of the metric.
        environment: its variables.
        timeout: seconds that it may run; None: for ever.
        grace: seconds between being told to end and being killed.
    """

    def __init__(
        self,
        words: list[str],
        folder: Path,
        metric: str,
        environment: Mapping[str, str],
        *,
        timeout: float | None,
        grace: float,
    ) -> None:
        self._metric, self._grace, self._timeout = metric, grace, timeout
        self._folder = folder
        self._changed = threading.Condition()
        self._allowed, self._told = 0, False
        self._values: list[float] = []
        self._steps: list[int] = []
        self._rows, self._last_was_finite = 0, True
        self._others: set[str] = set()
        self._speaks, self._paused, self._ended, self._late = False, False, False, False
        self._began = time.monotonic()
        self._start = math.nan
        self._seconds, self._since = 0.0, self._began
        self._metrics = (folder / "metrics.jsonl").open("w", encoding="utf-8")
        with (folder / "stderr.txt").open("wb") as errors:
            self._popen = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def go(self, allowed: int) -> Progress:
        """Let it go on until it has said its metric so many times, or has ended."""
        with self._changed:
            self._since = time.monotonic() if self._allowed else self._began
            self._allowed = allowed
            if self._paused:
                self._paused = False
                self._signal("SIGCONT")
            self._changed.notify_all()
            while not self._ended and len(self._values) < self._allowed:
                left = self._left()
                if left is not None and left <= 0:
                    self._late = True
                    break
                self._changed.wait(left)
            self._seconds += time.monotonic() - self._since
        if self._late:
            self.stop()
        with self._changed:
            return self._progress()

    def _left(self) -> float | None:
        if self._timeout is None:
            return None
        return self._timeout - self._seconds - (time.monotonic() - self._since)

    def _progress(self) -> Progress:
        upto = min(self._allowed, len(self._values))
        ended = self._ended and len(self._values) <= self._allowed
        failed, diverged = None, False
        if self._late:
            failed, ended = f"it took longer than {self._timeout:g} seconds", True
        elif ended and self._popen.returncode:
            failed = self._reason()
        elif ended and self._rows and not self._last_was_finite:
            diverged = True
        elif ended and not upto:
            said = f"; it said {', '.join(sorted(self._others)[:8])}" if self._others else ""
            failed = f"it ended without a value of {self._metric!r}{said}"
        return Progress(
            values=tuple(self._values[:upto]),
            steps=tuple(self._steps[:upto]),
            diverged=diverged,
            seconds=self._seconds,
            ended=ended,
            failed=failed,
            start=self._start,
        )

    def _reason(self) -> str:
        code = self._popen.returncode
        with (self._folder / "stderr.txt").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LAST))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        if lines:
            return lines[-1].strip()[:300]
        if code < 0:
            return f"it was ended by signal {-code}"
        return f"it ended with exit code {code}"

    def heard(self, step: int | None, metrics: Mapping[str, float]) -> bool:
        """Note what it said through `report`; return whether it may go on, once that is known."""
        with self._changed:
            self._speaks = True
            self._note(step, metrics)
            while not self._told and not self._late and len(self._values) >= self._allowed:
                self._changed.wait()
            return not (self._told or self._late)

    def _note(self, step: int | None, metrics: Mapping[str, float]) -> None:
        if math.isnan(self._start):
            self._start = time.monotonic() - self._began
        self._others |= set(metrics)
        if not self._metrics.closed:
            self._metrics.write(json.dumps({"step": step, **metrics}) + "\n")
            self._metrics.flush()
        if self._metric not in metrics or self._told:
            return
        value = metrics[self._metric]
        self._rows += 1
        self._last_was_finite = math.isfinite(value)
        if self._last_was_finite:
            self._values.append(value)
            self._steps.append(self._rows if step is None else step)
            if len(self._values) >= self._allowed:
                self._changed.notify_all()

    def _read(self) -> None:
        with (self._folder / "stdout.txt").open("wb") as kept, contextlib.suppress(ValueError):
            for line in self._popen.stdout or ():
                kept.write(line)
                kept.flush()
                if not line.lstrip().startswith(b"{"):
                    continue
                with self._changed:
                    if self._speaks or not (row := numbers(line)):
                        continue
                    self._note(row.pop("step", None), row)  # type: ignore[arg-type]
                    if len(self._values) >= self._allowed and not self._told:
                        self._paused = True
                        self._signal("SIGSTOP")

    def _wait(self) -> None:
        self._popen.wait()
        self._signal("SIGKILL", gone=True)  # what it left behind in its group
        self._reader.join(_PATIENCE)
        with self._changed:
            self._ended = True
            self._metrics.close()
            self._changed.notify_all()

    def stop(self) -> None:
        """Tell it to end, and kill it if it doesn't."""
        with self._changed:
            self._told = True
            self._changed.notify_all()
        if self._speaks and not self._late and self._gone():
            return
        self._signal("SIGTERM")
        self._signal("SIGCONT")
        if not self._gone():
            self._signal("SIGKILL")
            self._gone()

    def kill(self) -> None:
        """End it at once."""
        with self._changed:
            self._told = True
            self._changed.notify_all()
        self._signal("SIGKILL")

    def _gone(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(self._grace)
        return self._popen.poll() is not None

    def _signal(self, name: str, *, gone: bool = False) -> None:
        if self._popen.poll() is not None and not gone:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._popen.pid, getattr(signal, name))
            elif name in ("SIGTERM", "SIGKILL"):
                self._popen.kill()


def numbers(line: bytes | str) -> dict[str, Any] | None:
    """Return the numbers of a JSON object, and its step; None if the line is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    found: dict[str, Any] = {
        key: float(value)
        for key, value in row.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "step"
        if abs(value) < 1e308 or not math.isfinite(value)
    }
    step = row.get("step")
    if isinstance(step, int) and not isinstance(step, bool):
        found["step"] = step
    return found
