"""`init`, `config`, `log` and `finish` as a script written for W&B calls them, without W&B.

In such a script the import line becomes ``import lrlab.sweep.wandb as wandb``; nothing else
changes, nothing is sent anywhere, and outside of a sweep it trains as it would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrlab.sweep import reporting

__all__ = ["config", "finish", "init", "log"]


class Config(dict[str, Any]):
    """The values of a trial, by attribute or by key."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the configuration has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def as_dict(self) -> dict[str, Any]:
        """Return a copy as a dict."""
        return dict(self)

    def update(self, values: Any, allow_val_change: bool = True) -> None:  # type: ignore[override]
        """Take over values; what the sweep chose stays."""
        given = values if isinstance(values, Mapping) else vars(values)
        super().update({**given, **reporting.config()})

    def setdefaults(self, values: Any) -> None:
        """Take over values of names that have none."""
        given = values if isinstance(values, Mapping) else vars(values)
        super().update({k: v for k, v in given.items() if k not in self})


config = Config()
_pending: dict[str, float] = {}
_step: int | None = None
_count = 0


class Run:
    """What `init` returns."""

    config = config

    def log(self, *arguments: Any, **options: Any) -> None:
        """As `log`."""
        log(*arguments, **options)

    def finish(self, *arguments: Any, **options: Any) -> None:
        """As `finish`."""
        finish()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: Any) -> None:
        finish()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_said(name))


def init(*, config: Any = None, **options: Any) -> Run:
    """Begin a trial.

    Args:
        config: values for whatever the sweep does not choose.
        **options: what is for W&B's server, such as ``project``; of no use here.
    """
    values = globals()["config"]
    values.update(config or {})
    return Run()


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Say how a trial goes: one row of numbers, those of the same step together, as in W&B.

    Args:
        data: numbers by name, nested ones under ``outer.inner``; what is no number is left out.
        step: the step; None: rows are counted.
        commit: whether the row is complete; None: it is, if no step is given.

    Raises:
        Stopped: if the stopping rule ends the trial.
    """
    global _step
    if step is not None and _step is not None and int(step) < _step:
        return  # as W&B, which says that steps must rise
    if step is not None and step != _step:
        _flush()
        _step = int(step)
    _pending.update(_numbers(data))
    if commit if commit is not None else step is None:
        _flush()


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """Say what is still to be said.

    Args:
        exit_code: as in W&B; of no use here.
        quiet: as in W&B; of no use here.
    """
    _flush()


def _flush() -> None:
    global _count, _step
    if _pending:
        row, at = dict(_pending), _count if _step is None else _step
        _pending.clear()
        _count, _step = at + 1, None
        reporting.say(at, row)


def _numbers(data: Mapping[str, Any], above: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            found |= _numbers(value, f"{above}{name}.")
        elif not isinstance(value, (str, bytes, list, tuple)) and value is not None:
            try:
                found[f"{above}{name}"] = float(value)
            except (TypeError, ValueError):
                continue
    return found


def _said(name: str) -> str:
    return f"lrlab.sweep.wandb has init, config, log and finish, and no {name!r}"


def __getattr__(name: str) -> Any:
    raise AttributeError(_said(name))
