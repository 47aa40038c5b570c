"""A search over a script of one's own, which is started as a program with the chosen values."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lrlab.sweep.ranges import plain
from lrlab.sweep.search import Search

COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
_MACROS: tuple[str, ...] = (
    "env",
    "interpreter",
    "program",
    "args",
    "args_no_hyphens",
    "args_no_boolean_flags",
)
_MACROS += ("args_json", "args_json_file")
_VARIABLE = re.compile(r"\$\{envvar:([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Script(Search):
    """Everything that decides a search over a script; what else there is, `Plan` says.

    Args:
        command: what is started, word by word and without a shell, as W&B writes it.
        program: the script, for ``${program}``; looked for in the working folder.
        constants: what each trial gets beside what is searched.
        paths: the names of nested parameters, part by part.
        timeout: seconds that a trial may run; None: for ever.
        grace: seconds between being told to end and being killed.
        notes: what is different here from what the file asks for, one sentence each.

    Raises:
        ValueError: if something makes no sense; the message holds the value.

    Example:
        >>> from lrlab.sweep import LogUniform
        >>> script = Script(
        ...     space={"lr": LogUniform(1e-4, 1.0)}, trials=8, metric="loss", program="train.py"
        ... )
        >>> script.words({"lr": 0.1})[-2:]
        ['train.py', '--lr=0.1']
    """

    command: tuple[str, ...] = COMMAND
    program: str | None = None
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paths: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    timeout: float | None = None
    grace: float = 10.0
    notes: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    free: ClassVar[frozenset[str]] = frozenset({"trials", "timeout", "grace", "wave"})
    """Fields that may be others when a study goes on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.command, (str, bytes)) or not isinstance(self.command, (list, tuple)):
            raise ValueError(f"command must be a list of words, got {self.command!r}")
        if not self.command:
            raise ValueError("command has no word")
        words = []
        for word in self.command:
            if isinstance(word, bool) or not isinstance(word, (str, int, float)):
                raise ValueError(f"command must be a list of words, got {word!r} in it")
            words.append(str(word))
            if "\0" in words[-1]:
                raise ValueError(f"command: a word can't hold {words[-1]!r}")
            name = words[-1][2:-1] if re.fullmatch(r"\$\{.*\}", words[-1]) else None
            if name is not None and name not in _MACROS and not _VARIABLE.fullmatch(words[-1]):
                known = ", ".join(f"${{{macro}}}" for macro in _MACROS)
                raise ValueError(f"command: there is no {words[-1]}; there are {known}")
        object.__setattr__(self, "command", tuple(words))
        wanted = "${program}" in words
        if wanted and (not isinstance(self.program, str) or not self.program.strip()):
            raise ValueError(f"the sweep needs a program, such as train.py, got {self.program!r}")
        self._check_float("timeout", open_low=True, optional=True)
        self._check_float("grace", high=3600.0, open_high=False)
        object.__setattr__(self, "constants", plain(dict(self.constants)))

    def check(self, *, metric: bool = True) -> None:
        """Look whether program and interpreter are there.

        Args:
            metric: of no use here; whether a script says its metric is seen when it runs.

        Raises:
            ValueError: if one of them is not.
        """
        if "${program}" in self.command and not Path(str(self.program)).is_file():
            raise ValueError(f"there is no program {self.program} in {Path.cwd().name or '/'}")
        for word in self.command:
            for name in _VARIABLE.findall(word):
                if name not in os.environ:
                    raise ValueError(f"command: the environment has no variable {name}")
        first = self.words({})[0]
        if shutil.which(first) is None:
            raise ValueError(f"command: there is no program {first}")

    def config(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial is told, nested as the file nests it."""
        nested: dict[str, Any] = {}
        for name, value in {**self.constants, **params}.items():
            *parents, last = self.paths.get(name, [name])
            place = nested
            for part in parents:
                place = place.setdefault(part, {})
            place[last] = value
        return nested

    def words(self, params: Mapping[str, Any], file: Path | None = None) -> list[str]:
        """Return the command of a trial.

        Args:
            params: what it tries.
            file: where its values are written as JSON, for ``${args_json_file}``.
        """
        config = self.config(params)
        flags = [f"{name}={value}" for name, value in config.items()]
        no_booleans = [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, value in config.items()
            if value is not False
        ]
        means = {
            "${env}": [] if os.name == "nt" else ["/usr/bin/env"],
            "${interpreter}": [sys.executable],
            "${program}": [str(self.program)],
            "${args}": [f"--{flag}" for flag in flags],
            "${args_no_hyphens}": flags,
            "${args_no_boolean_flags}": no_booleans,
            "${args_json}": [json.dumps(config)],
            "${args_json_file}": [str(file)],
        }
        words = []
        for word in self.command:
            found = means.get(word)
            if found is None:
                found = [_VARIABLE.sub(lambda m: os.environ.get(m.group(1), ""), word)]
            words += found
        return words

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, which `from_dict` reads."""
        data = super().to_dict() | {"command": list(self.command)}
        data["paths"] = {name: list(parts) for name, parts in self.paths.items()}
        del data["notes"]
        return data
