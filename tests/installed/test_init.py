"""A laboratory of one's own: made by the wheel, in an environment outside of the repository."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lab(install):
    """An environment with the wheel and its extra `book`, used in a new laboratory."""
    installed = install("book")
    done = installed.run("lrlab", "init", "my-lab")
    assert done.returncode == 0, done.stderr
    assert "lrlab run usable_rates" in done.stdout
    installed.here /= "my-lab"
    return installed


def test_it_holds_what_the_readme_says(lab):
    text = (lab.here / "README.md").read_text()
    for name in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE):
        assert (lab.here / name).exists(), name
    for name in (".github/workflows/ci.yml", ".gitignore", "_config.yml", "_toc.yml", "Makefile"):
        assert (lab.here / name).is_file(), name
    (pinned,) = re.findall(
        r"^lrlab\[book\]==(.+)$", (lab.here / "requirements.txt").read_text(), re.M
    )
    assert pinned == lab.wheel.name.split("-")[1]
    assert not any(path.name.startswith(".lrlab-init") for path in lab.here.parent.iterdir())


def test_the_code_is_the_wheels(lab):
    where = lab.python("import lrlab; print(lrlab.__file__)").stdout
    assert where.startswith(str(lab.bin.parent))


def test_validation_passes_and_fails_when_the_experiment_says_something_else(lab):
    done = lab.run("make", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    notebook = lab.here / "notebooks" / "usable_rates.py"
    before = notebook.read_text()
    notebook.write_text(
        before.replace("of {ramp_steps} updates;", "of about {ramp_steps} updates;")
    )
    done = lab.run("lrlab", "reference", "--check")
    notebook.write_text(before)
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_run_becomes_an_entry_and_a_page(lab):
    done = lab.run("lrlab", "run", "usable_rates")
    assert done.returncode == 0, done.stderr
    entry = done.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"book/log/\d{4}-\d\d-\d\d-usable_rates\.ipynb", entry)
    done = lab.run("make", "book")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = lab.here / "_build" / "html"
    page = (pages / entry).with_suffix(".html").read_text()
    assert "Train at" in page and "suggested-ends-lower" in page
    assert "suggested-ends-lower" in (pages / "book" / "claims.html").read_text()
    assert (pages / "_static" / "lrlab.css").is_file()
    done = lab.run("make", "test")
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_page_can_be_shown_alone(lab):
    (entry,) = (lab.here / "book" / "log").glob("*-usable_rates.ipynb")
    done = lab.run("lrlab", "show", "--no-open", entry.stem)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_model_that_can_not_be_built_gives_a_sentence(lab):
    model = lab.here / "my_model.py"
    before = model.read_text()
    model.write_text("def build(seed):\n    return None\n")
    done = lab.run("lrlab", "run", "usable_rates", "--out", "x.ipynb")
    model.write_text(before)
    assert done.returncode == 2 and "build(seed) must return" in done.stderr, done.stderr
    assert not (lab.here / "x.ipynb").exists()


def test_a_folder_with_something_in_it_is_refused_and_left_alone(lab):
    before = sorted(lab.here.rglob("*"))
    for folder in (lab.here, lab.here / "Makefile"):
        done = lab.run("lrlab", "init", folder)
        assert done.returncode == 2 and done.stderr.count("lrlab: ") == 1, done.stderr
    assert sorted(lab.here.rglob("*")) == before
