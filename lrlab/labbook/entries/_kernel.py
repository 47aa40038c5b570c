"""The kernel that entries are computed in: this interpreter, whatever kernels a user installed."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine

# What goes wrong is raised, and said once.
_SILENT = logging.getLogger("lrlab.kernel")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


_SECONDS_TO_START = 600  # a cold disk, a busy machine, an antivirus program


class PinnedKernelManager(AsyncKernelManager):
    """Starts `ipykernel` in the interpreter of this process."""

    # The default of five seconds is what a kernel with worker processes takes to be given up.
    shutdown_wait_time = 0.4

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command of the kernel."""
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=[*launch, "--IPKernelApp.log_level=50"],
            display_name="Python 3",
            language="python",
        )


class PinnedClient(PapermillNotebookClient):
    """Papermill's client, which ends quietly when it is interrupted."""

    def papermill_execute_cells(self) -> None:
        """Execute the cells; after an interruption, that the kernel died is nothing to report."""
        try:
            super().papermill_execute_cells()
        except KeyboardInterrupt:
            for task in asyncio.all_tasks(ensure_event_loop()):
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise


class PinnedEngine(NBClientEngine):
    """Papermill's own engine, with the environment and the folder of the kernel given."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        kernel_environment: dict[str, str],
        kernel_folder: str,
        connection: str,
        **_: Any,
    ) -> Any:
        """Execute the notebook of papermill's manager."""

        class Manager(PinnedKernelManager):
            # The usual place is in the home folder, which need not be writable.
            connection_file = connection

        client = PinnedClient(
            nb_man,
            kernel_name=kernel_name,
            kernel_manager_class=Manager,
            log=_SILENT,
            timeout=None,
            startup_timeout=_SECONDS_TO_START,
        )
        return client.execute(env=kernel_environment, cwd=kernel_folder)
