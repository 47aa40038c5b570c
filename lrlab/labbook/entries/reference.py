"""References: smoke runs of all notebooks, kept executed, which nbval compares with new ones.

nbval executes the cells of the reference and passes over what was never executed, so a reference
says nothing unless its cells are those of today's notebook and hold outputs: that is checked first.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.checks import need
from lrlab.files import write
from lrlab.labbook.entries import _warm
from lrlab.labbook.entries._assemble import assemble
from lrlab.labbook.entries._execute import at_startup, execute, kernel_environment
from lrlab.labbook.entries._normalise import to_bytes
from lrlab.labbook.entries._runner import publishable
from lrlab.labbook.entries._source import names as notebook_names
from lrlab.labbook.entries._source import nearest, read
from lrlab.labbook.entries.errors import BadInput, shortened
from lrlab.labbook.entries.laboratory import partial_folder, reference_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

_NOT_COMPARED = ("nbval-ignore-output", "nbval-skip")
_IMAGES = ("image/png", "image/jpeg")
_CARDS = re.compile(r'(?s)<div class="lrlab-claim .*</div>')  # as in tests/nbval_sanitize.cfg
_CELL_TIMEOUT = 300


@dataclass(frozen=True)
class Problem:
    """Why a reference does not vouch for its notebook, in one sentence."""

    notebook: str
    what: str

    def __str__(self) -> str:
        return f"notebooks/{self.notebook}.py: {self.what}"


def renew(root: Path, names: Sequence[str] = (), *, progress: bool = True) -> Iterator[tuple]:
    """Execute smoke runs and keep them as references.

    Args:
        root: the laboratory's folder.
        names: the notebooks; all by default, which also removes references without a notebook.
        progress: whether to show bars on the terminal.

    Yields:
        The notebook's name, and the lines in which the compared outputs differ from before.

    Raises:
        BadInput: if there is no such notebook.
        RunFailed: if a notebook fails; its reference stays as it was.
    """
    folder = reference_folder(root)
    chosen = _chosen(root, names)
    with tempfile.TemporaryDirectory(prefix="lrlab-store-") as cache:
        for name in chosen:
            keep = partial_folder(root) / f"reference-{name}.ipynb"
            notebook = assemble(read(root, name), "smoke", {})
            metadata = notebook.metadata
            label = name if progress else ""
            executed = execute(notebook, root, cache=Path(cache), label=label, kept=keep).notebook
            publishable(executed, metadata, root, keep)
            _keep_only_what_is_compared(executed, notebook)
            path = folder / f"{name}.ipynb"
            old = _lines_of(path)
            write(path, to_bytes(executed))
            new = _compared_lines(executed)
            yield (
                name,
                [
                    line
                    for line in difflib.unified_diff(old, new, n=0, lineterm="")
                    if not line.startswith(("---", "+++", "@@"))
                ],
            )
    if not names:
        for name in _strays(root):
            (folder / f"{name}.ipynb").unlink()
            yield name, ["the notebook is gone, and so is its reference"]


def problems(root: Path, names: Sequence[str] = ()) -> list[Problem]:
    """Return why references can't vouch for their notebooks, before anything is executed.

    Args:
        root: the laboratory's folder.
        names: the notebooks; all by default, and then references without a notebook count too.

    Raises:
        BadInput: if there is no such notebook.
    """
    found = []
    for name in _chosen(root, names):
        path = reference_folder(root) / f"{name}.ipynb"
        if not path.exists():
            found.append(Problem(name, "it has no reference"))
            continue
        try:
            reference = _load(path)
        except ValueError as error:
            found.append(Problem(name, str(error)))
            continue
        if what := _flaw(reference, assemble(read(root, name), "smoke", {})):
            found.append(Problem(name, what))
    if not names:
        found += [Problem(name, "the reference has no notebook") for name in _strays(root)]
    return found


def validate(root: Path, names: Sequence[str] = (), profile: str = "portable") -> list[Problem]:
    """Execute references with nbval, strictly, in kernels of the given numerics profile.

    The store of runs is empty at the beginning, and the notebooks share it.

    Args:
        root: the laboratory's folder.
        names: the notebooks; all by default.
        profile: the numerics profile.

    Returns:
        The notebooks that do not say what their references say; empty if all do.

    Raises:
        BadInput: if nbval is not installed, or if there is no such notebook.
    """
    chosen = _chosen(root, names)
    if not chosen:
        return [Problem("*", "there is no notebook, so nothing was compared")]
    with tempfile.TemporaryDirectory(prefix="lrlab-nbval-") as folder:
        report = Path(folder) / "report.xml"
        command = nbval_command(root, chosen, report)
        print(shlex.join(["pytest", *command[3:]]), file=sys.stderr)
        environment = kernel_environment(
            Path(folder),
            Path(os.devnull),
            profile=profile,
            cache=Path(folder) / "store",
            root=root,
        )
        environment.pop("PYTEST_ADDOPTS", None)
        environment["LOKY_MAX_CPU_COUNT"] = "1"  # notebooks run side by side already
        at_startup(Path(environment["IPYTHONDIR"]), "_drafts", "draw_once()")  # none is compared
        with _warm.kernels(Path(folder), environment, warm=len(chosen) > 2) as variables:
            environment |= variables
            done = subprocess.run(
                command,
                cwd=root,
                env=environment,
                check=False,
                preexec_fn=_end_with_parent,
            )
        found = _read_report(root, chosen, report)
    if done.returncode and not found:
        found = [Problem(name, f"pytest ended with {done.returncode}") for name in chosen]
    return found


def _end_with_parent() -> None:
    """Have Linux end this process when the one that started it is killed, which tells nobody."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def nbval_command(root: Path, names: Sequence[str], report: Path) -> list[str]:
    """Return the command that has pytest compare references with nbval."""
    need("nbval")
    # One more than processors: while a kernel starts or is waited for, another one computes.
    workers = min(len(names), 1 + (os.cpu_count() or 1))
    files = [reference_folder(root) / f"{name}.ipynb" for name in names]
    sanitize = root / "tests" / "nbval_sanitize.cfg"
    return [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-kernel-name", _warm.NAME),
        *("--nbval-sanitize-with", str(sanitize.relative_to(root))),
        *("--nbval-cell-timeout", str(_CELL_TIMEOUT)),
        *(("-n", str(workers), "--dist", "loadfile") if workers > 1 else ()),
        f"--color={'yes' if sys.stdout.isatty() else 'no'}",
        *("-q", "-p", "no:cacheprovider", "--noconftest", "--override-ini", "addopts="),
        *("--override-ini", "filterwarnings=", "--junitxml", str(report)),
        *(str(file.relative_to(root)) for file in files),
    ]


def _chosen(root: Path, names: Sequence[str]) -> list[str]:
    known = notebook_names(root)
    for name in names:
        if name not in known:
            raise BadInput(f"there is no notebook {name!r}{nearest(name, known)}")
    return list(names) or known


def _strays(root: Path) -> list[str]:
    kept = {path.stem for path in reference_folder(root).glob("*.ipynb")}
    return sorted(kept - set(notebook_names(root)))


def _load(path: Path) -> NotebookNode:
    import nbformat

    try:
        found = nbformat.reads(path.read_bytes().decode(), as_version=4)
        nbformat.validate(found)
    except OSError as error:
        raise ValueError(f"its reference can't be read: {error.strerror}") from None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        what = shortened(str(error), 100) or type(error).__name__
        raise ValueError(f"its reference is no notebook: {what}") from None
    except nbformat.ValidationError as error:
        raise ValueError(f"its reference is no notebook: {shortened(error.message, 100)}") from None
    return found


def _lines_of(path: Path) -> list[str]:
    try:
        return _compared_lines(_load(path)) if path.exists() else []
    except ValueError:
        return []  # it is damaged, and about to be renewed


def _flaw(reference: NotebookNode, today: NotebookNode) -> str | None:
    def cells(notebook: NotebookNode) -> list[Any]:
        return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]

    if cells(reference) != cells(today):
        return "the cells of the reference are not those of today's notebook at smoke size"
    code = [cell for cell in reference.cells if cell.cell_type == "code"]
    if any(cell.execution_count is None for cell in code):
        return "the reference has a cell that was never executed"
    if not _compared_lines(reference):
        return "the reference has no output that is compared"
    return None


def _is_compared(cell: NotebookNode) -> bool:
    if cell.cell_type != "code" or cell.execution_count is None or "NBVAL_" in cell.source:
        return False
    return not set(cell.metadata.get("tags", [])) & set(_NOT_COMPARED)


def _keep_only_what_is_compared(notebook: NotebookNode, source: NotebookNode) -> None:
    for cell, original in zip(notebook.cells, source.cells, strict=True):
        cell.metadata = original.metadata
        if cell.cell_type != "code":
            continue
        if not _is_compared(cell):
            cell.outputs = []
        for output in cell.outputs:
            if "metadata" in output:
                output.metadata.clear()
            for kind in _IMAGES:
                output.get("data", {}).pop(kind, None)
            if html := output.get("data", {}).get("text/html"):
                output.data["text/html"] = _CARDS.sub("CLAIMS", html)


def _compared_lines(notebook: NotebookNode) -> list[str]:
    lines = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.outputs if _is_compared(cell) else []:
            texts = [output.get("text", "")]
            shown = sorted(output.get("data", {}).items())  # in a file they are sorted
            texts += [data for kind, data in shown if kind not in _IMAGES]
            for text in texts:
                lines += [f"cell {number}: {line}" for line in str(text).splitlines()]
    return lines


def _read_report(root: Path, names: Sequence[str], report: Path) -> list[Problem]:
    import xml.etree.ElementTree as ElementTree

    if not report.exists():
        return []
    cases = list(ElementTree.parse(report).iter("testcase"))
    found = []
    for name in names:
        own = [case for case in cases if name in _names(case)]
        code = [c for c in _load(reference_folder(root) / f"{name}.ipynb").cells if "outputs" in c]
        bad = [case for case in own if any(c.tag in ("failure", "error", "skipped") for c in case)]
        if bad:
            failed = ", ".join(case.get("name", "?") for case in bad)
            found.append(Problem(name, f"it does not say what its reference says ({failed})"))
        elif len(own) != len(code):
            what = f"nbval ran {len(own)} of the {len(code)} cells of its reference"
            found.append(Problem(name, what))
    return found


def _names(case: Any) -> list[str]:
    return [case.get("classname", "").removesuffix(".ipynb").rsplit(".", 1)[-1]]
