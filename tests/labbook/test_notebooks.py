"""The notebooks of this laboratory; what they say is held against their references by nbval."""

from pathlib import Path

import pytest

from lrlab.labbook.entries import names, read
from lrlab.labbook.entries._assemble import assemble
from lrlab.labbook.entries._dry_run import _training_cells

ROOT = Path(__file__).parents[2]


def test_there_are_notebooks():
    assert names(ROOT)


@pytest.mark.parametrize("name", names(ROOT))
def test_a_notebook_can_be_read_and_has_a_small_size_and_a_line_for_each_parameter(name):
    source = read(ROOT, name)
    assert source.parameters
    assert source.values("smoke", {}) != source.values("full", {}) or not source.header["smoke"]
    assert source.header["question"].endswith("?")


@pytest.mark.parametrize("name", names(ROOT))
def test_trained_numbers_of_claims_are_not_compared_but_their_verdicts_are(name):
    source = read(ROOT, name)
    compared = [
        cell.source
        for cell in assemble(source, "smoke", {}).cells
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", [])
    ]
    shown = any("claims.conclude(" in code or "claims.show(" in code for code in compared)
    some = any("claims.verdicts(" in code for code in compared)  # of those that stay the same
    assert (shown or some) == any(f"claims.{call}(" in source.text for call in ("conclude", "show"))


@pytest.mark.parametrize("name", names(ROOT))
def test_what_is_trained_beyond_the_plan_is_counted_for_a_dry_run(name):
    notebook = assemble(read(ROOT, name), "full", {})
    [setup] = [c.source for c in notebook.cells if "setup" in c.metadata.get("tags", [])]
    counted = [line for line in setup.splitlines() if line.startswith("later = {")]
    assert bool(counted) or not _training_cells(notebook)
