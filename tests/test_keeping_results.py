"""How benchmarks keep what they measured."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import _results

    return _results


def test_what_is_kept_comes_back_with_its_hash(results, tmp_path):
    path = tmp_path / "new" / "a.json"
    results.keep(path, {"b": [1.5, None], "a": 2})
    assert path.read_text() == '{"b":[1.5,null],"a":2}\n'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.with_suffix(".sha256").read_text() == f"{digest}  a.json\n"


def test_what_is_no_number_is_refused_and_leaves_what_was_there(results, tmp_path):
    path = tmp_path / "a.json"
    results.keep(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.keep(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_floats_are_rounded_wherever_they_stand(results):
    found = {"a": [1.23456, (float("inf"), 7)], "b": {"c": 0.000123456}, "d": "e"}
    expected = {"a": [1.23, [None, 7]], "b": {"c": 0.000123}, "d": "e"}
    assert results.rounded(found, 3) == expected
