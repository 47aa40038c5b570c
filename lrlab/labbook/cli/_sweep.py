"""`lrlab sweep`: carry out a plan from a file, look at it, go on with it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrlab.labbook.entries.errors import BadInput

if TYPE_CHECKING:
    from lrlab.sweep.plan import Plan

_PATIENCE = 20  # seconds for a cluster to answer
_LONGEST = 300  # letters of a sentence
_FILE = click.Path(path_type=Path)


class _RunsAFile(click.Group):
    """Takes `lrlab sweep FILE` for `lrlab sweep run FILE`, but not `lrlab sweep stauts FILE`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            meant = get_close_matches(args[0], self.commands, n=1)
            if meant and not Path(args[0]).exists():
                context.fail(f"No such command or file {args[0]!r}. Did you mean {meant[0]!r}?")
            args = ["run", *args]
        return super().parse_args(context, args)


@click.group(
    "sweep",
    cls=_RunsAFile,
    short_help="Search for hyperparameters, as a file says.",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
    Examples:
      lrlab sweep surnames.yml              the same as: lrlab sweep run surnames.yml
      lrlab sweep status surnames.yml
      lrlab sweep report surnames.yml
    """,
)
def group() -> None:
    """Search for hyperparameters; an interrupted search goes on with the same command."""


def _storage(function: Any) -> Any:
    return click.option(
        "--storage",
        metavar="URL",
        help="Where the study is kept; default: FILE with the ending .db, a SQLite file.",
    )(function)


@group.command(
    epilog="""\b
    Examples:
      lrlab sweep run surnames.yml
      lrlab sweep run surnames.yml --workers 4
      lrlab sweep run surnames.yml --storage postgresql://me@host/lab --async
      lrlab sweep run surnames.yml --cluster tcp://scheduler:8786
      lrlab sweep run surnames.yml --continue-trial 7
    """
)
@click.argument("file", type=_FILE)
@_storage
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: one a core.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Trials, in place of what FILE says; more go on with the same study.",
)
@click.option(
    "--async",
    "asynchronous",
    is_flag=True,
    help="Workers that wait for nobody; several programs may join one study.",
)
@click.option("--cluster", metavar="ADDRESS", help="Train on the workers of a Dask scheduler.")
@click.option(
    "--continue-trial",
    type=click.IntRange(min=0),
    metavar="N",
    help="Train a stopped trial to its end, from its checkpoint; the study stays as it is.",
)
def run(
    file: Path,
    storage: str | None,
    workers: int | None,
    count: int | None,
    asynchronous: bool,
    cluster: str | None,
    continue_trial: int | None,
) -> None:
    """Carry out the search that FILE describes, or go on with it."""
    from lrlab.labbook.sweeps.programs import search
    from lrlab.sweep import advice, sweep, trials
    from lrlab.sweep.asynchronous import join

    beside = str(file.absolute().parent)
    if beside not in sys.path:
        sys.path.append(beside)  # where a task's own module may lie; workers inherit it
    plan, url = _plan(file, count), storage or _default(file)
    with _one_sentence():
        plan.check()
        of_programs = not hasattr(plan, "task")
        if of_programs and (asynchronous or cluster or continue_trial is not None):
            raise BadInput("a script is searched in lockstep on this machine, from its beginning")
        if continue_trial is not None:
            _continue(plan, url, file.stem, continue_trial)
            return
        for sentence in advice(plan):
            click.echo(f"lrlab: {sentence}", err=True)
        with _on(cluster), _interruptible():
            if asynchronous:
                study = join(plan, url, name=file.stem, n_jobs=workers)
            else:
                carry_out = search if of_programs else sweep
                study = carry_out(plan, storage=url, name=file.stem, n_jobs=workers)
    found = trials(study)
    _summary(found, maximizes=plan.maximizes)
    for sentence in advice(plan, found)[len(advice(plan)) :]:
        click.echo(f"lrlab: {sentence}", err=True)


@group.command(epilog="Example: lrlab sweep status surnames.yml")
@click.argument("file", type=_FILE)
@_storage
def status(file: Path, storage: str | None) -> None:
    """Show what the study of FILE holds by now."""
    from lrlab.sweep import trials

    with _one_sentence():
        study = _existing(file, storage)
        found = trials(study)
    names = list(found[0].params) if found else []
    click.echo("  ".join(["trial", "outcome    ", "value     ", *(f"{n:<12}" for n in names)]))
    for trial in found:
        values = (
            f"{trial.params[name]:<12.4g}"
            if isinstance(trial.params[name], float)
            else f"{trial.params[name]!s:<12}"
            for name in names
        )
        click.echo(
            "  ".join(
                [
                    f"{trial.number:>5}",
                    f"{trial.outcome:<11}",
                    f"{trial.value:<10.5g}",
                    *values,
                    trial.reason or "",
                ]
            ).rstrip()
        )
    _summary(found, maximizes=study.direction.name == "MAXIMIZE")


@group.command(
    short_help="Write a page about the study: figures, trials, warnings.",
    epilog="Example: lrlab sweep report surnames.yml --out surnames.html",
)
@click.argument("file", type=_FILE)
@_storage
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The page that is written; default: FILE with the ending .html.",
)
def report(file: Path, storage: str | None, out: Path | None) -> None:
    """Write a page about the study of FILE: figures, best trials, warnings."""
    from lrlab.labbook.sweeps.page import write_report

    with _one_sentence():
        page = write_report(_existing(file, storage), out or file.with_suffix(".html"))
    click.echo(page)


def _plan(file: Path, count: int | None) -> Any:
    from lrlab.labbook.sweeps.wandb_files import load

    with _one_sentence():
        return load(file, count=count)


def _default(file: Path) -> str:
    return f"sqlite:///{file.with_suffix('.db')}"


def _existing(file: Path, storage: str | None) -> Any:
    from lrlab.sweep.storage import open_study

    if storage is None and not file.with_suffix(".db").exists():
        raise BadInput(f"{file} was not run yet; lrlab sweep run {file} begins it")
    return open_study(None, storage or _default(file), file.stem)


def _continue(plan: Plan, url: str, name: str, number: int) -> None:
    from lrlab.sweep import open_study, trials
    from lrlab.sweep.trainer import TaskTrainer, default_folder

    found = {trial.number: trial for trial in trials(open_study(None, url, name))}
    if number not in found:
        raise BadInput(f"the study has no trial {number}; it has {len(found)}")
    trial = found[number]
    if trial.outcome != "stopped":
        raise BadInput(f"trial {number} is {trial.outcome}; only a stopped one can be continued")
    progress = TaskTrainer(default_folder())(plan, trial.params, plan.evaluations)
    outcome = "diverged" if progress.diverged else f"ends at {progress.values[-1]:.5g}"
    click.echo(
        f"trial {number}, stopped after {trial.updates} updates at {trial.value:.5g}: {outcome} "
        f"(run {progress.run_key[:12]})"
    )


def _summary(found: list[Any], *, maximizes: bool) -> None:
    from lrlab.sweep.trial import best_of, counts

    click.echo(counts(found))
    best = best_of(found, maximizes=maximizes)
    if best is not None:
        params = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in best.params.items()
        )
        click.echo(f"best: trial {best.number} with {best.value:.5g} at {params}")


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        said = (str(error).splitlines() or ["this makes no sense"])[0]
        raise BadInput(said if len(said) <= _LONGEST else said[: _LONGEST - 2] + " …") from None


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    from lrlab.training.parallel import WorkerKilled

    try:
        yield
    except (KeyboardInterrupt, WorkerKilled) as error:
        said = str(error) or "interrupted; what was finished is kept, the same command goes on"
        click.echo(f"lrlab: {said}", err=True)
        click.get_current_context().exit(1)


@contextlib.contextmanager
def _on(cluster: str | None) -> Iterator[None]:
    if cluster is None:
        yield
        return
    import joblib
    from distributed import Client

    try:
        client = Client(cluster, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise BadInput(f"there is no Dask scheduler at {cluster}: {error}") from None
    with client, joblib.parallel_config(backend="dask", wait_for_workers_timeout=60):
        yield
