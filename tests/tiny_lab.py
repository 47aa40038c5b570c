"""A laboratory in miniature: one notebook that needs no tensor library."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

SOURCE = """\
# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   lrlab:
#     title: Tiny
#     question: Do the parts add up?
#     tags: [fixture, sums]
#     smoke: {n: 5}
# ---
# %% [markdown]
# # Tiny: do the parts add up?
#
# ## Question
# Do they?
#
# ## Setup
# %% tags=["parameters"]
n: int = 6  # [parts] in the sum
rate: float = 0.5  # size of a part [1/step]
label: str | None = None  # what the line is called
fails: bool = False  # whether the result can't be computed
seconds: float = 0.0  # how long the result takes [s]
# %% tags=["setup"]
import io
import os
import sys
import time

import matplotlib.pyplot as plt
from IPython.display import Image, display

from lrlab.claims import Claim, conclude
from lrlab.events import emit

if rate <= 0:
    raise ValueError(f"rate must be positive, got rate={rate}")
plan = []
# %% [markdown]
# ## Prediction
# They do.
#
# ## Result
# %%
parts = [rate * i for i in range(n)]
print("parts", n)
print("the sum is", sum(parts))
print("a note", file=sys.stderr)
emit("plan", total=1, stored=0, seconds=None)
time.sleep(seconds)
if fails:
    raise RuntimeError("the parts are gone")
emit("run", key=f"run-{n}", stored=False, status="completed")
# %%
figure, axes = plt.subplots(figsize=(2, 2))
axes.plot(parts, label=label)
buffer = io.BytesIO()
figure.savefig(buffer, format="png")
plt.close(figure)
display(
    Image(buffer.getvalue()),
    metadata={"lrlab_figure": {"alt": "A line.", "caption": "Parts.", "headline": True}},
)
# %% [markdown]
# ## Verdict
# %%
avx2 = os.environ["ATEN_CPU_CAPABILITY"] == "avx2"
conclude(
    [
        Claim.exact("sum", "The parts add up", measured=sum(parts), expected=sum(parts)),
        Claim.exact("wide", "The instructions are wide", holds=avx2),
    ]
)
"""


def make(root: Path) -> Path:
    """Make the laboratory in an empty folder and return the folder."""
    (root / "notebooks").mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\n")
    (root / "notebooks" / "tiny.py").write_text(SOURCE)
    (root / "tests").mkdir()
    shutil.copy(Path(__file__).with_name("nbval_sanitize.cfg"), root / "tests")
    return root


def lrlab(root: Path, *arguments: str) -> Result:
    """Call the command line with the laboratory as working folder."""
    from lrlab.labbook.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("LRLAB_CACHE", raising=False)
        return CliRunner().invoke(main, list(arguments), prog_name="lrlab")


def files(root: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """An empty laboratory."""
    return make(tmp_path / "lab")


@pytest.fixture(scope="session")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laboratory with one entry in its log; not to be changed."""
    root = make(tmp_path_factory.mktemp("logged") / "lab")
    result = lrlab(root, "run", "tiny")
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def with_entry(logged: Path, tmp_path: Path) -> Path:
    """A copy of the laboratory with one entry."""
    return Path(shutil.copytree(logged, tmp_path / "lab"))
