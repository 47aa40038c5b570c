"""What a notebook's outputs carry as metadata: data that stands under a key of the lab book."""

from __future__ import annotations

from typing import Any


def last(notebook: dict[str, Any], key: str) -> Any:
    """Return what the last output with this key carries; None without one.

    Args:
        notebook: its JSON.
        key: of an output's metadata.

    Example:
        >>> output = {"metadata": {"lrlab_answer": {"text": "4 %", "claims": []}}}
        >>> last({"cells": [{"outputs": [output]}]}, "lrlab_answer")["text"]
        '4 %'
    """
    found = [
        metadata[key]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if (metadata := output.get("metadata", {})).get(key)
    ]
    return found[-1] if found else None


def take(notebook: dict[str, Any], key: str) -> None:
    """Take the outputs with this key out of a notebook.

    Args:
        notebook: its JSON; it is changed.
        key: of an output's metadata.
    """
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if key not in o.get("metadata", {})]
