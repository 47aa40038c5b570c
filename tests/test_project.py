"""The project's own promises: one set of versions, and each dependency explained."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = (
    "requirements.lock",
    "tests/peers/requirements.lock",
    "tests/peers/requirements-nodeps.lock",
    "benchmarks/requirements-ray.lock",
)


def versions(file: str) -> dict[str, str]:
    """The exact version of each package, from a lock or from the constraints."""
    text = (ROOT / file).read_text()
    return {
        name_of(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    }


def name_of(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


def requirements() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    return PROJECT["dependencies"] + [r for extra in extras for r in extra]


def test_the_lock_allows_what_the_project_asks_for():
    known = versions("constraints.txt")
    for requirement in map(Requirement, requirements()):
        if requirement.name != "lrlab":
            assert requirement.specifier.contains(known[name_of(requirement.name)]), requirement


def test_constraints_and_lock_say_the_same():
    constraints = versions("constraints.txt")
    torch = constraints.pop("torch")
    assert constraints == versions("requirements.lock"), "make lock"
    assert f"torch=={torch}" in requirements()


def test_every_line_of_a_lock_has_hashes_and_none_an_address():
    for lock in LOCKS:
        text = (ROOT / lock).read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text
        entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
        assert len(entries) >= 10
        assert all("--hash=sha256:" in entry for entry in entries), lock


def test_the_locks_leave_torch_to_pip():
    for lock in LOCKS:
        assert not {"torch", "triton"} & set(versions(lock)), lock


def test_the_other_environments_are_locked_as_they_ask():
    for stem in ("tests/peers/requirements", "tests/peers/requirements-nodeps"):
        asked = versions(f"{stem}.txt")
        asked.pop("torch", None)
        assert asked.items() <= versions(f"{stem}.lock").items()
    assert versions("benchmarks/requirements-ray.lock")["ray"]


def test_conda_users_get_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip["pip"] == ["-c constraints.txt", "-e .[test]"]
    (python,) = [line for line in conda if line.startswith("python=")]
    assert PROJECT["requires-python"].removeprefix(">=") == python.removeprefix("python=")


def test_every_dependency_is_explained():
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Dependencies")[2].lower()
    names = {
        name_of(word)
        for row in re.findall(r"^\| ([^|]+) \|", table, re.M)
        for word in row.split(",")
        if name_of(word.strip())
        for word in [word.strip()]
    }
    missing = {name_of(r) for r in requirements()} - names - {"lrlab"}
    assert not missing


def test_the_commands_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for document in ("README.md", "CONTRIBUTING.md"):
        used = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", (ROOT / document).read_text(), re.M)
        assert {a or b for a, b in used} <= targets, document


def test_what_the_readme_says_was_found_is_what_the_ledger_says():
    from lrlab.labbook.ledger import ledger

    text = " ".join((ROOT / "README.md").read_text().split())
    told = dict(re.findall(r"claim `([\w.-]+)`, ([\w ]+)\)", text))
    verdicts = {row.claim.id: row.claim.verdict for row in ledger(ROOT)}
    assert len(told) >= 3
    assert told == {id: verdicts.get(id) for id in told}


def test_the_readme_shows_the_figure_of_the_log():
    from lrlab.labbook.site import _front as front
    from lrlab.labbook.site import site

    shown = re.search(r"]\((book/[\w./-]+\.png)\)", (ROOT / "README.md").read_text())[1]
    figure = front.headline(site.Site(ROOT))
    same = (ROOT / shown).read_bytes() == figure.png  # not asserted itself: a diff takes minutes
    assert same, "make figure renews it"


def test_a_new_laboratory_sanitises_outputs_as_this_one():
    new = ROOT / "lrlab/labbook/_starter/files/tests/nbval_sanitize.cfg"
    assert new.read_text() == (ROOT / "tests/nbval_sanitize.cfg").read_text()
