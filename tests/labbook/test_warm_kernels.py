"""Kernels that are forked from one process: each as fresh as one that was started alone."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from lrlab.labbook.entries import _warm
from lrlab.labbook.entries._execute import kernel_environment

HERE = str(Path(__file__).parent)
STATE = """
import json, os, sys
import matplotlib, numpy, torch
print(json.dumps({
    "names": sorted(name for name in globals() if not name.startswith("_")),
    "folder": os.getcwd(),
    "argv": sys.argv[0].endswith(("ipykernel_launcher", "ipykernel_launcher.py")),
    "module": __name__,
    "environment": {k: v for k, v in os.environ.items() if k not in ("JPY_PARENT_PID", "_")},
    "left": [hasattr(torch, "left"), hasattr(json, "left")],
    "rc": {k: str(v) for k, v in matplotlib.rcParams.items() if not k.startswith("backend")},
    "backend": matplotlib.get_backend(),
    "torch": [torch.get_num_threads(), str(torch.get_default_dtype())],
    "user modules": [name for name in sys.modules if name.startswith("mine")],
}))
"""
LITTER = """
import json, os, sys, types
import matplotlib, torch
x = 1
torch.left = json.left = True
torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
matplotlib.rcParams["lines.linewidth"] = 17
os.environ["LEFT"] = "1"
os.chdir("/")
sys.modules["mine"] = types.ModuleType("mine")
del os.environ["HOME"]
"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    return kernel_environment(folder, folder / "told", cache=folder / "store")


@contextlib.contextmanager
def starter(variables, folder, warm):
    """Gives a function that starts a kernel, warm or cold; all are ended in the end."""
    begun = []
    with (
        _warm.kernels(folder, variables, warm=warm) as more,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("JUPYTER_PATH", more["JUPYTER_PATH"])

        def start():
            environment = variables | more
            begun.append(start_new_kernel(kernel_name=_warm.NAME, env=environment, cwd=HERE))
            return begun[-1]

        yield start
        for manager, client in begun:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def started(variables, tmp_path_factory):
    with starter(variables, tmp_path_factory.mktemp("specification"), warm=True) as start:
        yield start


def said(client, code):
    """What a cell printed; an error is raised."""
    texts = []

    def hook(message):
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=hook, timeout=120)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(reply["content"]["ename"])
    return "".join(texts)


def test_nothing_leaks_from_one_notebook_into_the_next(started):
    first = json.loads(said(started()[1], STATE))
    said(started()[1], LITTER)
    assert json.loads(said(started()[1], STATE)) == first


def test_random_numbers_that_no_one_seeded_differ(started):
    code = "import numpy, random, torch; print(numpy.random.rand(), random.random(), torch.rand(1))"
    one, other = (said(started()[1], code).split() for _ in range(2))
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_an_interruption_reaches_the_cell_and_the_kernel_goes_on(started):
    manager, client = started()
    # An error would have the kernel refuse, for a moment, what is asked next.
    sleep = "import time; print('asleep', flush=True); time.sleep(100)"
    client.execute(sleep, stop_on_error=False)
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=60))["msg_type"] != "execute_reply":
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert said(client, "print('awake')") == "awake\n"


def test_a_kernel_that_is_ended_or_dies_is_gone_and_known_to_be(started):
    manager, client = started()
    pid = int(said(client, "import os; print(os.getpid())"))
    manager.shutdown_kernel(now=True)
    wait_until(lambda: not running(pid))
    manager, client = started()
    client.execute("import os; os._exit(3)")
    wait_until(lambda: not manager.is_alive())


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition, patience=60):
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_warm_kernel_is_like_a_cold_one(started, variables, tmp_path):
    with starter(variables, tmp_path, warm=False) as start:
        warm, cold = (json.loads(said(begin()[1], STATE)) for begin in (started, start))
    assert warm["environment"].pop("JUPYTER_PATH") != cold["environment"].pop("JUPYTER_PATH")
    assert warm == cold


def test_the_server_outlives_a_client_that_goes_as_its_kernel_ends(variables, tmp_path):
    with starter(variables, tmp_path, warm=True) as start:
        manager, client = start()
        kernel, server = map(
            int, said(client, "import os; print(os.getpid(), os.getppid())").split()
        )
        os.kill(server, signal.SIGSTOP)  # so that it hears of both at once
        os.kill(kernel, signal.SIGKILL)
        time.sleep(0.2)
        manager.provisioner.process.kill()
        manager.provisioner.process.wait()
        os.kill(server, signal.SIGCONT)
        assert said(start()[1], "print('awake')") == "awake\n"
