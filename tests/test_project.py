"""The project's own promises: one set of versions, and each dependency explained."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if line
)


def name_of(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


def requirements() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    return PROJECT["dependencies"] + [r for extra in extras for r in extra]


def test_every_dependency_has_its_exact_version_in_the_constraints():
    known = {name_of(name): version for name, version in CONSTRAINTS.items()}
    for requirement in requirements():
        assert name_of(requirement) in known, requirement
        pinned = re.search(r"==([\w.]+)", requirement)
        assert not pinned or pinned[1] == known[name_of(requirement)], requirement


def test_conda_users_get_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert "-c constraints.txt" in pip["pip"]
    (project,) = [line for line in pip["pip"] if line.startswith("-e .")]
    assert set(re.findall(r"\w+", project.partition("[")[2])) == {"book", "test"}
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
    missing = {name_of(r) for r in requirements()} - names
    assert not missing


def test_the_commands_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for document in ("README.md", "CONTRIBUTING.md"):
        used = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", (ROOT / document).read_text(), re.M)
        assert {a or b for a, b in used} <= targets, document


def test_the_readme_shows_the_figure_of_the_log():
    from lrlab.labbook.site import _front as front
    from lrlab.labbook.site import site

    shown = re.search(r"]\((book/[\w./-]+\.png)\)", (ROOT / "README.md").read_text())[1]
    figure = front.headline(site.Site(ROOT))
    assert (ROOT / shown).read_bytes() == figure.png, "make figure renews it"
