import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from tiny_lab import lrlab

from lrlab.labbook.cli import main
from lrlab.labbook.entries import log

COMMANDS = sorted(main.commands)


@pytest.mark.parametrize("arguments", [["--help"], ["params", "tiny"], ["list"]])
def test_the_command_line_loads_little_and_nothing_that_computes(tiny, arguments):
    code = (
        "import click, sys\n"
        "before = set(sys.modules)\n"
        "from lrlab.labbook.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'torch', 'papermill', 'jupytext', 'pandas', 'scipy', 'matplotlib', 'numpy'}\n"
        "loaded = set(sys.modules) - before\n"
        "print(*(heavy & loaded), len(loaded), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tiny, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr.strip().isdecimal(), done.stderr  # a number alone: nothing heavy
    assert int(done.stderr) < 150


def test_what_handles_pages_and_commands_never_imports_torch():
    code = (
        "import importlib, pkgutil, sys, lrlab.claims, lrlab.labbook as labbook\n"
        "found = [m.name for m in pkgutil.walk_packages(labbook.__path__, 'lrlab.labbook.')]\n"
        "assert len(found) > 20\n"
        "for name in found:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_options(name):
    command = main.commands[name]
    assert command.help
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert all(option.help for option in options)


def test_the_commands_are_those_that_the_documents_name():
    root = Path(__file__).parents[2]
    documents = [root / "README.md", root / "CONTRIBUTING.md", root / "Makefile"]
    text = "\n".join(d.read_text() for d in [*documents, *(root / "book/guide").glob("*.md")])
    assert set(COMMANDS) <= set(re.findall(r"(?<!from )\blrlab ([a-z]+)\b", text))
    assert set(re.findall(r"(?:^|`)lrlab ([a-z]+)\b", text, re.MULTILINE)) <= set(COMMANDS)


@pytest.mark.parametrize("group", [[], ["sweep"]])
def test_a_group_says_what_each_command_does_to_the_end_of_the_sentence(tiny, group):
    shown = lrlab(tiny, *group, "--help").stdout
    commands = shown[shown.index("Commands:") :].splitlines()
    assert len(commands) > 3
    assert not [line for line in commands if line.endswith("...")]


def test_a_group_without_a_command_shows_the_lines_of_its_help(tiny):
    asked, bare = lrlab(tiny, "sweep", "--help"), lrlab(tiny, "sweep")
    assert bare.exit_code == 2
    assert bare.output.strip() == asked.output.strip()


def test_the_version_is_the_installed_one(tiny):
    assert lrlab(tiny, "--version").stdout == f"lrlab {version('lrlab')}\n"


@pytest.mark.parametrize("given", [["n", "three"], ["n=three"]])
def test_a_parameter_is_given_with_a_space_or_an_equals_sign(tiny, given):
    refused = lrlab(tiny, "run", "tiny", "-p", "label", "a=b", "-p", *given)
    assert refused.exit_code == 2
    assert refused.output.strip() == "lrlab: n must be an int, got 'three'"


def test_params_shows_name_type_default_unit_and_meaning(tiny):
    result = lrlab(tiny, "params", "tiny")
    rows = [line.split("  ") for line in result.stdout.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[0] == ["name", "type", "default", "smoke", "unit", "range", "meaning"]
    assert ["n", "int", "6", "5", "parts", "in the sum"] in cells
    assert ["label", "str | None", "none", "what the line is called"] in cells


def test_list_shows_notebooks_and_entries_from_any_folder_of_the_laboratory(logged):
    result = lrlab(logged / "book" / "log", "list")
    assert "Do the parts add up?" in result.stdout
    assert log(logged)[0].name in result.stdout


def test_claims_shows_every_verdict_and_checks_them(with_entry):
    result = lrlab(with_entry, "claims", "--check")
    assert result.exit_code == 0, result.output
    assert "supported  tiny.sum: The parts add up" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("checks")
    assert "tested claims" in result.stdout.splitlines()[-1]
    [entry] = log(with_entry)
    entry.path.write_text(entry.path.read_text().replace('"supported"', '"contradicted"'))
    result = lrlab(with_entry, "claims", "--check")
    assert result.exit_code == 1
    assert "tiny.sum" in result.stderr


def test_claims_of_a_notebook_an_entry_or_a_name_alone(with_entry):
    [entry] = log(with_entry)
    all_of_them = lrlab(with_entry, "claims").stdout
    for name in ("tiny", entry.name):
        assert lrlab(with_entry, "claims", name).stdout == all_of_them
    one = lrlab(with_entry, "claims", "tiny.sum").stdout.splitlines()
    assert one[:-1] == [line for line in all_of_them.splitlines() if "tiny.sum:" in line]
    wrong = lrlab(with_entry, "claims", "tiny.sun")
    assert wrong.exit_code == 2
    assert wrong.stderr == "lrlab: 'tiny.sun' has no claims that count; did you mean tiny.sum?\n"
    assert "`lrlab claims` lists them all" in lrlab(with_entry, "claims", "zebra").stderr
    both = lrlab(with_entry, "claims", "--check", "tiny")
    assert both.exit_code == 2 and "leave out either" in both.stderr


def test_open_names_the_page_of_an_entry(with_entry, monkeypatch):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    [entry] = log(with_entry)
    page = with_entry / "_build" / "html" / "book" / "log" / f"{entry.name}.html"
    page.parent.mkdir(parents=True)
    page.touch()
    result = lrlab(with_entry, "open", entry.name)
    assert result.exit_code == 0
    assert opened == [page.as_uri()]
    assert lrlab(with_entry, "open").exit_code == 2


def test_the_live_page_is_renewed_and_stays_out_of_the_log(tiny):
    source = (tiny / "notebooks" / "tiny.py").read_text()
    (tiny / "notebooks" / "reproduced_here.py").write_text(source)
    page = tiny / "book" / "live" / "reproduced_here.ipynb"
    page.parent.mkdir(parents=True)
    page.write_text("yesterday's")
    result = lrlab(tiny, "live")
    assert result.exit_code == 0, result.output
    assert log(tiny) == []
    assert "blogpost" not in json.loads(page.read_text())["metadata"]
    assert json.loads(page.with_suffix(".json").read_text())["notebook"] == "reproduced_here"
