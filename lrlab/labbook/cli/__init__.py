"""The command line: `lrlab`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from lrlab import __version__
from lrlab.labbook.cli._book import book
from lrlab.labbook.cli._group import Group, shown
from lrlab.labbook.cli._init import init
from lrlab.labbook.cli._release import release
from lrlab.labbook.cli._rerun import rerun
from lrlab.labbook.cli._show import show
from lrlab.labbook.cli._sweep import group as sweep
from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.entries.laboratory import find_root


class _Run(click.Command):
    """Takes `-p NAME=VALUE` for `-p NAME VALUE`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        taken: list[str] = []
        for arg in args:
            name, equals, value = arg.partition("=")
            assigns = bool(taken) and taken[-1] == "-p" and bool(equals)
            taken += [name, value] if assigns else [arg]
        return super().parse_args(context, taken)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: lrlab run onecycle -p n_seeds 3",
)
@click.version_option(__version__, message="lrlab %(version)s")
def main() -> None:
    """Run experiments about the learning rate, and keep the dated log of their results."""


main.add_command(init)
main.add_command(sweep)
main.add_command(release)
main.add_command(rerun)
main.add_command(book)
main.add_command(show)


@main.command("list")
def list_() -> None:
    """Show the notebooks and the entries of the log."""
    from lrlab.labbook.entries import names, read
    from lrlab.labbook.entries.logbook import DamagedLog, survey

    root = find_root()
    sources = {name: read(root, name) for name in names(root)}
    click.echo("Notebooks")
    width = max(map(len, sources), default=0)
    for name, source in sources.items():
        click.echo(f"  {name:<{width}}  {source.header['question']}")
    click.echo("\nEntries")
    log, damages = survey(root)
    for entry in log:
        remark = f"  (superseded by {entry.superseded_by})" if entry.superseded_by else ""
        click.echo(f"  {entry.name}{remark}")
    if damages:
        raise DamagedLog(damages)


@main.command(
    short_help="Show a notebook's parameters: meanings, defaults, ranges.",
    epilog="Example: lrlab params onecycle",
)
@click.argument("notebook")
def params(notebook: str) -> None:
    """Show a notebook's parameters: name, type, default, unit, range, meaning."""
    from lrlab.labbook.entries import read
    from lrlab.labbook.entries.values import spell

    source = read(find_root(), notebook)
    rows = [("name", "type", "default", "smoke", "unit", "range", "meaning")]
    for p in source.parameters.values():
        smoke = spell(source.header["smoke"][p.name]) if p.name in source.header["smoke"] else ""
        range_ = p.range.text if p.range else ""
        rows.append((p.name, str(p.type), spell(p.default), smoke, p.unit, range_, p.meaning))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@main.command(
    cls=_Run,
    short_help="Execute a notebook, and add the result to the log.",
    epilog="""\b
    Examples:
      lrlab run onecycle
      lrlab run onecycle -p n_seeds 3 -p peaks "[0.2, 3.0]"
      lrlab run onecycle --smoke --out /tmp/look
      lrlab run onecycle --supersedes 2026-11-24-onecycle --reason "ten seeds in place of five"
    """,
)
@click.argument("notebook")
@click.option(
    "-p",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Give a parameter another value, also as NAME=VALUE; may be repeated.",
)
@click.option("--smoke", is_flag=True, help="The small size, which takes seconds.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be trained; write nothing.",
)
@click.option(
    "--out",
    metavar="FOLDER",
    help="Put the result there instead of into the log, on other seeds (first_seed + 500,000).",
)
@click.option("--replace", is_flag=True, help="Renew an entry that was not released yet.")
@click.option(
    "--check-portable",
    is_flag=True,
    help="Try the verdicts on the stand-in for another processor; takes twice the time.",
)
@click.option("--supersedes", metavar="ENTRY", help="The older entry whose place this one takes.")
@click.option("--reason", metavar="TEXT", help="Why it does.")
def run(
    notebook: str,
    parameters: tuple[tuple[str, str], ...],
    smoke: bool,
    dry_run: bool,
    out: str | None,
    replace: bool,
    check_portable: bool,
    supersedes: str | None,
    reason: str | None,
) -> None:
    """Execute a notebook and add the result to the log as a dated entry."""
    from lrlab.labbook import entries

    if out == "":
        raise BadInput("--out is empty; it takes a folder, or a file that ends in .ipynb")
    request = entries.Request(
        root=find_root(),
        notebook=notebook,
        texts=list(parameters),
        size="smoke" if smoke else "full",
        out=None if out is None else Path(out),
        replace=replace,
        check_portable=check_portable,
        supersedes=supersedes,
        reason=reason,
    )
    if dry_run:
        for line in entries.dry_run(request).lines():
            click.echo(line)
        return
    path = entries.run(request).path
    click.echo(shown(path))
    click.echo(f"lrlab show {path.stem if out is None else shown(path)} renders its page", err=True)


@main.command(
    epilog="""\b
    Examples:
      lrlab claims onecycle
      lrlab claims --check
    """,
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--check", is_flag=True, help="Judge every claim of the log again, and say what does not hold."
)
def claims(names: tuple[str, ...], check: bool) -> None:
    """Show the claims of the entries that count, with their verdicts.

    All of them, unless notebooks, entries or claims are named.
    """
    from lrlab.labbook import ledger
    from lrlab.labbook.entries.logbook import DamagedLog, survey

    if names and check:
        raise BadInput("the whole log is checked: leave out either --check or the names")
    root = find_root()
    log, damages = survey(root)
    rows = ledger.rows(log)
    if names:
        known = {name for row in rows for name in row.names}
        for name in names:
            if name not in known:
                close = difflib.get_close_matches(name[:200], known, n=1)
                hint = f"did you mean {close[0]}?" if close else "`lrlab claims` lists them all"
                raise BadInput(f"{name!r} has no claims that count; {hint}")
        rows = [row for row in rows if {*names} & row.names]
    width = max((len(row.claim.verdict) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row.claim.verdict:<{width}}  {row.claim.id}: {row.claim.statement}")
    click.echo(ledger.summary(rows))
    if check:
        problems = ledger.check(root)
        for problem in problems:
            click.echo(f"lrlab: {problem}", err=True)
        sys.exit(int(bool(problems)))
    if damages:
        raise DamagedLog(damages)


@main.command(
    short_help="Renew what validation compares with, or compare (--check).",
    epilog="""\b
    Examples:
      lrlab reference onecycle
      lrlab reference --check
      lrlab reference --check --profile foreign
    """,
)
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option("--check", is_flag=True, help="Compare with nbval, strictly, instead of renewing.")
@click.option(
    "--profile",
    type=click.Choice(["portable", "foreign"]),
    default="portable",
    help="With --check: the instructions to compute with.",
)
def reference(notebooks: tuple[str, ...], check: bool, profile: str) -> None:
    """Renew the executed smoke notebooks that validation compares with; show old and new values."""
    from lrlab.labbook.entries import reference as references

    root = find_root()
    if not check:
        for name, changes in references.renew(root, notebooks):
            click.echo(f"{name}: {'changed' if changes else 'the same values as before'}")
            for line in changes:
                click.echo(f"  {line}")
        return
    problems = references.problems(root, notebooks)
    problems = problems or references.validate(root, notebooks, profile)
    for problem in problems:
        renewal = f"make reference NB={problem.notebook}"
        click.echo(f"lrlab: {problem}; {renewal} renews it, if it should say so", err=True)
    sys.exit(int(bool(problems)))


@main.command("open", epilog="Example: lrlab open 2026-11-24-onecycle")
@click.argument("entry", required=False)
def open_(entry: str | None) -> None:
    """Open the book in the browser, at its front page or at an entry."""
    from lrlab.labbook.entries import find

    root = find_root()
    pages = root / "_build" / "html"
    page = pages / "index.html"
    if entry is not None:
        page = pages / "book" / "log" / f"{find(root, entry).name}.html"
    if not page.exists():
        raise BadInput("the book does not have this page yet; make book renders it")
    click.echo(shown(page))
    click.launch(page.as_uri())


@main.command(
    short_help="Run the flagship experiment in small, for the book.",
    epilog="Example: lrlab live",
)
def live() -> None:
    """Run the flagship experiment in small on this machine, for the book's page about it."""
    from lrlab.labbook.entries import Request
    from lrlab.labbook.entries import run as execute

    root = find_root()
    page = root / "book" / "live" / "reproduced_here.ipynb"
    request = Request(root=root, notebook="reproduced_here", out=page, replace=True)
    click.echo(shown(execute(request).path))
