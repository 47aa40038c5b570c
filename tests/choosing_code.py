"""The lines of code of the guide's page on choosing: one schedule in three libraries each time."""

import re
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book" / "guide" / "choosing.md"
NUMBERS = {"peak_lr": 0.02, "steps": 200, "warmup_steps": 30}
LIBRARIES = ("torch", "transformers", "lrlab")


def lines() -> list[tuple[str, str]]:
    """Library and code of every block that makes a scheduler, in the page's order."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    made = [code for code in blocks if "scheduler =" in code]
    return [(re.match(r"from (\w+)", code)[1], code) for code in made]


def schedules() -> list[dict[str, str]]:
    """The code of each schedule by library."""
    found = lines()
    n = len(LIBRARIES)
    return [dict(found[i : i + n]) for i in range(0, len(found), n)]


def optimizer_line() -> str:
    """The code that makes the optimizer."""
    [code] = re.findall(r"```python\n(import torch\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return code


def rates(code: str) -> list[float]:
    """The rates of all updates, and of some after the end, that a scheduler gives.

    Args:
        code: what makes `scheduler`.
    """
    names = {"model": torch.nn.Linear(2, 1), **NUMBERS}
    exec(optimizer_line(), names)
    exec(code, names)
    found = []
    for _ in range(NUMBERS["steps"] + 5):
        found.append(names["optimizer"].param_groups[0]["lr"])
        names["optimizer"].step()
        names["scheduler"].step()
    return found
