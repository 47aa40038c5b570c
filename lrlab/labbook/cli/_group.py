"""The group of commands: whatever goes wrong in one is one sentence and an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lrlab.labbook.entries.errors import BadInput, RunFailed, shortened


class Group(click.Group):
    """Turns the laboratory's own errors into one sentence and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            _any_character_can_beshown()
            with _termination_as_interruption():
                return super().invoke(context)
        except BadInput as error:
            for sentence in error.sentences:
                click.echo(f"lrlab: {sentence}", err=True)
            context.exit(2)
        except RunFailed as error:
            where = f"; the notebook so far is {shown(error.partial)}" if error.partial else ""
            click.echo(f"lrlab: {error}; the log is untouched{where}", err=True)
            context.exit(1)
        except ImportError as error:
            click.echo(f"lrlab: {_missing(error)}", err=True)
            context.exit(2)
        except click.exceptions.NoArgsIsHelpError:
            raise  # its message is the whole help
        except click.UsageError as error:
            error.message = shortened(error.message)
            raise
        except KeyboardInterrupt:
            click.echo("lrlab: interrupted; what was finished before is kept", err=True)
            context.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # nobody reads any more; click ends quietly
            where = f": {shortened(str(error.filename))}" if error.filename else ""
            click.echo(f"lrlab: {error.strerror or error}{where}", err=True)
            context.exit(1)


def _missing(error: ImportError) -> ImportError:
    """What an import that failed for want of an extra says to a user; another one is raised."""
    from lrlab.checks import MissingExtra, need

    if isinstance(error, MissingExtra):
        return error
    try:
        need((error.name or "").partition(".")[0])
    except MissingExtra as missing:
        return missing
    except (KeyError, ValueError):  # it is of no extra
        pass
    raise error


def _any_character_can_beshown() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _termination_as_interruption() -> Iterator[None]:
    # A kernel has workers, and they outlive a program that is just terminated.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def shown(path: Path) -> Path:
    """Return a path as it is called from the working folder, if it lies in it."""
    try:
        here = Path.cwd()
    except OSError:
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path
