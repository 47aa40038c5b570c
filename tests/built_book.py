"""The book, built once for all tests from a copy, with entries made for the tests in its log."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from entry_maker import write_entry
from filelock import FileLock
from recorded_runs import carrying, data

from lrlab.claims import Claim

ROOT = Path(__file__).parents[1]
# Of today, and later in the day than any other, so that they are the newest.
TODAY = date.today().isoformat()
OLD, NEW, OTHER, WHAT_IF = (
    f"{TODAY}-{slug}" for slug in ("demo-old", "demo", "other", "demo-peak_lr-0.5")
)


@dataclass(frozen=True)
class Book:
    """A copy of the laboratory, the pages made from it, and what the build said."""

    root: Path
    log: str
    code: int
    untouched: bool

    @property
    def html(self) -> Path:
        return self.root / "_build" / "html"

    def pages(self) -> Iterator[Path]:
        return (p for p in sorted(self.html.rglob("*.html")) if "_static" not in p.parts)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The built book; the workers of a parallel test run share one build."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root, said = shared / "laboratory", shared / "laboratory.txt"
    with FileLock(f"{root}.lock"):
        if not said.exists():
            said.write_text(build(root))
    code, untouched, log = said.read_text().split("\n", 2)
    return Book(root, log, int(code), untouched == "True")


def build(root: Path) -> str:
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("live"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, root)
    # Pictures that `make book` has made smaller are taken over: each is named by what it was made
    # from. Not those that are older than what makes them.
    makers = {"_build/.pictures": "_lighter.py", "book/live/pictures": "_pictures.py"}
    for made, maker in makers.items():
        source = ROOT / "lrlab" / "labbook" / "site" / maker
        if (ROOT / made).is_dir() and (ROOT / made).stat().st_mtime > source.stat().st_mtime:
            shutil.copytree(ROOT / made, root / made)
    never = Claim.exact("never", "It never fails", holds=False, detail="it failed once")
    made = (
        {"entry": OLD},
        {"entry": NEW, "supersedes": {"entry": OLD, "reason": "Its test set was too small."}},
        {"entry": OTHER, "notebook": "other", "claims": [never], "title": "Another page"},
        {
            "entry": WHAT_IF,
            "changed": {"peak_lr": 0.5},
            "command": "lrlab run demo -p peak_lr 0.5",
        },
    )
    for second, entry in enumerate(made):
        more = {"date": TODAY, "started": f"{TODAY}T23:59:5{second}Z"}
        if entry["entry"] == OTHER:
            carrying(root, data("A network that nobody trained"), **more, **entry)
        else:
            write_entry(root, **more, **entry)
    before = _sources(root)
    done = subprocess.run(
        [sys.executable, "-m", "lrlab.cli", "book"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.returncode}\n{_sources(root) == before}\n{done.stdout}\n{done.stderr}"


def _sources(root: Path) -> dict[Path, bytes]:
    ignored = (root / "_build", root / "book" / "live")
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(path.is_relative_to(folder) for folder in ignored)
    }
