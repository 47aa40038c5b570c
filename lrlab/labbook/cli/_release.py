"""`lrlab release`: check that the log can be published, and seal it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from lrlab.files import write
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import find_root

_SHOWN = 5  # obstacles of one kind that are named one by one


@click.command(epilog="Example: lrlab release 0.2.0")
@click.argument("version")
@click.option("--check", is_flag=True, help="Say what is in the way, and write nothing.")
def release(version: str, check: bool) -> None:
    """Seal the log as VERSION, if nothing is in its way.

    The version is set first, in pyproject.toml, lrlab, CITATION.cff and the changelog. Then every
    entry that no release holds must have been executed by it, with its portability checked; every
    claim and record must hold, and the references must pass; otherwise the exit code is 1. The
    manifest is written last, so that this can be interrupted and called again.
    """
    from lrlab.labbook import releases

    root = find_root()
    try:
        releases.check_version(version, [one.version for one in releases.read(root)])
    except ValueError as error:
        raise BadInput(str(error)) from None
    changed = [] if check else releases.set_version(root, version)
    if changed:
        click.echo(f"set the version to {version} in {', '.join(changed)}")
    found = list(obstacles(root, version))
    for line in found:
        click.echo(f"lrlab: {line}", err=True)
    if found:
        raise RunFailed(f"{version} is not released; {len(found)} things are in its way")
    if check:
        click.echo(f"nothing is in the way of {version}")
        return
    sealed = releases.seal(root, version)
    click.echo(f"released {version}: {len(sealed.files)} files are sealed in {releases.FILE}")


def obstacles(root: Path, version: str) -> Iterator[str]:
    """What is in the way of a release, one sentence each; the slow checks come last.

    Args:
        root: the laboratory's folder.
        version: the version that is to be released.
    """
    from lrlab.labbook import entries, ledger, releases
    from lrlab.labbook.entries import portability

    entries_to_seal = [
        entry for entry in entries.log(root) if releases.sealed(root, entry.path) is None
    ]
    others = [e.name for e in entries_to_seal if e.record["versions"].get("lrlab") != version]
    yield from _named(others, f"was not executed by version {version}")
    unchecked = [entry.name for entry in portability.waiting(root, entries_to_seal)]
    yield from _named(unchecked, "has no portability check (lrlab rerun --check-portable)")
    problems = [str(problem) for problem in ledger.check(root)]
    yield from problems
    if not (others or unchecked or problems):
        yield from _references(root)


def _named(names: list[str], what: str) -> Iterator[str]:
    yield from (f"the entry {name} {what}" for name in names[:_SHOWN])
    if len(names) > _SHOWN:
        yield f"and {len(names) - _SHOWN} more entries: each {what}"


def _references(root: Path) -> Iterator[str]:
    """Validate the notebooks, unless that was done for exactly these sources before."""
    from lrlab.labbook.entries import reference

    done = root / ".lrlab" / "validated.json"
    state = _sources(root)
    if done.is_file() and json.loads(done.read_text("utf-8")) == state:
        return
    click.echo("validating the notebooks against their references …")
    found = reference.problems(root) or reference.validate(root)
    yield from map(str, found)
    if not found:
        write(done, json.dumps(state).encode())


def _sources(root: Path) -> str:
    digest = hashlib.sha256()
    for pattern in ("lrlab/**/*.py", "notebooks/*.py", "tests/reference/*.ipynb"):
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
