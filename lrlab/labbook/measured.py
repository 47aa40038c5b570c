"""Raw results of a benchmark: a JSON file of the repository, with its hash in a file beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def read(name: str, root: Path | None = None) -> dict[str, Any]:
    """Return the results that a benchmark kept, and their own hash under ``"sha256"``.

    Args:
        name: the file, below the laboratory's folder.
        root: the laboratory's folder; None: the one around the working folder.

    Raises:
        ValueError: if there is no such file, or if it is not the one whose hash stands beside it.
    """
    from lrlab.labbook.entries.laboratory import find_root

    file = (root or find_root()) / name
    if not file.is_file():
        raise ValueError(f"there is no file {name}; `make bench` makes it")
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    beside = file.with_suffix(".sha256")
    if not beside.is_file() or beside.read_text().split()[:1] != [digest]:
        raise ValueError(f"{name} is not what was measured: its hash is not the one beside it")
    return json.loads(data) | {"sha256": digest}
