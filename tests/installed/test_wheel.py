"""The wheel: complete, typed, nothing in it but the package, and enough for a page's notebook."""

import json
import subprocess
import zipfile

from conftest import ROOT
from lrlab.labbook.entries import log
from lrlab.labbook.site import _actions as actions
from lrlab.labbook.site.site import Site


def test_the_wheel_holds_each_file_of_the_package_and_no_other(wheel):
    known = subprocess.run(
        ["git", "ls-files", "lrlab"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {name for name in known if (ROOT / name).exists()}


def test_the_wheel_is_typed_and_has_a_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert "lrlab/py.typed" in archive.namelist()
        (points,) = [n for n in archive.namelist() if n.endswith("entry_points.txt")]
        assert "lrlab = lrlab.cli:main" in archive.read(points).decode()


def test_a_type_checker_reads_the_types_of_the_installed_package(install):
    lab = install("")
    (lab.here / "user.py").write_text(
        "from lrlab import schedules\n"
        "reveal_type(schedules.Cosine(peak_lr=0.1, steps=3).horizon)\n"
        "schedules.Cosine(peak_lr='high', steps=3)\n"
    )
    done = subprocess.run(
        ["mypy", "--python-executable", lab.bin / "python", "--follow-imports=silent", "user.py"],
        cwd=lab.here,
        capture_output=True,
        text=True,
    )
    assert 'Revealed type is "int' in done.stdout or "int | None" in done.stdout, done.stdout
    assert "user.py:3: error: Argument" in done.stdout, done.stdout


def test_the_notebook_that_a_page_offers_runs_beside_the_wheel_alone(install):
    lab = install("notebooks")
    entry = next(e for e in reversed(log(ROOT)) if e.record["notebook"] == "gotchas")
    assert "needs a clone" not in actions.of(entry, Site(ROOT))
    (lab.here / "offered.ipynb").write_text(actions.clean(entry))
    done = lab.python(
        "import nbclient, nbformat\n"
        "notebook = nbformat.read('offered.ipynb', 4)\n"
        "nbclient.NotebookClient(notebook, kernel_name='python3').execute()\n"
        "nbformat.write(notebook, 'done.ipynb')\n"
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads((lab.here / "done.ipynb").read_text())["cells"]
    claims = [
        claim
        for cell in cells
        for output in cell.get("outputs", [])
        for claim in output.get("metadata", {}).get("lrlab_claims", [])
    ]
    verdicts = {claim["id"].rpartition(".")[2]: claim["verdict"] for claim in claims}
    assert verdicts == {c["id"].rpartition(".")[2]: c["verdict"] for c in entry.claims()}
