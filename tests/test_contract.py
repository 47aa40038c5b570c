"""The contract for imports is kept, and breaks on an arrow that was put in on purpose."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def miniature(folder: Path) -> Path:
    """A package of our name with all of our rooms, each with two modules, and no arrow."""
    layers = CONTRACTS["contracts"][0]["layers"]
    rooms = [room.strip() for layer in layers for room in layer.replace(":", "|").split("|")]
    assert {"labbook", "training", "schedules"} <= set(rooms)
    for room in rooms:
        (folder / "lrlab" / room).mkdir(parents=True)
        for module in ("__init__", "a", "_b"):
            (folder / "lrlab" / room / f"{module}.py").touch()
    (folder / "lrlab" / "__init__.py").touch()
    settings = (ROOT / "pyproject.toml").read_text()
    ours = settings[settings.index("[tool.importlinter]") :]
    (folder / "pyproject.toml").write_text(ours)
    return folder


def broken(folder: Path) -> list[str]:
    """The names of the contracts that the package breaks."""
    done = subprocess.run(
        ["lint-imports", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    found = [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if "BROKEN" in line]
    assert (done.returncode != 0) == bool(found)
    return found


def test_the_miniature_keeps_the_contract(tmp_path):
    assert broken(miniature(tmp_path)) == []


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("stats/a.py", "lrlab.training.a", "Arrows go down only"),
        ("schedules/a.py", "lrlab.tasks.a", "Arrows go down only"),
        ("training/a.py", "lrlab.labbook.a", "Arrows go down only"),
        ("claims/a.py", "lrlab.experiments.a", "Arrows go down only"),
        ("labbook/a.py", "torch", "loads no tensor library"),
        ("sweep/a.py", "lrlab.training._b", "wears an underscore"),
    ],
)
def test_an_arrow_put_in_on_purpose_breaks_it(tmp_path, module, imported, contract):
    (miniature(tmp_path) / "lrlab" / module).write_text(f"import {imported}\n")
    (found,) = broken(tmp_path)
    assert contract in found


def test_a_circle_inside_a_room_breaks_it(tmp_path):
    room = miniature(tmp_path) / "lrlab" / "tasks"
    (room / "a.py").write_text("def f():\n    from lrlab.tasks import _b\n")
    (room / "_b.py").write_text("import lrlab.tasks.a\n")
    (found,) = broken(tmp_path)
    assert "No circles" in found
