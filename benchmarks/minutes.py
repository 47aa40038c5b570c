"""How long people wait: each command that they type, cold and warm, as wall and processor seconds.

    python benchmarks/minutes.py                   # all rows but `ci`, about 40 minutes
    python benchmarks/minutes.py help list show    # these rows
    python benchmarks/minutes.py --table           # what is kept, as the guide has it

Results are kept in `results/minutes_idle.json`, row by row, each with its date and the machine's
load when it began; a number from a busy machine says so (`results/minutes.json`, which the release
0.2.0 holds, is from one). A row that fails says why, keeps what it had, and the next ones are
measured all the same. Processor seconds count all processes that the command started and waited
for. Cold is from nothing (a fresh clone, no cache, no last build, an empty store), warm the same
command once more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _results import keep

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "minutes_idle.json"
Steps = Iterator[tuple[str, dict[str, float]]]


def load() -> float:
    """How many processors others use at this moment, on Linux; the average of a minute elsewhere.

    The average would hold what the row before used.
    """
    counts = Path("/proc/stat")
    if not counts.exists():
        return os.getloadavg()[0]

    def busy() -> float:
        user, nice, system, _, _, *rest = map(int, counts.read_text().split()[1:9])
        return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")

    before, began = busy(), time.perf_counter()
    time.sleep(1)
    return (busy() - before) / (time.perf_counter() - began)


def timed(*command: str, folder: Path = ROOT, **settings: str) -> dict[str, float]:
    """Run a command that must succeed; return its wall and processor seconds."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    others, before, began = load(), used(), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True
    )
    wall, cpu = time.perf_counter() - began, used() - before
    if done.returncode:
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
    return {"wall": round(wall, 2), "cpu": round(cpu, 2), "load": round(others, 2)}


@contextmanager
def clone() -> Iterator[tuple[Path, dict[str, str]]]:
    """A fresh clone of the last commit, and settings with caches of its own, which are empty."""
    with tempfile.TemporaryDirectory(prefix="lrlab-minutes-") as folder:
        root = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", ROOT, root], check=True)
        caches = {"UV_CACHE_DIR": f"{folder}/uv", "PIP_CACHE_DIR": f"{folder}/pip"}
        path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if ".venv" not in p)
        yield root, {**caches, "PATH": path, "PYTHONPATH": ""}


def twice(*command: str) -> Callable[[], Steps]:
    """A row of a command that finds the same state each time; the second turn is the warm one."""

    def row() -> Steps:
        yield "cold", timed(*command)
        yield "warm", timed(*command)

    return row


def once(*command: str) -> Callable[[], Steps]:
    """A row of a command that takes minutes each time."""

    def row() -> Steps:
        yield "cold", timed(*command)

    return row


def setup() -> Steps:
    """`make setup` in a fresh clone; warm: again, with the packages cached."""
    with clone() as (root, settings):
        yield "cold", timed("make", "setup", folder=root, **settings)
        shutil.rmtree(root / ".venv")
        yield "warm", timed("make", "setup", folder=root, **settings)


def fresh() -> Steps:
    """`make book` in a fresh clone, set-up included; warm: again, where it is set up."""
    with clone() as (root, settings):
        yield "cold", timed("make", "book", folder=root, **settings)
        yield "warm", timed("make", "book", folder=root, **settings)


def ci() -> Steps:
    """`.ci/run` in a fresh clone."""
    with clone() as (root, settings):
        yield "cold", timed("bash", ".ci/run", folder=root, **settings)


def render() -> Steps:
    """`lrlab book` from nothing; warm: where nothing has changed."""
    yield "cold", timed("lrlab", "book", "--cold")
    yield "warm", timed("lrlab", "book")


def after() -> Steps:
    """`lrlab book` after a run: of a copy of the laboratory, into which an entry has come."""
    with tempfile.TemporaryDirectory(prefix="lrlab-minutes-") as folder:
        root = Path(folder) / "laboratory"
        for name in ("book", "notebooks"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("live"))
        for name in ("_config.yml", "_toc.yml"):
            shutil.copy(ROOT / name, root)
        timed("lrlab", "book", folder=root)
        timed("lrlab", "run", "onecycle", "--smoke", folder=root)
        yield "cold", timed("lrlab", "book", folder=root)


def show() -> Steps:
    """`lrlab show` of the newest entry, without opening it."""
    entry = sorted((ROOT / "book" / "log").glob("2*.ipynb"))[-1].stem
    shutil.rmtree(ROOT / "_build" / "show", ignore_errors=True)
    for state in ("cold", "warm"):
        yield state, timed("lrlab", "show", "--no-open", entry)


def smoke() -> Steps:
    """`lrlab run onecycle --smoke`; cold: from an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        for state in ("cold", "warm"):
            out = f"{folder}/{state}.ipynb"
            command = ("lrlab", "run", "onecycle", "--smoke", "--out", out)
            yield state, timed(*command, LRLAB_CACHE=f"{folder}/store")


ROWS: dict[str, tuple[str, float | None, Callable[[], Steps]]] = {
    # name: what people type, the most that it may take [s], how it is measured
    "make": ("make", 1.0, twice("make")),
    "help": ("lrlab --help", 0.25, twice("lrlab", "--help")),
    "params": ("lrlab params", 0.25, twice("lrlab", "params", "onecycle")),
    "list": ("lrlab list", 0.5, twice("lrlab", "list")),
    "claims": ("lrlab claims", 0.5, twice("lrlab", "claims")),
    "show": ("lrlab show ENTRY", 5.0, show),
    "smoke": ("lrlab run NOTEBOOK --smoke", 5.0, smoke),
    "setup": ("make setup", 75.0, setup),
    "render": ("lrlab book", 40.0, render),
    "after": ("lrlab book, after lrlab run", 15.0, after),
    "fresh": ("make book, on a fresh machine", 165.0, fresh),
    "lint": ("make lint", None, twice("make", "lint")),
    "notebooks": ("lrlab reference --check", 120.0, once("lrlab", "reference", "--check")),
    "test": ("make test", 300.0, once("make", "test")),
    "ci": (".ci/run, on a fresh machine", 1080.0, ci),
}


def table(results: dict[str, Any]) -> str:
    """The kept results as the guide's table, in the order of `ROWS`."""
    lines = ["| command | cold [s] | warm [s] | processor, cold [s] | load |", "| --- " * 5 + "|"]
    for name, (typed, _, _) in ROWS.items():
        if row := results["rows"].get(name):
            cold, warm = row["cold"], row.get("warm")
            again = f"{warm['wall']:.3g}" if warm else "–"
            spent = f"{cold['cpu']:.3g} | {cold['load']:.1f}"
            lines.append(f"| `{typed}` | {cold['wall']:.3g} | {again} | {spent} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the rows that are named, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--table", action="store_true", help="print what is kept; measure nothing")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"there is no row {sorted(unknown)[0]!r}; there are {', '.join(ROWS)}")
    results: dict[str, Any] = {"rows": {}}
    if RESULTS.exists():
        results = json.loads(RESULTS.read_text())
    if arguments.table:
        print(table(results))
        return
    failed = []
    for name in arguments.rows or [name for name in ROWS if name != "ci"]:
        typed, most, measure = ROWS[name]
        row: dict[str, Any] = {"date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")}
        row["processors"] = len(os.sched_getaffinity(0))
        try:
            for state, found in measure():
                row[state] = found
                late = " (more than it may)" if most and found["wall"] > most else ""
                late = late if found["load"] < row["processors"] / 2 else " (the machine is busy)"
                print(
                    f"{typed:<32} {state}: {found['wall']:7.2f} s, of the processor "
                    f"{found['cpu']:7.2f} s, load {found['load']:.1f}{late}",
                    flush=True,
                )
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
            continue
        results["rows"][name] = row
        keep(RESULTS, results, indent=1)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
