"""Make an environment: torch by pip, everything else by uv from a lock file, then bytecode.

    python3 .ci/install.py .venv requirements.lock --editable

pip installs torch, since it finds the build that this machine is configured for; uv does not read
pip's settings and would take the one with CUDA. Where uv finds no index, pip takes its place. What
`$PIP_FLAGS` holds goes to pip. Needs nothing but Python.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11, 5)
BEGAN = time.monotonic()
# Nobody imports the packages' own tests; torch is compiled after it has been installed.
UNCOMPILED = r"[/\\](tests?|torch|torchgen)[/\\]"
CUDA = re.compile(r"Collecting (nvidia|cuda|triton)")
SIZE = re.compile(r"Downloading (\S+?)-(\d\S*?)-\S+ \((\d{2,}\.?\d* [MG]B)\)")


class Failed(Exception):
    """A command failed; holds what it printed."""


def say(text, end="\n"):
    """A line, with the seconds since the start."""
    print(f"\r{time.monotonic() - BEGAN:4.0f} s  {text:<70}", end=end, flush=True)


def run(title, command, progress=None, heard=lambda line: None):
    """Run a command, showing on one line (in a terminal) or every 10 s that it goes on.

    `progress()` says how far it is; `heard(line)` may make a line of one that was printed.
    """
    say(title)
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []

    def read():
        for line in process.stdout:
            lines.append(line)
            if remark := heard(line):
                say(remark)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait(progress or (lambda: title), [process])
    reader.join(timeout=5)
    if process.returncode:
        raise Failed("".join(lines[-15:]))


def wait(progress, processes):
    """Wait until all processes have ended, and show that they go on and how far they are."""
    terminal = sys.stdout.isatty()
    shown = time.monotonic()
    while any(process.poll() is None for process in processes):
        time.sleep(0.1)
        if time.monotonic() - shown >= (0.5 if terminal else 10):
            say(f"  … {progress()}", end="" if terminal else "\n")
            shown = time.monotonic()


def pinned(package):
    """The requirement `package==version` as pyproject.toml has it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(rf'"({package}==[^"]+)"', text).group(1)


class Environment:
    """A virtual environment in a folder."""

    def __init__(self, folder):
        self.folder = folder
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / "python"
        self.uv = scripts / "uv"
        self.pip = [self.python, "-m", "pip", "install", "--disable-pip-version-check"]
        self.flags = shlex.split(os.environ.get("PIP_FLAGS", ""))

    def has(self, requirement):
        """Whether a package is installed in the version that is asked for."""
        name, version = requirement.split("==")
        return any(self.packages().glob(f"{name}-{version}*.dist-info"))

    def packages(self):
        """The folder that packages are installed into."""
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return next(self.folder.glob("lib/python3*/site-packages"), self.folder)

    def create(self):
        """Make the environment, with uv in it."""
        if not self.python.exists():
            run(f"making {self.folder.name}", [sys.executable, "-m", "venv", self.folder])
        uv = pinned("uv")
        if not self.has(uv):
            run(uv.replace("==", " "), [*self.pip, *self.flags, "-q", "--no-compile", uv])

    def install_lock(self, lock):
        """Install exactly what a lock file says, each file checked by its hash."""
        lines = lock.read_text(encoding="utf-8").splitlines()
        total = sum("==" in line and ";" not in line for line in lines)

        def progress():
            return (
                f"{sum(1 for _ in self.packages().glob('*.dist-info'))} of about {total} packages"
            )

        exact = ["--no-deps", "--require-hashes", "-r", lock]
        self.install(f"{total} packages of {lock.name}", exact, progress)

    def install(self, title, what, progress=None):
        """Install by uv or, where it finds no index, by pip."""
        uv = [self.uv, "pip", "install", "--python", self.python, "--no-config"]
        try:
            run(title, [*uv, *what], progress)
        except (Failed, OSError) as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1].strip()
            say(f"uv could not ({reason}); pip does it, which takes longer")
            run(title, [*self.pip, *self.flags, "--no-compile", *what], progress)

    def install_torch(self):
        """Install torch and, where its build needs them, the packages of CUDA."""
        torch = pinned("torch")
        if self.has(torch):
            return False
        warned = []

        def heard(line):
            if CUDA.match(line.strip()) and not warned:
                warned.append(line)
                return (
                    "pip found torch with CUDA: several gigabytes. Without CUDA: stop here (Ctrl-C)"
                    ' and name an index of CPU wheels: make setup PIP_FLAGS="--extra-index-url …"'
                )
            if found := SIZE.search(line):
                return f"  downloading {found[1]} {found[2]}, {found[3]}"
            return None

        run(
            torch.replace("==", " "),
            [*self.pip, *self.flags, "--progress-bar", "off", "--no-compile", torch],
            heard=heard,
        )
        return True

    def install_project(self):
        """Install the project itself, editable."""
        exact = ["--no-deps", "--no-build-isolation", "-e", ROOT]
        self.install("lrlab itself, editable", exact)

    def compile(self, *names, but="(?!)"):
        """Start compiling to bytecode, so that the first imports don't."""
        folders = [self.packages() / name for name in names] or [self.packages()]
        # What doesn't compile is a template or meant for another Python; imports will tell.
        command = [self.python, "-m", "compileall", "-q", "-q", "-j", "0" if names else "1"]
        return subprocess.Popen([*command, "-x", but, *folders], stdout=subprocess.DEVNULL)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=Path, help="its folder")
    parser.add_argument("lock", type=Path, help="the lock file, made by `make lock`")
    parser.add_argument("--editable", action="store_true", help="install the project itself, too")
    parser.add_argument("--without-torch", action="store_true", help="install the lock alone")
    arguments = parser.parse_args()
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        here = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"{sys.executable} is Python {here}, and {oldest} or newer is needed; "
            "name another one: make … PYTHON=python3.12"
        )
    here = Environment(arguments.environment.absolute())
    try:
        here.create()
        here.install_lock(arguments.lock)
        compiling = [here.compile(but=UNCOMPILED)]
        if not arguments.without_torch and here.install_torch():
            compiling.append(here.compile("torch", "torchgen"))
        if arguments.editable:
            here.install_project()
        say("compiling to bytecode")
        wait(lambda: "compiling to bytecode", compiling)
    except Failed as error:
        print(f"\n{error}\nSetting up failed; the lines above say why.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        sys.exit(1)
    say(f"{arguments.environment} is ready")


if __name__ == "__main__":
    main()
