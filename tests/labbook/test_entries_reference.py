import io

import nbformat
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tiny_lab import SOURCE, lrlab, make

from lrlab.labbook.entries import _drafts
from lrlab.labbook.entries.reference import problems


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A laboratory with a fresh reference; its content is restored by each test."""
    root = make(tmp_path_factory.mktemp("kept") / "lab")
    result = lrlab(root, "reference")
    assert result.exit_code == 0, result.output
    assert "+cell 5: parts 5" in result.stdout
    return root


@pytest.fixture
def reference(kept):
    path = kept / "tests" / "reference" / "tiny.ipynb"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def test_a_reference_that_says_the_same_passes(kept, reference):
    assert problems(kept) == []
    result = lrlab(kept, "reference", "--check")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("old", "new"),
    [("sum  n=-  supported", "sum  n=-  contradicted"), ("parts 5", "parts 6")],
)
def test_a_verdict_or_count_changed_by_hand_fails_and_names_the_command(kept, reference, old, new):
    text = reference.read_text()
    assert old in text
    reference.write_text(text.replace(old, new))
    assert problems(kept) == []
    result = lrlab(kept, "reference", "--check")
    assert result.exit_code == 1
    assert "notebooks/tiny.py: it does not say what its reference says" in result.stderr
    assert "make reference NB=tiny" in result.stderr


def test_what_cards_of_claims_measured_is_not_in_the_reference_and_may_differ(kept, reference):
    text = reference.read_text()
    assert "CLAIMS" in text
    assert "lrlab-claim" not in text
    card = '<div class=\\"lrlab-claim lrlab-supported\\">5.25 [4.1, 6.3]</div>'
    reference.write_text(text.replace("CLAIMS", card))
    assert lrlab(kept, "reference", "--check").exit_code == 0


def test_a_verdict_that_depends_on_the_processor_fails_under_the_stand_in(kept, reference):
    result = lrlab(kept, "reference", "--check", "--profile", "foreign")
    assert result.exit_code == 1
    assert "notebooks/tiny.py: it does not say what its reference says" in result.stderr


def unexecute(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def unexecute_one(notebook):
    notebook.cells[5].outputs, notebook.cells[5].execution_count = [], None


def drop_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unexecute, "a cell that was never executed"),
        (unexecute_one, "a cell that was never executed"),
        (drop_outputs, "no output that is compared"),
        (lambda nb: nb.cells.pop(), "not those of today's notebook"),
        (lambda nb: nb.cells[5].metadata.clear() or nb.cells[5].update(source="1"), "not those of"),
        (lambda nb: nb.cells[-2].metadata.update(tags=["nbval-skip"]), "not those of today's"),
    ],
)
def test_a_reference_that_can_not_vouch_for_its_notebook_fails(kept, reference, change, message):
    edit(reference, change)
    [problem] = problems(kept)
    assert problem.notebook == "tiny"
    assert message in problem.what
    result = lrlab(kept, "reference", "--check")
    assert (result.exit_code, message in result.stderr) == (1, True)


def test_a_notebook_that_changed_since_fails(kept, reference):
    source = kept / "notebooks" / "tiny.py"
    source.write_text(SOURCE.replace("smoke: {n: 5}", "smoke: {n: 4}"))
    try:
        [problem] = problems(kept)
    finally:
        source.write_text(SOURCE)
    assert "not those of today's notebook at smoke size" in problem.what


def test_notebooks_and_references_belong_together(kept, reference):
    reference.rename(reference.with_name("gone.ipynb"))
    found = [str(problem) for problem in problems(kept)]
    reference.with_name("gone.ipynb").unlink()
    assert found == [
        "notebooks/tiny.py: it has no reference",
        "notebooks/gone.py: the reference has no notebook",
    ]


def test_renewing_shows_old_and_new_values(kept, reference):
    reference.write_text(reference.read_text().replace("parts 5", "parts 9"))
    result = lrlab(kept, "reference", "tiny")
    assert result.exit_code == 0
    assert result.stdout == "tiny: changed\n  -cell 5: parts 9\n  +cell 5: parts 5\n"


def test_comparing_nothing_is_a_failure(tmp_path):
    root = make(tmp_path / "lab")
    (root / "notebooks" / "tiny.py").unlink()
    result = lrlab(root, "reference", "--check")
    assert result.exit_code == 1
    assert "nothing was compared" in result.stderr


def test_while_references_are_compared_figures_are_drawn_once_and_all_that_is_on_them(monkeypatch):
    drawn, draw = [], Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, to: drawn.append(text) or draw(text, to))
    monkeypatch.setattr(Figure, "savefig", Figure.savefig)  # as it is again after the test
    _drafts.draw_once()
    figure = Figure(layout="constrained")
    label = figure.subplots().set_xlabel("updates")
    figure.savefig(io.BytesIO(), format="png", dpi=120, bbox_inches="tight")
    assert drawn.count(label) == 1
    label.set_text("$\\nothing$")
    with pytest.raises(ValueError, match="nothing"):
        figure.savefig(io.BytesIO(), format="png", dpi=120, bbox_inches="tight")
