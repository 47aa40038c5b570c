"""`lrlab release` seals a log that holds, says what is in the way of one that does not."""

import json

import pytest
from entry_maker import write_entry
from tiny_lab import lrlab

from lrlab.labbook import releases
from lrlab.labbook.entries import reference

VERSIONS = {"python": "3.11.2", "lrlab": "0.2.0"}
CHECKED = {"profile": "foreign", "verdicts": {}}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    write_entry(tmp_path, versions=VERSIONS, portable_check=CHECKED)
    monkeypatch.setattr(reference, "problems", lambda root: [])
    monkeypatch.setattr(reference, "validate", lambda root: [])
    return tmp_path


def test_a_log_in_order_is_sealed_with_its_version(lab):
    result = lrlab(lab, "release", "0.2.0")
    assert result.exit_code == 0, result.output
    assert [one.version for one in releases.read(lab)] == ["0.2.0"]
    assert 'version = "0.2.0"' in (lab / "pyproject.toml").read_text()
    again = lrlab(lab, "release", "0.2.0")
    assert again.exit_code == 2 and "0.2.0 is not newer than 0.2.0" in again.stderr


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("versions", VERSIONS | {"lrlab": "0.1.0"}, "was not executed by version 0.2.0"),
        ("portable_check", None, "has no portability check"),
        ("entry_sha256", "0" * 64, "its bytes are not those"),
    ],
)
def test_what_is_in_the_way_is_named_and_nothing_is_sealed(lab, field, value, said):
    more = {"versions": VERSIONS, "portable_check": CHECKED} | {field: value}
    write_entry(lab, **more)
    result = lrlab(lab, "release", "0.2.0")
    assert result.exit_code == 1  # not a refusal: the version is set
    assert said in result.stderr and "things are in its way" in result.stderr
    assert releases.read(lab) == []


def test_a_check_writes_nothing(lab):
    before = {p: p.read_bytes() for p in lab.rglob("*") if p.is_file() and ".lrlab" not in p.parts}
    result = lrlab(lab, "release", "0.2.0", "--check")
    assert result.exit_code in (0, 1)
    after = {p: p.read_bytes() for p in lab.rglob("*") if p.is_file() and ".lrlab" not in p.parts}
    assert before == after


def test_references_that_do_not_pass_are_in_the_way_and_are_validated_once(lab, monkeypatch):
    calls = []

    def validate(root):
        calls.append(1)
        return ["notebooks/demo.py: it does not say what its reference says"]

    monkeypatch.setattr(reference, "validate", validate)
    assert "does not say what its reference says" in lrlab(lab, "release", "0.2.0").stderr
    monkeypatch.setattr(reference, "validate", lambda root: calls.append(1) or [])
    assert lrlab(lab, "release", "0.2.0", "--check").exit_code == 0
    assert lrlab(lab, "release", "0.2.0").exit_code == 0
    assert len(calls) == 2
    assert len(json.loads((lab / ".lrlab" / "validated.json").read_text())) == 64


def test_a_released_entry_can_be_released_no_second_time_but_new_ones_can(lab):
    lrlab(lab, "release", "0.2.0")
    write_entry(
        lab,
        "later",
        date="2030-02-01",
        versions=VERSIONS | {"lrlab": "0.3.0"},
        portable_check=CHECKED,
    )
    assert lrlab(lab, "release", "0.3.0").exit_code == 0
    assert [len(one.files) for one in releases.read(lab)] == [2, 2]
