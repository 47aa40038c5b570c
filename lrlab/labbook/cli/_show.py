"""`lrlab show`: one entry's page, in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from lrlab.labbook.entries.laboratory import find_root


@click.command(
    short_help="Render the page of one ENTRY alone, and open it.",
    epilog="""\b
    Examples:
      lrlab show 2026-11-24-onecycle
      lrlab show /tmp/look --no-open
    """,
)
@click.argument("entry")
@click.option("--no-open", is_flag=True, help="Print where the page is, and open no browser.")
def show(entry: str, no_open: bool) -> None:
    """Render the page of one ENTRY alone and open it: of the log, or a notebook or folder of --out.

    The whole book is not needed for it; `make book` puts the page into the book.
    """
    root = find_root()
    from lrlab.labbook.site import show as alone

    page = alone.show(root, alone.find(root, entry))
    here = Path.cwd()
    click.echo(page.relative_to(here) if page.is_relative_to(here) else page)
    if not no_open:
        click.launch(page.as_uri())
