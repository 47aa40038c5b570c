"""What the campaigns share: the helpers of the tests, and what counts as a fault of a command."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import psutil
from click.testing import Result

TESTS = Path(__file__).resolve().parents[1]
for _folder in (TESTS, TESTS / "sweep", TESTS / "training"):
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))

LONGEST = 1000  # characters of an answer, or of a line of one that has a line for each fault
SECONDS = 5.0  # that a process may outlive its parent


def fault_of(result: Result, before: object = None, after: object = None) -> str | None:
    """What is wrong with the answer of a command, None if nothing is.

    Args:
        result: what `CliRunner` returns.
        before: the files before the call.
        after: the files after it; only a refused call, with exit code 2, must leave them.
    """
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        return f"a traceback: {type(error).__name__}: {str(error)[:200]}"
    if result.exit_code not in (0, 1, 2):
        return f"exit code {result.exit_code}"
    if "Traceback (most recent call last)" in result.output:
        return "a traceback is shown"
    if result.exit_code and not result.output.strip():
        return f"exit code {result.exit_code} without a word"
    longest = max(map(len, result.output.splitlines()), default=0)
    if longest > LONGEST or (result.exit_code == 2 and len(result.output) > LONGEST):
        return f"an answer of {len(result.output)} characters: {result.output[:100]!r} …"
    if result.exit_code == 2 and before != after:
        return "a refused call changed files"
    return None


def below(folder: Path) -> list[psutil.Process]:
    """The processes that work in a folder, this one left out."""
    found = []
    for process in psutil.process_iter():
        try:
            gone = process.status() == psutil.STATUS_ZOMBIE
            inside = not gone and Path(process.cwd()).is_relative_to(folder)
        except psutil.Error:
            continue
        if inside and process.pid != os.getpid():
            found.append(process)
    return found


def survivors(folder: Path, seconds: float = SECONDS) -> str | None:
    """Wait until no process works in a folder; say which outlive that, and end them.

    The seconds are those of a core of one's own: a machine with more to do is given longer.
    """
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    until = time.monotonic() + seconds * crowd
    while (left := below(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    if not left:
        return None
    said = f"{len(left)} processes outlive their parent: {_command(left[0])}"
    for process in left:
        with_suppressed(process.kill)
    return said


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return "one that has just ended"


def with_suppressed(end) -> None:
    """Call what ends a process that may have ended by itself."""
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        end()
