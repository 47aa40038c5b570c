"""Training under another numerics profile: the same call, in a process with other variables.

The libraries read the variables of a profile when they are loaded, so that a profile can't be
changed within a process. What is trained in the other process has that profile in its key.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Mapping
from pathlib import Path

from lrlab import numerics
from lrlab.training.parallel import Job, train_many
from lrlab.training.results import Results


def train_under_profile(
    profile: str, jobs: Mapping[Hashable, Job], *, n_jobs: int | None = None
) -> Results:
    """Train many runs under a profile, as `lrlab.train_many` does, with the usual store.

    Args:
        profile: `portable` or `foreign`, see `lrlab.numerics`. Where it is that of this process,
            nothing else is started.
        jobs: what is to be trained; all of it must be importable.
        n_jobs: number of processes, as for `lrlab.train_many`.

    Returns:
        The runs by the keys of their jobs.

    Raises:
        ValueError: if there is no such profile.
        RuntimeError: if the other process fails, with the last line that it said.

    Example:
        >>> len(train_under_profile("foreign", {}))
        0
    """
    variables = numerics.environment(profile)
    if not jobs:
        return Results({})
    if numerics.profile()["name"] == profile:
        return train_many(jobs, n_jobs=n_jobs)
    others = {k: v for k, v in os.environ.items() if k not in numerics.PORTABLE}
    with tempfile.TemporaryDirectory(prefix="lrlab-") as folder:
        asked, answered = Path(folder) / "jobs", Path(folder) / "runs"
        asked.write_bytes(pickle.dumps((dict(jobs), n_jobs)))
        done = subprocess.run(
            [sys.executable, "-m", "lrlab.experiments.noise_sources.elsewhere", asked, answered],
            env=others | variables,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing"]
            raise RuntimeError(f"training under the profile {profile!r} failed: {said[-1]}")
        return pickle.loads(answered.read_bytes())


def _answer(asked: str, answered: str) -> None:
    jobs, n_jobs = pickle.loads(Path(asked).read_bytes())
    Path(answered).write_bytes(pickle.dumps(train_many(jobs, n_jobs=n_jobs, progress=False)))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
