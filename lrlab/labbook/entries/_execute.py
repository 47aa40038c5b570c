"""Executing a notebook in a kernel of its own, with pinned numerics and a progress bar."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab import events, files, numerics
from lrlab.labbook.entries._listener import Listener
from lrlab.labbook.entries._place import keep
from lrlab.labbook.entries.errors import BadInput, RunFailed, shortened
from lrlab.labbook.entries.values import spell

if TYPE_CHECKING:
    from nbformat import NotebookNode

_OF_A_TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR")
_MAY_FAIL = "raises-exception"  # the tag of a cell that is meant to fail, as Jupyter has it


@dataclass
class Execution:
    """An executed notebook and what its kernel told meanwhile.

    Attributes:
        notebook: the executed notebook.
        runs: the keys of its runs, sorted.
        trained: how many of them were trained; the others came from the store.
        seconds: how long it took.
        inputs: the entries and data files that it read: kind, name and sha256, in order.
        seconds_from_empty: how long it would have taken with an empty store: `seconds`, and what
            the runs that were stored took when they were trained, over the cores. None where that
            is not known of one of them.
    """

    notebook: NotebookNode
    runs: list[str]
    trained: int
    seconds: float
    inputs: list[dict[str, str]] = field(default_factory=list)
    seconds_from_empty: float | None = None


def execute(
    notebook: NotebookNode,
    root: Path,
    *,
    profile: str = "portable",
    cache: Path | None = None,
    label: str = "",
    kept: Path | None = None,
) -> Execution:
    """Execute a notebook from top to bottom.

    The kernel runs the interpreter of this process in the laboratory's `notebooks/`, with the
    variables of the profile and without the user's own settings of IPython and matplotlib.

    Args:
        notebook: what to execute; it is left as it is.
        root: the laboratory's folder.
        profile: the numerics profile of the kernel.
        cache: the folder of the store of runs; the usual one by default.
        label: what the progress bar is called; no bar without it.
        kept: where to leave the notebook as far as it came, if it fails.

    Returns:
        The executed notebook and its runs.

    Raises:
        BadInput: if the cell tagged `setup` raised an exception; the parameters that were set are
            named with it.
        RunFailed: if another cell failed or ended the notebook, if the kernel did not start or
            died, or if the execution was interrupted.
    """
    from nbclient.exceptions import DeadKernelError
    from papermill.iorw import load_notebook_node

    from lrlab.labbook.entries._kernel import PinnedEngine

    began = time.monotonic()
    with _temporary_folder() as folder:
        told = folder / "events.jsonl"
        output = folder / "partial.ipynb"
        variables = kernel_environment(folder, told, profile=profile, cache=cache, root=root)
        variables[events.NOTEBOOK] = notebook.metadata.get("lrlab", {}).get("notebook", "")
        _tell_of_data(folder / "ipython", root)
        at_startup(folder / "ipython", "_workers", "end_with_the_kernel()")
        with Listener(told, label) as listener:
            try:
                executed = PinnedEngine.execute_notebook(
                    load_notebook_node(notebook),
                    "python3",
                    output_path=str(output),
                    progress_bar=False,
                    kernel_environment=variables,
                    kernel_folder=str(root / "notebooks"),
                    connection=str(folder / "kernel.json"),
                )
            except DeadKernelError:
                raise RunFailed("the kernel died (out of memory?)", _keep(output, kept)) from None
            except RuntimeError as error:
                what = f"the kernel did not start: {_first(str(error))}"
                raise RunFailed(what, _keep(output, kept)) from None
            except KeyboardInterrupt:
                raise RunFailed("interrupted", _keep(output, kept), interrupted=True) from None
        _refuse_errors(notebook, executed, lambda: _keep(output, kept))
    seconds = time.monotonic() - began
    return Execution(
        executed,
        sorted(listener.runs),
        len(listener.trained),
        seconds,
        [listener.inputs[key] for key in sorted(listener.inputs)],
        listener.seconds_from_empty(seconds),
    )


def kernel_environment(
    folder: Path,
    told: Path,
    *,
    profile: str = "portable",
    cache: Path | None = None,
    root: Path | None = None,
) -> dict[str, str]:
    """Return the environment of a kernel: nothing in it depends on the user's own settings.

    Args:
        folder: a temporary folder, for what IPython wants to write.
        told: the file that events are written to.
        profile: the numerics profile.
        cache: the folder of the store of runs; by default what `lrlab.files.cache_folder` says here
            and now, since a kernel has another working folder. One that can't be used is left out.
        root: the laboratory, whose own store is the usual one and whose modules are imported.
    """
    warned = os.environ.get("PYTHONWARNINGS")
    variables = {
        **os.environ,
        **numerics.environment(profile),
        events.VARIABLE: str(told),
        "PYTHONHASHSEED": "0",
        # Optuna asks for progress bars made of widgets; ours are plain.
        "PYTHONWARNINGS": ",".join(filter(None, [warned, "ignore:IProgress not found"])),
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(_matplotlib_defaults()),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "LRLAB_CACHE": _usable(lambda: cache or files.cache_folder(root)),
        "LRLAB_DATA": _usable(files.data_folder),
    }
    if root is not None:
        given = filter(None, [os.environ.get("PYTHONPATH")])
        variables["PYTHONPATH"] = os.pathsep.join([str(root.absolute()), *given])
    variables["MPLCONFIGDIR"] = str(_matplotlib_folder(folder))
    for name in _OF_A_TERMINAL:
        variables.pop(name, None)
    return variables


def _usable(find: Callable[[], Path | None]) -> str:
    """Name the folder of a cache, and say here what the kernel would say into the entry."""
    try:
        folder = find()
    except (OSError, RuntimeError):  # there is no working folder, or no home
        return "off"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = folder is not None and files.usable(folder)
    for warning in said:
        print(warning.message, file=sys.stderr)
    return str(folder.absolute()) if found else "off"


def _tell_of_data(ipython: Path, root: Path) -> None:
    """Have the kernel tell which raw results it reads, before its first cell."""
    arguments = str((root / "benchmarks").absolute()), str(root.absolute())
    at_startup(ipython, "_told", f"tell_of_files{arguments!r}")


def at_startup(ipython: Path, module: str, call: str) -> None:
    """Have kernels call something before their first cell, which leaves no name to the notebook.

    Args:
        ipython: the folder of IPython, as `kernel_environment` names it.
        module: of this package.
        call: what is called in it, as it is written.
    """
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    source = f"__import__('lrlab.labbook.entries.{module}', fromlist=['{module}']).{call}\n"
    (startup / f"00-{module}.py").write_text(source, encoding="utf-8")


def _matplotlib_defaults() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "matplotlibrc"


def _matplotlib_folder(temporary: Path) -> Path:
    """A folder that can be written and knows the fonts: a notebook says nothing about either."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "matplotlib")
    for folder in (Path(os.environ.get("MPLCONFIGDIR") or own), own, temporary / "matplotlib"):
        with contextlib.suppress(OSError, RuntimeError):  # there may be no home
            folder = folder.expanduser().absolute()
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                break
    if not any(folder.glob("fontlist-*.json")):
        code = "import matplotlib.font_manager"
        environment = {**os.environ, "MPLCONFIGDIR": str(folder)}
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    return folder


def _refuse_errors(
    asked: NotebookNode, executed: NotebookNode, kept: Callable[[], Path | None]
) -> None:
    for number, cell in enumerate(executed.cells):
        tags = cell.metadata.get("tags", [])
        errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if not errors or _MAY_FAIL in tags:
            continue
        name, text = errors[0].ename, _first(errors[0].evalue)
        if "setup" in tags:
            raise BadInput(_of_setup(name, text, asked.metadata.get("lrlab", {})))
        if name == "SystemExit":
            what = f"cell {number} ended the notebook (sys.exit), and the cells below did not run"
        else:
            what = f"cell {number} failed: {name}: {text}"
        raise RunFailed(what, kept())


def _of_setup(name: str, text: str, about: Any) -> str:
    """What a setup cell refuses, and which parameters were set."""
    what = text if name == "ValueError" and text else f"the setup cell failed: {name}: {text}"
    values = about.get("changed", {})
    unnamed = {k: v for k, v in values.items() if not re.search(rf"\b{re.escape(k)}\b", what)}
    if not unnamed:
        return what
    given = ", ".join(f"{key} = {shortened(spell(value), 80)}" for key, value in unnamed.items())
    return f"{shortened(what, 300)} (with {given})"


def _first(text: str) -> str:
    return text.strip().split("\n")[0]


def _keep(output: Path, path: Path | None) -> Path | None:
    return keep(output.read_bytes(), path) if path is not None and output.exists() else None


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="lrlab-", ignore_cleanup_errors=True)
    except OSError as error:
        raise BadInput(f"there is no folder for temporary files: {error.strerror}") from None
    with folder as name:
        yield Path(name)
