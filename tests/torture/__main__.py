"""Break it on purpose: `python tests/torture`, or `make torture`."""

from __future__ import annotations

import concurrent.futures
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from tqdm import tqdm

from lrlab import numerics

CAMPAIGNS = ("kills", "commands", "plans", "flips")
HANGS = 600  # seconds after which an attempt is given up


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0), default=15.0, show_default=True)
@click.option("--only", type=click.Choice(CAMPAIGNS), help="One campaign.")
@click.option("--seed", type=click.IntRange(min=0), help="The first seed; alone: only this try.")
@click.option("--tries", type=click.IntRange(min=1), help="Of each campaign.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
def main(
    minutes: float, only: str | None, seed: int | None, tries: int | None, workers: int
) -> None:
    """Kill, misspell and damage whatever can be, until all tries are made or the time is up.

    Each fault is printed with the command that shows it again. The exit code is 1 if there are any.
    """
    os.environ.update(numerics.environment("portable"))  # before anything loads torch
    names = [only] if only else list(CAMPAIGNS)
    wanted = {
        name: tries or (1 if seed is not None else importlib.import_module(name).TRIES)
        for name in names
    }
    first = random.SystemRandom().randrange(10**6) if seed is None else seed
    click.echo(f"the seeds begin at {first}")
    done, faults = Counter(), Counter()
    for name, number, fault in results(wanted, first, minutes, workers):
        done[name] += 1
        if fault:
            faults[name] += 1
            command = f"python tests/torture --only {name} --seed {number}"
            tqdm.write(f"{command}\n    {fault}", file=sys.stdout)
    click.echo("tries / faults")
    for name in names:
        early = f"  (of {wanted[name]}; the time was up)" if done[name] < wanted[name] else ""
        click.echo(f"{name:<9} {done[name]:>5} / {faults[name]}{early}")
    sys.exit(int(bool(faults)))


def results(
    wanted: dict[str, int], first: int, minutes: float, workers: int
) -> Iterator[tuple[str, int, str | None]]:
    """Campaign, seed and fault of each try, as they end."""
    until, waiting = time.monotonic() + 60 * minutes, set()
    context = multiprocessing.get_context("fork")
    with (
        concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool,
        tqdm(total=sum(wanted.values()), unit="try", mininterval=2) as bar,
    ):
        for name, number in mixed(wanted, first):
            if time.monotonic() > until:
                break
            waiting.add(pool.submit(one, name, number))
            while len(waiting) >= 2 * workers:
                ended, waiting = concurrent.futures.wait(waiting, return_when="FIRST_COMPLETED")
                bar.update(len(ended))
                yield from (future.result() for future in ended)
        for future in concurrent.futures.as_completed(waiting):
            bar.update()
            yield future.result()


def mixed(wanted: dict[str, int], first: int) -> Iterator[tuple[str, int]]:
    """All campaigns side by side, so that each has its part when the time is up."""
    places = [
        ((k + 0.5) / tries, name, first + k) for name, tries in wanted.items() for k in range(tries)
    ]
    return ((name, number) for _, name, number in sorted(places))


def one(name: str, seed: int) -> tuple[str, int, str | None]:
    """Make one try in a folder of its own, which is then removed."""
    folder = Path(tempfile.mkdtemp(prefix="lrlab-torture-")).resolve()
    signal.signal(signal.SIGALRM, _given_up)
    signal.alarm(HANGS)
    try:
        fault = importlib.import_module(name).attempt(seed, folder)
    except Exception as error:
        fault = f"{type(error).__name__}: {str(error)[:500]}"
    finally:
        signal.alarm(0)
        left = importlib.import_module("common").survivors(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return name, seed, fault or left


def _given_up(number: int, frame: object) -> None:
    raise TimeoutError(f"no answer for {HANGS} seconds")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
