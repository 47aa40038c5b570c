"""The wheel, and environments outside of the repository that it is installed into.

Nothing is downloaded: what an environment needs besides is linked from the one that runs the tests.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def requirements_of(wheel: Path, distribution: str, extra: str = "") -> list[Requirement]:
    """What a distribution asks for on this machine, with one of its extras; ours is the wheel."""
    found = metadata.requires(distribution)
    if distribution == "lrlab":
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            found = message_from_bytes(archive.read(name)).get_all("Requires-Dist")
    wanted = [Requirement(line) for line in found or []]
    return [r for r in wanted if not r.marker or r.marker.evaluate({"extra": extra})]


def closure(wheel: Path, extra: str) -> set[str]:
    """The names of all distributions that the wheel asks for, and of all that those ask for."""
    waiting = [("lrlab", ""), ("lrlab", extra)]
    visited: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in visited:
            visited.add((name, extra))
            for r in requirements_of(wheel, name, extra):
                waiting += [(r.name, more) for more in ("", *r.extras)]
    return {name for name, _ in visited} - {"lrlab"}


def link(distribution: str, folder: Path) -> None:
    """Make the files of an installed distribution importable in another site-packages."""
    own = Path(sysconfig.get_path("purelib"))
    for top in {file.parts[0] for file in metadata.files(distribution) or []}:
        if top not in ("..", "__pycache__") and not (folder / top).exists():
            (folder / top).symlink_to(own / top)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git knows, so that nothing else slips in."""
    source = tmp_path_factory.mktemp("source")
    known = subprocess.run(
        ["git", "ls-files", "-z", "lrlab", "pyproject.toml", "README.md", "LICENSE"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, known.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", target, source], check=True)
    (built,) = target.glob("lrlab-*.whl")
    return built


class Installed:
    """An environment with the wheel in it, used from a folder outside of the repository."""

    def __init__(self, folder: Path, wheel: Path, extra: str) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
        self.bin = folder / "env" / "bin"
        self.here = folder / "work"
        self.here.mkdir()
        (site,) = (folder / "env").glob("lib/python3*/site-packages")
        self.wheel = wheel
        self.packages = closure(wheel, extra)
        for package in self.packages:
            link(package, site)
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install"]
        subprocess.run([*pip, "-q", "--no-deps", "--no-index", wheel], check=True)

    def run(self, *command: object, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, which sees neither repository nor store of ours."""
        hidden = ("PYTHONPATH", "LRLAB_CACHE", "VIRTUAL_ENV")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        environment["PATH"] = f"{self.bin}:{environment['PATH']}"
        program, *arguments = map(str, command)
        return subprocess.run(
            [str(self.bin / program) if (self.bin / program).exists() else program, *arguments],
            cwd=self.here,
            env={**environment, **settings},
            capture_output=True,
            text=True,
        )

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run Python code there."""
        return self.run("python", "-c", code)


@pytest.fixture(scope="session")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """A function that makes an environment with the wheel and one extra (none for the core)."""
    return lambda extra: Installed(tmp_path_factory.mktemp(extra or "core"), wheel, extra)
