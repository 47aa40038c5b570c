"""Whatever is wrong in the log is named in a sentence by every command that reads it."""

import json
import random
import re

import pytest
from entry_maker import rewrite_claims, write_entry
from tiny_lab import files, lrlab, make

from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries import logbook
from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.ledger import check
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import site

NAME, OTHER = "2030-01-01-demo", "2030-01-02-demo"
DEEP = b"[" * 100_000
COMMANDS = (["list"], ["claims"], ["claims", "--check"], ["rerun"])


@pytest.fixture
def lab(tmp_path):
    """A laboratory with two entries that hold."""
    root = make(tmp_path / "lab")
    write_entry(root)
    write_entry(root, date="2030-01-02")
    assert check(root) == []
    return root


def both(root, name=NAME):
    folder = root / "book" / "log"
    return folder / f"{name}.ipynb", folder / f"{name}.json"


def named(root, *words, name=NAME):
    """What a command says of the damage: it fails, in lines of its own, and changes nothing."""
    before = files(root)
    result = lrlab(root, *words)
    assert result.exit_code in (1, 2), (words, result.output)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = result.stderr.splitlines()
    assert lines
    assert all(line.startswith("lrlab: ") and len(line) < 600 for line in lines)
    assert any(name in line for line in lines), lines
    assert files(root) == before
    return result


NOTEBOOKS = {
    "empty": b"",
    "conflict": b'{\n<<<<<<< HEAD\n "cells": []\n=======\n "cells": [1]\n>>>>>>> other\n}\n',
    "latin-1": '{"cells": "\xfc"}'.encode("latin-1"),
    "deep": DEEP,
    "a list": b"[1, 2]",
    "a number": b"1",
    "other cells": b'{"cells": [3]}',
    "other outputs": b'{"cells": [{"outputs": [3]}]}',
}


@pytest.mark.parametrize("damage", NOTEBOOKS)
@pytest.mark.parametrize("which", ["notebook", "record"])
def test_a_damaged_file_is_named_by_every_command(lab, damage, which):
    notebook, record = both(lab)
    (notebook if which == "notebook" else record).write_bytes(NOTEBOOKS[damage])
    for words in COMMANDS:
        named(lab, *words)


@pytest.mark.parametrize("which", ["notebook", "record"])
def test_a_truncated_file_is_named_by_every_command(lab, which):
    notebook, record = both(lab)
    file = notebook if which == "notebook" else record
    file.write_bytes(file.read_bytes()[:-200])
    for words in COMMANDS:
        named(lab, *words)


def test_what_can_be_read_is_still_shown_and_each_damage_has_its_line(lab):
    both(lab)[1].write_text("{}")
    write_entry(lab, "third")
    both(lab, "2030-01-01-third")[0].write_text("")
    result = named(lab, "list")
    assert OTHER in result.stdout
    assert len(result.stderr.splitlines()) == 2
    assert OTHER.split("-")[-1] in lrlab(lab, "claims").stdout


@pytest.mark.parametrize("which", [0, 1])
def test_half_of_an_entry_is_named(lab, which):
    both(lab)[which].unlink()
    for words in COMMANDS:
        named(lab, *words)


def test_an_entry_copied_under_another_date_is_named(lab):
    notebook, record = both(lab)
    copy = "2031-05-05-demo"
    for file in (notebook, record):
        file.with_name(f"{copy}{file.suffix}").write_bytes(file.read_bytes())
    assert "is a copy" in named(lab, "claims", "--check", name=copy).stderr
    fields = json.loads(record.read_text()) | {"entry": copy, "date": "2031-05-05"}
    record.with_name(f"{copy}.json").write_text(json.dumps(fields))
    said = named(lab, "claims", "--check", name=copy).stderr
    assert f"it is a copy of {NAME}" in said
    assert "its record is of 2031-05-05, its notebook of 2030-01-01" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parameters": {"peak_lr": 0.3}}, "another parameters than its notebook"),
        ({"command": "lrlab run demo --smoke"}, "its command is not the one"),
        ({"size": "smoke"}, "its name is not the one"),
        ({"changed": {"peak_lr": 0.3}}, "its name is not the one"),
        ({"date": "2030-01-09"}, "its record is of 2030-01-09"),
        ({"notebook_sha256": "x"}, "does not fit the schema: notebook_sha256"),
        ({"supersedes": {"entry": "2029-01-01-demo", "reason": "x"}}, "does not have"),
        ({"supersedes": {"entry": OTHER, "reason": "x"}}, "which is not older"),
        ({"supersedes": {"entry": NAME, "reason": "x"}}, "which is not older"),
    ],
)
def test_a_changed_field_of_an_old_record_is_noticed(lab, change, says):
    notebook, record = both(lab)
    content = json.loads(notebook.read_text())
    said = {"parameters": {"peak_lr": 0.2, "n_seeds": 8}, "command": "lrlab run demo"}
    content["metadata"]["lrlab"] |= said
    notebook.write_text(json.dumps(content))
    fields = json.loads(record.read_text())
    fields["entry_sha256"] = records.sha256(notebook.read_bytes())
    record.write_text(json.dumps(fields))
    assert check(lab) == []
    record.write_text(json.dumps(fields | change))
    assert says in named(lab, "claims", "--check").stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("direction", "greeter"),
        ("direction", None),
        ("delta", -1.0),
        ("delta", True),
        ("delta", "0.05"),
        ("threshold", 2.5e400),
        ("method", "magic"),
        ("scale", "cubic"),
        ("margin", None),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(lab, name, value):
    rewrite_claims(
        both(lab)[0],
        lambda claim: claim["rule"].update({name: value}) if name in claim["rule"] else None,
    )
    assert f"its rule's {name} is" in named(lab, "claims", "--check", name="demo.").stderr


@pytest.mark.parametrize("missing", ["id", "kind", "data", "rule", "verdict", "alpha", "statement"])
def test_a_claim_that_lacks_a_part_is_named(lab, missing):
    rewrite_claims(both(lab)[0], lambda claim: claim.pop(missing))
    rewrite_claims(both(lab, OTHER)[0], lambda claim: claim.pop(missing))
    named(lab, "claims", "--check", name="demo")
    result = lrlab(lab, "claims")
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("version", [99, 1, "3", None])
def test_claims_judged_by_rules_that_this_package_does_not_know_are_refused(lab, version):
    said = f"the claims of {OTHER} were judged by version {version!r} of the rules"
    rewrite_claims(both(lab, OTHER)[0], lambda claim: claim.update(rules=version))
    for words in (["claims"], ["claims", "--check"]):
        result = named(lab, *words, name=OTHER)
        assert result.exit_code == 2
        assert result.stderr == f"lrlab: {said}, and this package knows version 3\n"
    log = site.Site(lab)
    for read in (
        lambda: log.ledger,
        lambda: pages.decorate(both(lab)[0].read_text(), log.log[1], log),
    ):
        with pytest.raises(BadInput, match=re.escape(said)):
            read()


@pytest.mark.parametrize("words", [["claims", "--check"], ["rerun", NAME]])
def test_claims_of_unknown_rules_are_named_also_where_their_entry_does_not_count(lab, words):
    rewrite_claims(both(lab)[0], lambda claim: claim.pop("rules"))
    before = files(lab)
    result = lrlab(lab, *words)
    assert result.exit_code == 1 and files(lab) == before
    said = f"the claims of {NAME} were judged by version 1 of the rules"
    assert (result.stdout + result.stderr).count(said) == 1


def test_flipped_and_cut_bytes_never_end_in_a_traceback(lab):
    draw = random.Random(7)
    for kind in (0, 1):
        file = both(lab)[kind]
        whole = file.read_bytes()
        for trial in range(60):
            data = bytearray(whole)
            if trial % 3 == 0:
                del data[draw.randrange(len(data)) :]
            else:
                for _ in range(trial % 5 + 1):
                    data[draw.randrange(len(data))] = draw.randrange(256)
            file.write_bytes(data)
            for words in (["list"], ["claims"], ["claims", "--check"]):
                result = lrlab(lab, *words)
                error = result.exception
                assert error is None or isinstance(error, SystemExit), (trial, words, error)
                if words[-1] == "--check" and kind == 0:
                    assert result.exit_code != 0 or bytes(data) == whole
        file.write_bytes(whole)


def test_an_entry_that_vanishes_meanwhile_is_an_outcome(lab, monkeypatch):
    from lrlab.labbook.entries import rerun

    entries = logbook.log(lab)
    monkeypatch.setattr(rerun, "log", lambda root: entries)
    for file in both(lab):
        file.unlink()
    first = next(iter(rerun.rerun(lab, progress=False)))
    assert (first.entry, first.status, first.details) == (NAME, "drifted", ["the entry is gone"])


def test_a_damaged_reference_is_named(lab):
    folder = lab / "tests" / "reference"
    folder.mkdir()
    for damage, data in NOTEBOOKS.items():
        (folder / "tiny.ipynb").write_bytes(data)
        said = named(lab, "reference", "--check", name="notebooks/tiny.py").stderr
        assert "its reference is no notebook" in said, damage


def test_reading_the_log_checks_no_schema_and_loads_no_validator(lab, monkeypatch):
    checked = []
    monkeypatch.setattr(records, "check", checked.append)
    monkeypatch.setattr(records, "_validator", checked.append)
    for number in range(3, 30):
        write_entry_quickly(lab, f"2030-01-{number:02d}")
    checked.clear()
    for words in (["list"], ["claims"]):
        assert lrlab(lab, *words).exit_code == 0
    assert checked == []


def write_entry_quickly(root, date):
    notebook, record = both(root)
    name = f"{date}-demo"
    fields = json.loads(record.read_text()) | {"entry": name, "date": date}
    notebook.with_name(f"{name}.ipynb").write_bytes(notebook.read_bytes())
    record.with_name(f"{name}.json").write_text(json.dumps(fields))


def test_the_schema_itself_is_checked_once_however_many_records_there_are(lab, monkeypatch):
    import jsonschema

    validator, checks = jsonschema.Draft202012Validator, []
    original = validator.check_schema
    monkeypatch.setattr(validator, "check_schema", lambda s: checks.append(1) or original(s))
    records._validator.cache_clear()
    for _ in range(50):
        records.check(logbook.log(lab)[0].record)
    assert len(checks) == 1


def test_each_file_of_the_log_is_read_a_fixed_number_of_times(lab, monkeypatch):
    from pathlib import Path

    reads = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or original(path))
    for number in range(3, 23):
        write_entry_quickly(lab, f"2030-01-{number:02d}")
    reads.clear()
    assert lrlab(lab, "claims").exit_code == 0
    of_log = [path for path in reads if path.parent.name == "log"]
    assert len(of_log) <= 2 * 22 + 2  # both files of each entry, and once more what counts
