"""What a run would train, without training it.

The setup cell of a notebook makes `plan`, the jobs that are known beforehand. What depends on their
results it may count in `later`, as `{"the comparison at the tuned rates": 40}` or, where the number
depends on results too, `{"trials until the rule stops": (20, 60)}`. Cells that train something else
than the plan are found in the source, so that a notebook that forgets `later` says so.
"""

from __future__ import annotations

import ast
import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrlab.labbook.entries._assemble import assemble
from lrlab.labbook.entries._execute import execute
from lrlab.labbook.entries._source import read
from lrlab.labbook.entries.errors import RunFailed
from lrlab.labbook.entries.logbook import survey

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from lrlab.labbook.entries._runner import Request
    from lrlab.labbook.entries.logbook import Entry

_TRAINERS = ("train", "train_many", "sweep", "range_test", "checkup")
_DESCRIBE = """\
import json
from lrlab.labbook.entries._estimate import estimate
print(json.dumps([estimate(plan), globals().get("later", {})]))"""


@dataclass(frozen=True)
class DryRun:
    """What a run would train.

    Attributes:
        plan: what `estimate` says of the notebook's `plan`.
        later: what else is trained, by what it is for: least and most runs.
        cells: which cells train what is not in the plan.
        last: the newest entry that counts, if nothing was changed: its runs, and its seconds from
            an empty store where they are known.
    """

    plan: dict[str, Any]
    later: dict[str, tuple[int, int]]
    cells: list[int]
    last: tuple[str, int, float | None] | None

    def lines(self) -> list[str]:
        """What is shown, in lines."""
        plan, new = self.plan, self.plan["runs"] - self.plan["stored"]
        said = [f"{plan['runs']} runs: {plan['stored']} in the store, {new} to be trained"]
        said += [f"  {task}: {count}" for task, count in plan.get("by_task", {}).items()]
        if plan["seconds"] is not None:
            said.append(f"about {plan['seconds']:.0f} s")
        elif new:
            said.append("how long that takes is not known yet")
        for what, (least, most) in self.later.items():
            said.append(f"then {_counted(least, most)} more: {what}")
        if self.later:
            least, most = (sum(ends) for ends in zip(*self.later.values(), strict=True))
            said.append(f"{_counted(plan['runs'] + least, plan['runs'] + most)} in all")
        elif self.cells:
            which = ", ".join(map(str, self.cells))
            noun, verb = ("cell", "trains") if len(self.cells) == 1 else ("cells", "train")
            said.append(f"{noun} {which} {verb} more, which may depend on these results")
        if self.last and (self.later or self.cells):
            name, runs, seconds = self.last
            took = f" in {seconds:.0f} s" if seconds is not None else ""
            said.append(f"{name} has {runs} runs{took}")
        return said


def dry_run(request: Request) -> DryRun:
    """Execute a notebook up to its setup and say what it would train; write nothing.

    Args:
        request: what was asked for.

    Raises:
        BadInput: if the parameters can't be used.
        RunFailed: if a cell failed, or if the setup makes no `plan`.
    """
    import nbformat

    source = read(request.root, request.notebook)
    changed = source.ask(request.texts, request.size)
    whole = assemble(source, request.size, changed)
    notebook = copy.copy(whole)
    setup = ["setup" in cell.metadata.get("tags", []) for cell in whole.cells].index(True)
    notebook.cells = [
        *whole.cells[: setup + 1],
        nbformat.v4.new_code_cell(_DESCRIBE, id="describe"),
    ]
    executed = execute(notebook, request.root).notebook
    printed = "".join(output.get("text", "") for output in executed.cells[-1].outputs)
    try:
        plan, later = json.loads(printed.strip().splitlines()[-1])
        counted = {what: _ends(number) for what, number in later.items()}
    except (ValueError, IndexError, AttributeError, TypeError):
        raise RunFailed("the setup cell's `later` is no dict of numbers or pairs of them") from None
    last = None if changed or request.size != "full" else _last(request)
    return DryRun(plan, counted, _training_cells(whole), last)


def _ends(number: Any) -> tuple[int, int]:
    least, most = (number, number) if isinstance(number, int) else number
    if not 0 <= least <= most:
        raise ValueError
    return int(least), int(most)


def _last(request: Request) -> tuple[str, int, float | None] | None:
    entries = [e for e in survey(request.root)[0] if _counts(e, request.notebook)]
    if not entries:
        return None
    record = entries[-1].record
    return entries[-1].name, len(record["runs"]), record.get("seconds_from_empty")


def _counts(entry: Entry, notebook: str) -> bool:
    record = entry.record
    full = record["notebook"] == notebook and record["size"] == "full"
    return full and not record["changed"] and not entry.superseded_by


def _training_cells(notebook: NotebookNode) -> list[int]:
    """Numbers of the cells that train something else than `plan`."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and any(map(_trains_more, _calls(cell.source))):
            found.append(number)
    return found


def _calls(code: str) -> list[ast.Call]:
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a magic of IPython
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _trains_more(call: ast.Call) -> bool:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "train_many":
        return not (call.args and getattr(call.args[0], "id", "") == "plan")
    return name in _TRAINERS or name.startswith("train_")


def _counted(least: int, most: int) -> str:
    return f"{least} runs" if least == most else f"{least} to {most} runs"
