"""`lrlab rerun`: execute entries again, and compare."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import find_root


@click.command(
    short_help="Execute entries of the log again, and compare.",
    epilog="""\b
    Examples:
      lrlab rerun
      lrlab rerun 2026-11-24-onecycle
      lrlab rerun --check-portable
      lrlab rerun --check-portable --smoke-over 120
    """,
)
@click.argument("entries", nargs=-1, metavar="[ENTRY]...")
@click.option(
    "--check-portable",
    is_flag=True,
    help="Try the stored verdicts on the stand-in for another processor, and record what it says.",
)
@click.option(
    "--smoke-over",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="With --check-portable: try what takes longer than this at smoke size.",
)
@click.option("--replace", is_flag=True, help="With --check-portable: check every entry again.")
def rerun(
    entries: tuple[str, ...], check_portable: bool, smoke_over: float | None, replace: bool
) -> None:
    """Execute entries again with today's package and an empty store, and compare.

    All entries that are not superseded, unless some are named. An entry is `identical` (byte for
    byte), `within tolerance` (verdicts equal, every new estimate inside its recorded interval) or
    `drifted`; the exit code is 1 if one has drifted.

    With --check-portable only the stand-in is executed, from the usual store, and its verdicts are
    held against the stored ones: of the entries that no release holds and that were not checked
    yet, unless some are named. What it finds is written into each record as soon as it is known,
    so that the same command goes on after an interruption. A verdict that differs is `fragile`, a
    finding and no failure; the exit code is 1 if an entry could not be checked.
    """
    if check_portable:
        _check_portable(entries, smoke_over, replace)
        return
    if smoke_over is not None or replace:
        option = "--replace" if replace else "--smoke-over"
        raise BadInput(f"{option} of lrlab rerun goes with --check-portable")
    from lrlab.labbook.entries.rerun import DRIFTED
    from lrlab.labbook.entries.rerun import rerun as execute_again

    statuses = []
    for outcome in execute_again(find_root(), entries):
        statuses.append(outcome.status)
        _tell(outcome.status, outcome.entry, f"{outcome.seconds:.0f} s", outcome.details)
    click.echo(
        f"{len(statuses)} entries: {_counted(statuses)}" if statuses else "the log has no entries"
    )
    sys.exit(int(DRIFTED in statuses))


def _check_portable(names: Sequence[str], smoke_over: float | None, replace: bool) -> None:
    from lrlab.labbook.entries import portability

    root = find_root()
    entries = portability.chosen(root, names, again=replace)
    statuses = []
    try:
        for outcome in portability.check(root, entries, smoke_over=smoke_over):
            statuses.append(outcome.status)
            took = f"{outcome.seconds:.0f} s"
            if outcome.ratio is not None:
                took += f", the stand-in {outcome.ratio:.1f} times the portable profile"
            _tell(outcome.status, outcome.entry, took, outcome.details)
    except RunFailed:  # it was interrupted
        click.echo(f"{len(entries) - len(statuses)} of {len(entries)} entries are left", err=True)
        raise KeyboardInterrupt from None
    click.echo(
        f"{len(statuses)} entries: {_counted(statuses)}"
        if statuses
        else "no entry waits for its check"
    )
    sys.exit(int(portability.UNCHECKED in statuses))


def _tell(status: str, entry: str, took: str, details: Sequence[str]) -> None:
    click.echo(f"{status:<17} {entry} ({took})")
    for detail in details:
        click.echo(f"{'':<17} {detail}")


def _counted(statuses: Sequence[str]) -> str:
    return ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses)))
