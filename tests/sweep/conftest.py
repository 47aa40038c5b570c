"""Workers of sweeps that need not load everything anew."""

import os
import runpy
import sys
import warnings
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import fork_exec

WORKER = "popen_loky"  # what loky's workers are called


@pytest.fixture(scope="module")
def quick_workers():
    """Workers are forks of the process that asks for them: so kills meet trials, not imports.

    They do what a worker does that is started from nothing, as those of test_parallel.py are.
    """
    start = fork_exec.fork_exec

    def fork(command, keep_fds, env=None):
        if WORKER not in " ".join(command):
            return start(command, keep_fds, env)  # loky's tracker of resources
        if pid := os.fork():
            return pid
        code = 1
        try:
            Path("/proc/self/comm").write_text(WORKER)
            kept = sorted({2, *keep_fds})  # 0 and 1 come before
            for last, following in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
                if last + 1 < following:
                    os.closerange(last + 1, following)
            os.environ.update(env or {})
            _, _, module, *arguments = command
            sys.argv = [module, *arguments]
            warnings.simplefilter("ignore")  # those that pytest makes errors
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code or 0
        finally:
            os._exit(code)

    get_reusable_executor().shutdown(wait=True)  # what works for other tests was started cold
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fork_exec, "fork_exec", fork)
        yield
    get_reusable_executor().shutdown(wait=True)
