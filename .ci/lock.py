"""Write the lock files, and constraints.txt from them: `make lock`.

Each lock holds exact versions with hashes, for all platforms, and no address of an index. Versions
stay as they are in the files, except what pyproject.toml no longer allows or is named:

    python .ci/lock.py --upgrade-package matplotlib
    python .ci/lock.py --upgrade

torch is left out, since its builds differ by machine (`install.py` says how it comes); what torch
needs is in.
"""

import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from install import OLDEST, ROOT, pinned

PEERS = ROOT / "tests" / "peers"
RAY = ROOT / "benchmarks"


def needed_by_torch():
    """What the CPU build of torch requires, as lines."""
    lines = (line for line in metadata.requires("torch") or [] if "extra ==" not in line)
    return [line for line in lines if not re.match("(nvidia|cuda|triton)", line)]


def compile_lock(lock, inputs, *options):
    """Resolve the inputs into a lock file."""
    with tempfile.TemporaryDirectory() as folder:
        without_torch = Path(folder) / "overrides.txt"
        without_torch.write_text('torch; python_version < "3"\n')
        torch = Path(folder) / "torch.txt"
        torch.write_text("\n".join(needed_by_torch()))
        command = ["uv", "pip", "compile", "--no-config", "--universal", "--generate-hashes"]
        command += ["--python-version", ".".join(map(str, OLDEST))]
        command += ["--no-emit-index-url", "--no-annotate", "--quiet"]
        command += ["--custom-compile-command", "make lock", "--override", str(without_torch)]
        if "--no-deps" not in options:
            inputs = [*inputs, torch]
        subprocess.run([*command, *options, *inputs, "-o", lock], cwd=ROOT, check=True)


def versions(lock):
    """The lines `name==version`, with their markers and without hashes."""
    found = re.findall(r"^([\w.-]+==[^\\\n]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.strip() for line in found]


def main():
    """All locks."""
    options = sys.argv[1:]
    main_lock = ROOT / "requirements.lock"
    compile_lock(main_lock, ["pyproject.toml"], "--extra", "test", *options)
    constraints = sorted([*versions(main_lock), pinned("torch")], key=str.lower)
    (ROOT / "constraints.txt").write_text("\n".join(constraints) + "\n", encoding="utf-8")

    compile_lock(PEERS / "requirements.lock", [PEERS / "requirements.txt"], *options)
    bare = PEERS / "requirements-nodeps.lock"
    compile_lock(bare, [PEERS / "requirements-nodeps.txt"], "--no-deps", *options)
    ray = ["-c", "constraints.txt", *options]
    compile_lock(RAY / "requirements-ray.lock", [RAY / "requirements-ray.txt"], *ray)


if __name__ == "__main__":
    main()
