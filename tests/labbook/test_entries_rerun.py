import json

import pytest
from tiny_lab import lrlab

from lrlab.claims import Claim, judge
from lrlab.labbook.entries import log
from lrlab.labbook.entries._record import sha256
from lrlab.labbook.entries.rerun import compare


def tamper(root, old, new):
    """Change an entry as if it had been computed so: its record fits it."""
    [entry] = log(root)
    data = entry.path.read_bytes()
    assert old.encode() in data
    data = data.replace(old.encode(), new.encode())
    entry.path.write_bytes(data)
    record = entry.record | {"entry_sha256": sha256(data)}
    entry.path.with_suffix(".json").write_text(json.dumps(record))


def test_an_entry_that_says_the_same_is_identical(with_entry):
    result = lrlab(with_entry, "rerun", log(with_entry)[0].name)
    assert result.exit_code == 0
    assert result.stdout.startswith("identical ")


def test_other_numbers_within_the_interval_are_within_tolerance(with_entry):
    tamper(with_entry, "the sum is 7.5", "the sum is 7.6")
    result = lrlab(with_entry, "rerun")
    assert result.exit_code == 0
    assert result.stdout.startswith("within tolerance ")
    assert "other outputs in cell 4" in result.stdout


def test_another_verdict_is_drift(with_entry):
    tamper(with_entry, '"verdict": "supported"', '"verdict": "contradicted"')
    result = lrlab(with_entry, "rerun")
    assert result.exit_code == 1
    assert result.stdout.startswith("drifted ")
    assert "tiny.sum: the verdict was contradicted, now supported" in result.stdout


def test_a_hand_edit_is_drift_before_anything_is_executed(with_entry):
    [entry] = log(with_entry)
    entry.path.write_bytes(entry.path.read_bytes().replace(b"the sum is", b"the sun is"))
    result = lrlab(with_entry, "rerun")
    assert (result.exit_code, result.stdout.split()[0]) == (1, "drifted")
    assert "edited after it was recorded" in result.stdout


VALUES = [0.9, 1.0, 1.1, 1.2, 0.8]
[SETTLED] = judge(
    [Claim.effect("b", "It is more", values=VALUES, direction="greater", delta=0.1)], notebook="a"
)
CLAIM = SETTLED.to_dict()


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([CLAIM], None),
        ([CLAIM | {"estimate": CLAIM["high"]}], None),
        ([CLAIM | {"estimate": CLAIM["high"] + 0.01}], "outside the recorded interval"),
        ([CLAIM | {"estimate": None}], "outside the recorded interval"),
        ([CLAIM | {"estimate": float("nan")}], "outside the recorded interval"),
        ([CLAIM | {"verdict": "inconclusive"}], "the verdict was supported, now inconclusive"),
        ([], "the claim is gone"),
        ([CLAIM, CLAIM | {"id": "a.c"}], "a.c: the claim is new"),
    ],
)
def test_a_claim_is_held_against_its_verdict_and_interval(found, says):
    drift = compare([CLAIM], found)
    assert bool(drift) == bool(says)
    assert not says or says in drift[0]


def test_an_entry_without_claims_has_no_tolerance():
    assert compare([], [])
