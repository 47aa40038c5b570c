"""Raw results of benchmarks are read only as they were measured."""

import hashlib

import pytest

from lrlab.labbook import measured


def test_results_are_read_with_their_hash(tmp_path):
    (tmp_path / "a.json").write_text('{"cells": [1]}')
    digest = hashlib.sha256(b'{"cells": [1]}').hexdigest()
    (tmp_path / "a.sha256").write_text(f"{digest}  a.json\n")
    assert measured.read("a.json", tmp_path) == {"cells": [1], "sha256": digest}
    (tmp_path / "a.json").write_text('{"cells": [2]}')
    with pytest.raises(ValueError, match=r"a\.json is not what was measured"):
        measured.read("a.json", tmp_path)
    (tmp_path / "a.sha256").unlink()
    with pytest.raises(ValueError, match=r"a\.json is not what was measured"):
        measured.read("a.json", tmp_path)
    with pytest.raises(ValueError, match=r"there is no file b\.json; `make bench` makes it"):
        measured.read("b.json", tmp_path)
