"""Command lines and parameters that nobody would type: one sentence, and nothing is written.

Whatever the command line offers is read from it, so that a new option is tried by itself. What
would take minutes is left out, at its last door: kernels do not start, nothing is trained, no page
is rendered and no browser opened.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Iterator
from pathlib import Path

import click
import common
import pytest
from entry_maker import write_entry
from tiny_lab import files, lrlab, make

from lrlab.labbook.cli import main
from lrlab.labbook.entries import BadInput, names, read
from lrlab.labbook.entries.values import parse, spell

TRIES = 3200
ENTRY = "2030-01-01-demo"
NUMBERS = ["0", "-1", "1", "1e999", "-1e-320", "nan", "inf", "9" * 5000, "1_0", "0x1", "1e3", "½"]
LISTS = ["[]", "[0]", "[1, 2]", "[2, 1]", "[[1]]", "[1, 'a']", "[nan]", "[" * 2000, "(1, 2)", "{}"]
WORDS = [
    *("", " ", "\n", "-", "--", "None", "True", "tiny", "tinny", "Tiny ", ENTRY, "☃", "\udcff"),
    *(
        "x" * 10**5,
        "é" * 300,
        "__import__('os')._exit(3)",
        "<b>x</b>",
        "```",
        "%s",
        "{0}",
        "'",
        '"',
    ),
    *("'''", "\\", "\x1b[31m", "a\tb", "0.2.0", "0.2", "9.9.9.9", "v1", "rate", "n", "label"),
]
PLACES = [
    *(".", "..", "a/b/c", "~", "~nobody", "/dev/null", "/proc/none/x", "notebooks", "book/log"),
    *("x.ipynb", "_toc.yml", "_toc.yml/x", "odd.yml", "none.yml", "a" * 300, "sqlite:///", "x://y"),
    *("sqlite:///odd.db", "sqlite:////none/x.db", "sqlite://", "postgresql://", "tests/../x"),
]
VALUES = [*NUMBERS, *LISTS, *WORDS, *PLACES]


def attempt(seed: int, folder: Path) -> str | None:
    """Try a command line, or a value of a notebook's parameter; the fault, or None."""
    chance = random.Random(seed)
    if seed % 2:
        return _asked(chance)
    words = line(chance)
    lab = _lab(folder)
    with _light(folder):
        before = files(folder)
        result = lrlab(lab, *words)
        fault = common.fault_of(result, before, files(folder))
    return fault and f"lrlab {' '.join(repr(word[:60]) for word in words)}: {fault}"


def line(chance: random.Random) -> list[str]:
    """A command of the group with some of its options, their values, and others."""
    words, command = [], main
    while isinstance(command, click.Group):
        if chance.random() < 0.05:
            return [*words, chance.choice(VALUES)]
        name = chance.choice(sorted(command.commands))
        words.append(name)
        command = command.commands[name]
    more = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            more += [[_value(chance)]] if chance.random() < 0.9 else []
        elif chance.random() < 0.4 and parameter.name != "cluster":  # it waits for one
            values = [_value(chance) for _ in range(0 if parameter.is_flag else parameter.nargs)]
            more.append([chance.choice(parameter.opts), *values])
    if chance.random() < 0.1:
        more.append([chance.choice(("--luck", "-x", "--smoke=1", _value(chance)))])
    chance.shuffle(more)
    return words + [word for group in more for word in group]


def _value(chance: random.Random) -> str:
    usual = ("tiny", ENTRY, "odd.yml", "rate", "n", "0.2.0")
    return chance.choice(usual) if chance.random() < 0.4 else chance.choice(VALUES)


def _asked(chance: random.Random) -> str | None:
    sources = _sources()
    source = sources[chance.choice(sorted(sources))]
    texts, size = [], chance.choice(("full", "smoke"))
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(sorted(source.parameters))
        texts.append((name if chance.random() < 0.9 else _value(chance), _value(chance)))
    asked = f"{source.name}: {[(name[:60], value[:60]) for name, value in texts]}"
    try:
        accepted = source.ask(texts, size)
    except BadInput as error:
        if len(str(error)) > common.LONGEST or "\n" in str(error):
            return f"{asked}: an answer of {len(str(error))} characters"
        return None
    for name, value in accepted.items():
        if parse(spell(value), source.parameters[name].type, name) != value:
            return f"{asked}: {name} comes back as another value"
    if what := source.refusal({**source.values(size, {}), **accepted}):
        return f"{asked}: it is accepted, though {what}"
    return None


@functools.cache
def _sources() -> dict:
    root = common.TESTS.parent
    return {name: read(root, name) for name in names(root)}


def _lab(folder: Path) -> Path:
    lab = make(folder / "lab")
    write_entry(lab)
    (lab / "odd.yml").write_text("task: 3\n")
    (lab / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    return lab


@contextlib.contextmanager
def _light(folder: Path) -> Iterator[None]:
    """Close the doors behind which the minutes are."""
    from lrlab import sweep
    from lrlab.labbook.entries import reference
    from lrlab.labbook.entries._kernel import PinnedEngine
    from lrlab.labbook.site import build, show

    def closed(*_: object, **__: object) -> None:
        raise RuntimeError("left out here")

    def page(*_: object) -> Path:
        return folder / "page.html"

    def unrendered(*_: object) -> None:
        raise BadInput("left out here")

    home = folder / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setattr(PinnedEngine, "execute_notebook", closed)
        patch.setattr(reference, "validate", lambda *_: [])
        patch.setattr(build, "build", unrendered)
        patch.setattr(show, "show", page)
        patch.setattr(click, "launch", lambda *_: 0)
        patch.setattr(sweep, "sweep", closed)
        yield
