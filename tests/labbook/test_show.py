"""One entry's page alone: found by name or file, rendered without reading any other entry."""

import builtins
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from entry_maker import write_entry

from lrlab.labbook.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def laboratory(tmp_path, monkeypatch):
    """A laboratory with two entries, as the working folder."""
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book" / "references.bib", tmp_path / "book")
    (tmp_path / "notebooks").mkdir()
    write_entry(tmp_path)
    write_entry(tmp_path, "other", title="Another page")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(*arguments: str) -> BeautifulSoup:
    done = CliRunner().invoke(main, ["show", "--no-open", *arguments])
    assert done.exit_code == 0, done.output
    return BeautifulSoup(Path(done.stdout.strip()).read_bytes(), "lxml")


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["show", "--no-open", *arguments])
    assert done.exit_code == 2
    [line] = done.stderr.splitlines()
    return line


def test_a_page_alone_has_claims_figure_sources_record_and_the_style_of_the_book(laboratory):
    page = shown("2030-01-01-demo")
    assert page.title.get_text().startswith("A demonstration")
    assert len(page.select("article .lrlab-claim")) == 6
    assert page.select("article img")[0]["alt"] == "A line."
    record = page.select("section#record")[0].get_text()
    assert "Entry 2030-01-01-demo of 2030-01-01" in record
    assert "Smith" in page.select("section#sources-of-the-claims")[0].get_text()
    folder = laboratory / "_build" / "show" / "html" / "book" / "log"
    for element in page.select("link[rel=stylesheet], script[src], img[src], a.download"):
        address = (element.get("href") or element.get("src")).split("?")[0]
        assert (folder / address).is_file(), address


def test_no_other_entry_is_read(laboratory, monkeypatch):
    inside, other = laboratory / "book" / "log", "2030-01-01-other"
    opened = []

    def watching(real):
        def watched(file, *arguments, **more):
            path = os.fspath(file) if not isinstance(file, int) else ""
            if str(path).startswith(str(inside)):
                opened.append(Path(str(path)).name)
            return real(file, *arguments, **more)

        return watched

    monkeypatch.setattr(builtins, "open", watching(builtins.open))
    monkeypatch.setattr(io, "open", watching(io.open))
    shown("2030-01-01-demo")
    assert {"2030-01-01-demo.ipynb", "2030-01-01-demo.json"} <= set(opened)
    assert not [name for name in opened if name.startswith(other)]


def test_an_entry_outside_the_log_is_found_by_file_and_by_folder(laboratory, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("look")
    for path in (laboratory / "book" / "log").glob("2030-01-01-other.*"):
        path.rename(elsewhere / path.name)
    assert "Another page" in shown(str(elsewhere)).title.get_text()
    assert "Another page" in shown(str(elsewhere / "2030-01-01-other.ipynb")).title.get_text()


def test_what_is_no_entry_is_refused_in_one_sentence(laboratory, tmp_path_factory):
    assert "no entry '2030-01-01-dem'; did you mean 2030-01-01-demo?" in refused("2030-01-01-dem")
    assert "no entry '999" in refused("9" * 5000)
    empty = tmp_path_factory.mktemp("empty")
    assert "holds 0 entries" in refused(str(empty))
    assert "holds 2 entries: 2030-01-01-demo.ipynb, " in refused("book/log")
    record = laboratory / "book" / "log" / "2030-01-01-demo.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"date": 3}))
    assert "record of 2030-01-01-demo is no" in refused("2030-01-01-demo")
    record.write_text("{")
    assert "are no entry" in refused("2030-01-01-demo")
    record.unlink()
    assert "has no record beside it" in refused("2030-01-01-demo")


def answering(path, text):
    """Let an entry carry an answer, and its record have the new hash."""
    notebook = json.loads(path.read_bytes())
    told = {"lrlab_answer": {"text": text, "claims": ["lower"]}}
    notebook["cells"][3]["outputs"][0]["metadata"] |= told
    path.write_text(json.dumps(notebook))
    record = path.with_suffix(".json")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"entry_sha256": sha256}))


def test_the_page_of_a_what_if_has_the_answer_of_the_entry_that_counts(laboratory):
    counts = laboratory / "book" / "log" / "2030-01-01-demo.ipynb"
    name = "2030-02-01-demo-peak_lr-0.5"
    what_if = {"entry": name, "changed": {"peak_lr": 0.5}, "date": "2030-02-01"}
    answering(counts, "It falls by 0.3.")
    answering(write_entry(laboratory, **what_if), "It falls by 0.5.")
    page = shown(name)
    assert "With peak_lr = 0.5 in place of 0.2." in page.select_one(".admonition").get_text()
    answers = page.select(".lrlab-beside .lrlab-answer")
    assert [one.get_text().strip() for one in answers] == ["It falls by 0.5.", "It falls by 0.3."]
    folder = laboratory / "_build" / "show" / "html" / "book" / "log"
    assert not (folder / "2030-01-01-demo.html").exists()
    counts.with_suffix(".json").write_text("{")
    assert not shown(name).select(".lrlab-beside")
