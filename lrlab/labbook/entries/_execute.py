"""Executing a notebook in a kernel of its own, with pinned numerics and a progress bar."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab import events, numerics
from lrlab.labbook.entries.errors import BadInput, RunFailed

if TYPE_CHECKING:
    from nbformat import NotebookNode

_OF_A_TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR")


@dataclass
class Execution:
    """An executed notebook and what its kernel told meanwhile.

    Attributes:
        notebook: the executed notebook.
        runs: the keys of its runs, sorted.
        trained: how many of them were trained; the others came from the store.
        seconds: how long it took.
    """

    notebook: NotebookNode
    runs: list[str]
    trained: int
    seconds: float


def execute(
    notebook: NotebookNode,
    root: Path,
    *,
    profile: str = "portable",
    cache: Path | None = None,
    label: str = "",
    keep: Path | None = None,
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
        keep: where to leave the notebook as far as it came, if it fails.

    Returns:
        The executed notebook and its runs.

    Raises:
        BadInput: if the cell tagged `setup` raised a `ValueError`, with its message.
        RunFailed: if another cell failed, or if the execution was interrupted.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    from lrlab.labbook.entries._kernel import PinnedEngine

    papermill_engines.register("lrlab", PinnedEngine)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lrlab-") as folder:
        told = Path(folder) / "events.jsonl"
        output = Path(folder) / "partial.ipynb"
        variables = kernel_environment(Path(folder), told, profile=profile, cache=cache)
        with _Listener(told, label) as listener:
            try:
                executed = papermill.execute_notebook(
                    notebook,
                    output,
                    engine_name="lrlab",
                    kernel_name="python3",
                    progress_bar=False,
                    kernel_environment=variables,
                    kernel_folder=str(root / "notebooks"),
                )
            except PapermillExecutionError as error:
                _refuse_bad_input(notebook, error)
                what = f"cell {error.cell_index} failed: {error.ename}: {_first(error.evalue)}"
                raise RunFailed(what, _keep(output, keep)) from None
            except DeadKernelError:
                raise RunFailed("the kernel died (out of memory?)", _keep(output, keep)) from None
            except KeyboardInterrupt:
                raise RunFailed("interrupted", _keep(output, keep), interrupted=True) from None
    seconds = time.monotonic() - began
    return Execution(executed, sorted(listener.runs), len(listener.trained), seconds)


def kernel_environment(
    folder: Path,
    told: Path,
    *,
    profile: str = "portable",
    cache: Path | None = None,
) -> dict[str, str]:
    """Return the environment of a kernel: nothing in it depends on the user's own settings.

    Args:
        folder: a temporary folder, for what IPython wants to write.
        told: the file that events are written to.
        profile: the numerics profile.
        cache: the folder of the store of runs; the usual one by default.
    """
    variables = {
        **os.environ,
        **numerics.environment(profile),
        events.VARIABLE: str(told),
        "PYTHONHASHSEED": "0",
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(_matplotlib_defaults()),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    if cache is not None:
        variables["LRLAB_CACHE"] = str(cache)
    for name in _OF_A_TERMINAL:
        variables.pop(name, None)
    return variables


def _matplotlib_defaults() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "matplotlibrc"


def _refuse_bad_input(notebook: NotebookNode, error: Any) -> None:
    cell = notebook.cells[error.cell_index]
    if error.ename == "ValueError" and "setup" in cell.metadata.get("tags", []):
        raise BadInput(_first(error.evalue)) from None


def _first(text: str) -> str:
    return text.strip().split("\n")[0]


def _keep(output: Path, keep: Path | None) -> Path | None:
    if keep is None or not output.exists():
        return None
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.write_bytes(output.read_bytes())
    return keep


class _Listener:
    """Follows the events of a kernel: collects the keys of runs and moves a progress bar."""

    def __init__(self, told: Path, label: str) -> None:
        self.runs: set[str] = set()
        self.trained: set[str] = set()
        self._reader = events.Reader(told)
        self._label = label
        self._bar: Any = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()
        if self._bar is not None:
            self._bar.close()

    def _follow(self) -> None:
        while not self._end.wait(0.2):
            self._take()
        self._take()

    def _take(self) -> None:
        for event in self._reader:
            match event["event"]:
                case "plan":
                    self._extend(event["total"])
                case "run":
                    if event["key"] is not None:
                        self.runs.add(event["key"])
                        self.trained |= set() if event["stored"] else {event["key"]}
                    if self._bar is not None:
                        self._bar.update()
                case "progress" if self._bar is not None:
                    self._bar.set_postfix_str(f"{event['label']} {event['done']}/{event['total']}")

    def _extend(self, total: int) -> None:
        if not self._label:
            return
        if self._bar is not None:
            self._bar.total += total
            self._bar.refresh()
            return
        from tqdm import tqdm

        seldom = 0.1 if sys.stderr.isatty() else 10
        self._bar = tqdm(total=total, desc=self._label, unit="run", mininterval=seldom)
