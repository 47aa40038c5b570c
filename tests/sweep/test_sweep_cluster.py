"""The same sweep on a Dask cluster of separate processes, one of which is killed in mid-run."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_fakes import Formula, plan, table, whole

from lrlab.labbook.cli._sweep import _on
from lrlab.sweep import sweep, trials

HERE = Path(__file__).parent
MODULES = os.pathsep.join(map(str, [HERE, HERE.parent, HERE.parents[1]]))  # that workers import
PATIENCE = 120  # seconds; a busy machine is no failure


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers with one thread each, as programs of their own."""
    address = f"tcp://127.0.0.1:{free_port()}"
    environment = os.environ | {"PYTHONPATH": MODULES, "OMP_NUM_THREADS": "1"}
    common = {
        "cwd": tmp_path,
        "env": environment,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    scheduler = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            address,
            "--dashboard-address",
            ":0",
            "--no-show",
        ],
        **common,
    )
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
    options = ["--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
    workers = [subprocess.Popen([*worker, *options], **common) for _ in range(2)]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(cluster, tmp_path):
    from distributed import Client

    address, workers = cluster
    deadline = time.monotonic() + PATIENCE
    while True:  # the scheduler and its workers need a while to begin
        try:
            with Client(address, timeout=5) as client:
                client.wait_for_workers(2, timeout=PATIENCE)
                break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    diary = tmp_path / "diary.txt"
    killer = Killer(workers[0].pid, str(diary))
    with _on(address):
        study = sweep(plan(), trainer=killer, progress=False)
    assert workers[0].wait(PATIENCE) == -signal.SIGKILL
    assert table(trials(study)) == whole()
    processes = {line.split()[0] for line in diary.read_text().splitlines()}
    # With one worker left joblib may as well work here: two would not be waited for.
    assert str(workers[1].pid) in processes


class Killer(Formula):
    """The formula, which kills its process where that is the one that is to be killed."""

    def __init__(self, victim: int, diary: str) -> None:
        super().__init__(delay=0.01, diary=diary)
        object.__setattr__(self, "victim", victim)

    def __call__(self, plan, params, evaluation):
        if os.getpid() == self.victim and evaluation >= 4:
            os.kill(self.victim, signal.SIGKILL)
        return super().__call__(plan, params, evaluation)
