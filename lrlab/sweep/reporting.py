"""What a script says while it trains, and what it is told: go on, or end."""

from __future__ import annotations

import json
import operator
import os
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

__all__ = ["Stopped", "report"]

ADDRESS, KEY = "LRLAB_SWEEP_ADDRESS", "LRLAB_SWEEP_KEY"
TRIAL, CONFIG = "LRLAB_SWEEP_TRIAL", "LRLAB_SWEEP_CONFIG"
GO, STOP = b"go", b"stop"
_connections: dict[int, Connection] = {}  # by process, since a fork must not share one


class Stopped(SystemExit):
    """The stopping rule ends this trial: raised by `report`, so that the script ends cleanly."""


def report(*, step: int | None = None, **metrics: float) -> None:
    """Say how a trial goes; outside of a sweep nothing happens.

    Args:
        step: the update, or the epoch; None: they are counted.
        **metrics: numbers, the sweep's metric among them.

    Raises:
        TypeError: if one is no number.
        Stopped: if the stopping rule ends the trial. It is a `SystemExit`: a script that does not
            catch it ends, with its ``finally`` clauses done.

    Example:
        >>> report(step=1, loss=0.5)
    """
    numbers = {}
    for name, value in metrics.items():
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"report takes numbers, got {name}={value!r}") from None
    try:
        say(None if step is None else operator.index(step), numbers)
    except TypeError:
        raise TypeError(f"step must be a whole number, got {step!r}") from None


def say(step: int | None, metrics: dict[str, float]) -> None:
    """Send numbers to the sweep, and wait for its answer; see `report`."""
    if ADDRESS not in os.environ:
        return
    message = {"trial": int(os.environ[TRIAL]), "step": step, "metrics": metrics}
    try:
        if os.getpid() not in _connections:
            key = bytes.fromhex(os.environ[KEY])
            _connections[os.getpid()] = Client(_address(), authkey=key)  # type: ignore[arg-type]
        connection = _connections[os.getpid()]
        connection.send_bytes(json.dumps(message).encode())
        answer = connection.recv_bytes()
    except (EOFError, OSError):
        raise Stopped("the sweep that started this trial has ended") from None
    if answer == STOP:
        raise Stopped(0)


def config() -> dict[str, Any]:
    """Return the values that the sweep chose for this trial; outside of a sweep none."""
    file = os.environ.get(CONFIG)
    return json.loads(Path(file).read_text("utf-8")) if file else {}


def _address() -> Any:
    said = os.environ[ADDRESS]
    if said.startswith("("):  # ('127.0.0.1', 5555), where there are no local sockets
        host, port = said.strip("()").split(",")
        return host.strip(" '\""), int(port)
    return said
