"""What was released can be checked from the files alone, and every changed byte of it is named."""

import json

import pytest
from entry_maker import write_entry

from lrlab.labbook import looks, releases
from lrlab.labbook.entries.logbook import log


@pytest.fixture
def lab(tmp_path):
    write_entry(tmp_path)
    [entry] = log(tmp_path)
    looks.append(tmp_path, [looks.look(entry.record, entry.claims(), None)])
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "speed.json").write_text('{"seconds": 1.5}')
    (tmp_path / "book" / "band.png").write_bytes(b"\x89PNG not really")
    return tmp_path


def test_a_release_seals_every_file_that_a_reader_is_shown(lab):
    made = releases.seal(lab, "0.2.0")
    assert set(made.files) == {
        "book/log/2030-01-01-demo.ipynb",
        "book/log/2030-01-01-demo.json",
        "benchmarks/results/speed.json",
        "book/band.png",
    }
    assert releases.read(lab) == [made] and made.looks == 1
    assert releases.problems(lab) == []
    entry = lab / "book" / "log" / "2030-01-01-demo.ipynb"
    assert releases.sealed(lab, entry) == "0.2.0"
    assert releases.sealed(lab, lab / "book" / "log" / "2030-01-02-new.ipynb") is None


def _flip(path, where):
    data = bytearray(path.read_bytes())
    at = data.index(where.encode()) if isinstance(where, str) else where
    data[at + 1] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("book/log/2030-01-01-demo.ipynb", "text/plain"),  # the text of an output
        ("book/log/2030-01-01-demo.ipynb", "text/html"),  # a table or card
        ("book/log/2030-01-01-demo.ipynb", "image/png"),
        ("book/log/2030-01-01-demo.ipynb", "lrlab_claims"),  # a claim's metadata
        ("book/log/2030-01-01-demo.json", "seconds"),  # a field of the record
        ("book/log/looks.jsonl", "verdicts"),
        ("benchmarks/results/speed.json", 3),
        ("book/band.png", 5),
    ],
)
def test_a_flipped_byte_of_each_kind_is_noticed_and_its_file_named(lab, name, where):
    releases.seal(lab, "0.2.0")
    _flip(lab / name, where)
    assert [file for file, _ in releases.problems(lab)] == [name]


def test_a_missing_file_is_named_and_a_new_one_is_not(lab):
    releases.seal(lab, "0.2.0")
    (lab / "benchmarks" / "results" / "speed.json").unlink()
    write_entry(lab, "later", date="2030-02-01")
    [entry] = [e for e in log(lab) if e.record["notebook"] == "later"]
    looks.append(lab, [looks.look(entry.record, entry.claims(), None)])
    assert releases.problems(lab) == [
        ("benchmarks/results/speed.json", "it was released with 0.2.0 and is missing")
    ]


def test_a_second_release_seals_what_is_new_and_leaves_the_first_as_it_was(lab):
    first = releases.seal(lab, "0.2.0")
    write_entry(lab, "later", date="2030-02-01")
    second = releases.seal(lab, "0.3.0")
    assert releases.read(lab) == [first, second]
    assert set(second.files) == {f"book/log/2030-02-01-later.{end}" for end in ("ipynb", "json")}


@pytest.mark.parametrize("version", ["0.2", "v0.3.0", "0.2.0", "0.1.9", "", "0.2.0\n[x]"])
def test_a_version_that_is_none_or_not_newer_is_refused_and_nothing_is_written(lab, version):
    releases.seal(lab, "0.2.0")
    before = (lab / releases.FILE).read_bytes()
    with pytest.raises(ValueError, match=r"version|newer"):
        releases.seal(lab, version)
    assert (lab / releases.FILE).read_bytes() == before


def test_a_manifest_that_is_none_is_named_in_a_sentence(lab):
    (lab / releases.FILE).write_text("release = 3\n")
    [(file, what)] = releases.problems(lab)
    assert file == releases.FILE and "is not a manifest" in what


def test_the_version_is_written_wherever_it_stands_and_only_once(tmp_path):
    (tmp_path / "lrlab").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\nx = "version = 1"\n')
    (tmp_path / "lrlab" / "__init__.py").write_text('__version__ = "0.1.0"\n')
    (tmp_path / "CITATION.cff").write_text("version: 0.1.0\ndate-released: 2026-11-22\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n### Added\n")
    assert len(releases.set_version(tmp_path, "0.2.0")) == 4
    assert 'version = "0.2.0"\nx = "version = 1"' in (tmp_path / "pyproject.toml").read_text()
    assert "## Unreleased\n\n## 0.2.0 (" in (tmp_path / "CHANGELOG.md").read_text()
    assert releases.set_version(tmp_path, "0.2.0") == []
    assert json.dumps("0.2.0") in (tmp_path / "lrlab" / "__init__.py").read_text()


@pytest.mark.parametrize("part", ["version", "date", "looks ="])
def test_a_manifest_that_was_changed_is_named(lab, part):
    releases.seal(lab, "0.2.0")
    manifest = lab / releases.FILE
    lines = manifest.read_text().splitlines(keepends=True)
    [number] = [k for k, line in enumerate(lines) if line.startswith(part)]
    lines[number] = lines[number].replace("2", "3", 1).replace("1", "2", 1)
    manifest.write_text("".join(lines))
    [(file, said)] = releases.problems(lab)
    assert file == releases.FILE and "not as `lrlab release` wrote it" in said
