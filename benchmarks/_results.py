"""How benchmarks keep what they measured: as JSON, with the hash that entries ask for beside it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrlab.files import write


def keep(path: Path, results: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Write the results whole or not at all, and their SHA-256 beside them.

    Args:
        path: the file, `….json`; its folder is made if needed.
        results: what was measured, finite numbers only.
        indent: spaces of an indentation, for files that are read by eye; None: one line.
    """
    between = (",", ":") if indent is None else None
    text = json.dumps(results, indent=indent, separators=between, allow_nan=False)
    data = f"{text}\n".encode()
    write(path, data)
    digest = hashlib.sha256(data).hexdigest()
    write(path.with_suffix(".sha256"), f"{digest}  {path.name}\n".encode())


def rounded(value: Any, digits: int) -> Any:
    """All floats in it with so many significant digits; None for those that are not finite."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: rounded(inner, digits) for key, inner in value.items()}
    return [rounded(inner, digits) for inner in value] if isinstance(value, list | tuple) else value
