"""What a running notebook tells the program that started it, as one JSON line per event."""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "LRLAB_EVENTS"
NOTEBOOK = "LRLAB_NOTEBOOK"  # in which a runner tells a kernel the name of what it runs


def heard() -> bool:
    """Return whether a program listens to events, and shows progress in our place.

    Example:
        >>> heard()
        False
    """
    return bool(os.environ.get(VARIABLE))


def emit(kind: str, **data: Any) -> None:
    r"""Append one event to the file that the environment variable `LRLAB_EVENTS` names.

    Without the variable nothing happens, so that code can emit wherever it runs. A line is written
    by a single append, so that lines of several processes don't mix.

    Args:
        kind: what happened: `plan`, `run`, `progress` or `input`.
        **data: anything JSON can hold.

    Raises:
        TypeError: if `data` can't be written as JSON.

    Example:
        >>> emit("progress", label="eigenvalues", done=1, total=3)
    """
    if not heard():
        return
    line = json.dumps({"event": kind, **data}) + "\n"
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
