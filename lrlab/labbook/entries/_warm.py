"""Warm kernels: the heavy libraries are imported once, and each kernel is a fork of that process.

`python -m lrlab.labbook.entries._warm SOCKET -f FILE` stands in for `ipykernel_launcher`: it asks
the server to fork a kernel, passes signals on to it, and ends with it. Each kernel has a namespace,
a working folder, an environment and random states of its own; nothing flows back to the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

NAME = "lrlab-warm"
"""The name of the kernel."""

# What nearly every notebook imports. The package itself is among them: a server lives no longer
# than one call of `validate`, `renew` or `rerun`, in which its source does not change.
_LIBRARIES = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "torch._dynamo",  # which the first optimizer of each process would load, with SymPy
    "tqdm",
    "lrlab.display",
    "lrlab.checkup",
    "lrlab.range_test",
    "lrlab.sweep",
    "lrlab.training",
)
_LONGEST = 1 << 20  # bytes of a request
_PATIENCE = 120  # seconds for the libraries to be loaded


@contextlib.contextmanager
def kernels(
    folder: Path, environment: dict[str, str], *, warm: bool = True
) -> Iterator[dict[str, str]]:
    """Offer kernels under `NAME` while the block runs; elsewhere than on Linux they start cold.

    Args:
        folder: where the kernel's specification and the server's socket are made.
        environment: with which the libraries are loaded: that of the kernels.
        warm: False starts each cold here too, which is quicker for one or two.

    Yields:
        The variables by which Jupyter finds the kernels.
    """
    warm = warm and sys.platform == "linux"
    launch = ["-m", "ipykernel_launcher"]
    address = folder / "kernels.socket"
    if warm:  # isolated, without site-packages: this process only waits and passes signals on
        launch = ["-I", "-S", __file__, str(address)]
    specification = folder / "kernels" / NAME / "kernel.json"
    specification.parent.mkdir(parents=True)
    argv = [sys.executable, *launch, "-f", "{connection_file}", "--IPKernelApp.log_level=50"]
    described = {"argv": argv, "display_name": "Python 3", "language": "python"}
    specification.write_text(json.dumps(described))
    paths = [str(folder), environment.get("JUPYTER_PATH", "")]
    variables = {"JUPYTER_PATH": os.pathsep.join(filter(None, paths))}
    with _server(address, environment) if warm else contextlib.nullcontext():
        yield variables


@contextlib.contextmanager
def _server(address: Path, environment: dict[str, str]) -> Iterator[None]:
    code = "import sys; from lrlab.labbook.entries import _warm; _warm.serve(sys.argv[1])"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(address)], env=environment, start_new_session=True
    )
    try:
        until = time.monotonic() + _PATIENCE
        while not address.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server of warm kernels did not start")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def serve(address: str) -> NoReturn:
    """Load the libraries, then fork a kernel for each request, until who started it is gone."""
    import gc
    import importlib
    import selectors

    parent = os.getppid()
    gc.disable()  # what is imported stays
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    gc.enable()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address + ".new")
    listener.listen()
    Path(address + ".new").rename(address)
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    while os.getppid() == parent:
        for key, _ in ready.select(timeout=1):
            if ready.get_map().get(key.fd) is not key:
                continue  # its kernel has ended in this round, and it is closed
            if key.fileobj is listener:
                client = listener.accept()[0]
                pid = _fork(client, listener)
                ready.register(client, selectors.EVENT_READ, pid)
                ready.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, client))
            elif isinstance(key.data, int):  # a signal to pass on, or the client is gone
                try:
                    data = key.fileobj.recv(1)
                except OSError:
                    data = b""
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(key.data, data[0] if data else signal.SIGKILL)
                if not data:
                    ready.unregister(key.fileobj)
            else:  # the kernel has ended
                pid, client = key.data
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                ready.unregister(key.fileobj)
                os.close(key.fileobj)
                with contextlib.suppress(OSError):
                    client.send(bytes([code % 256]))
                with contextlib.suppress(KeyError):
                    ready.unregister(client)
                client.close()
    sys.exit()


def _fork(client: socket.socket, listener: socket.socket) -> int:
    message, descriptors, *_ = socket.recv_fds(client, _LONGEST, 3)
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    code = 1
    try:
        os.setsid()
        client.close()
        listener.close()
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        code = _become_a_kernel(**json.loads(message))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _become_a_kernel(arguments: list[str], environment: dict[str, str], folder: str) -> int:
    import atexit

    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.chdir(folder)
    os.environ.clear()
    # A kernel ends when the process that started it is gone: that is the server.
    os.environ.update(environment | {"JPY_PARENT_PID": str(os.getppid())})
    sys.argv = ["ipykernel_launcher", *arguments]
    sys.path.insert(0, "")
    # As in a process that was started alone, what no one seeds starts from entropy.
    np.random.seed()  # noqa: NPY002
    if torch := sys.modules.get("torch"):
        torch.seed()
    try:
        IPKernelApp.launch_instance(argv=arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    finally:
        atexit._run_exitfuncs()
    return 0


def _ask(address: str, arguments: list[str]) -> int:
    """Have a kernel forked, stand in for it until it ends, and return its exit code."""
    request = {"arguments": arguments, "environment": dict(os.environ), "folder": str(Path.cwd())}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: connection.send(bytes([number])))
        code = connection.recv(1)
    return code[0] if code else 1


if __name__ == "__main__":
    sys.exit(_ask(sys.argv[1], sys.argv[2:]))
