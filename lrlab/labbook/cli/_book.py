"""`lrlab book`: render the book."""

from __future__ import annotations

import shutil
import sys

import click

from lrlab.labbook.entries.laboratory import find_root


@click.command(epilog="Example: lrlab book")
@click.option("--cold", is_flag=True, help="Forget the last build, and render from nothing.")
def book(cold: bool) -> None:
    """Render the book into _build/html. Only what changed is read again; a warning is a failure."""
    root = find_root()
    if cold:
        shutil.rmtree(root / "_build", ignore_errors=True)
    from lrlab.labbook.site.build import build

    report = build(root)
    if report.warnings:
        click.echo(f"lrlab: the book has {report.warnings} warnings, so it failed", err=True)
        sys.exit(1)
    click.echo(report)
