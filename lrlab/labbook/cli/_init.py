"""`lrlab init`: a laboratory of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    short_help="Make a small laboratory of your own in a new FOLDER.",
    epilog="Example: lrlab init my-lab",
)
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a small laboratory in a new FOLDER, with one experiment on a model of your own.

    It works at once: `lrlab run`, `make book` and `make test` pass in it. Put your model into
    my_model.py.
    """
    from lrlab.labbook import _starter

    _starter.make(folder, lambda text: click.echo(text, err=True))
    click.echo(f"{folder} is a laboratory. What it does:")
    for line in (
        f"  cd {folder}",
        f"  lrlab run {_starter.EXAMPLE}     # train, and add a dated entry to the log",
        "  make book                  # render the log, then: lrlab open",
        "  make test                  # the notebooks still say what their references say",
    ):
        click.echo(line)
