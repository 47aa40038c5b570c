"""Run an experiment and leave what a pull request needs: the entry, its record, a comment.

    .venv/bin/python .ci/run_experiment.py onecycle --parameters "n_seeds=3 peaks=[0.2, 3.0]"

This is all that the workflow "Run an experiment" does, so that it can be tried anywhere. Parameters
are one `name=value` a line, or several in one line. What comes of it is in --out (`comment.md` and
the figures); the entry itself is in the log, or beside the comment where it is not for the log.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from lrlab.labbook import proposal
from lrlab.labbook.entries import find_root, log
from lrlab.labbook.entries.logbook import Entry

_PARAMETER = re.compile(r"(?:^|(?<=\s))([A-Za-z_]\w*)=")


def parameters(text: str) -> list[tuple[str, str]]:
    """Names and values of `a=1 b=[1, 2]`, one or several in a line."""
    parts = _PARAMETER.split(text.strip())
    if parts[0].strip():
        raise SystemExit(f"parameters must be name=value, got {parts[0].strip()!r}")
    return [(name, value.strip()) for name, value in zip(parts[1::2], parts[2::2], strict=True)]


def main() -> int:
    """Run `lrlab run` with the inputs, then write the comment and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("notebook")
    parser.add_argument("--parameters", default="", metavar="'NAME=VALUE …'")
    parser.add_argument("--size", choices=["full", "smoke"], default="full")
    parser.add_argument("--out", type=Path, default=Path(".lrlab/proposal"))
    parser.add_argument("--images", default="", help="address below which the figures will be")
    asked = parser.parse_args()
    root = find_root()
    before = {entry.name for entry in log(root)}
    words = [sys.executable, "-m", "lrlab.cli", "run", asked.notebook]
    words += ["--smoke"] if asked.size == "smoke" else []
    for name, value in parameters(asked.parameters):
        words += ["-p", name, value]
    done = subprocess.run(words, check=False)
    if done.returncode:
        return done.returncode
    entries: list[Entry] = log(root)
    [new] = [entry for entry in entries if entry.name not in before]
    print(proposal.write(new, entries, asked.out, asked.images))
    return 0


if __name__ == "__main__":
    sys.exit(main())
