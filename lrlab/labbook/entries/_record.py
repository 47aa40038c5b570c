"""The record of an entry: what can't be the same on another day or machine, kept beside it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

from lrlab import numerics
from lrlab.labbook.entries.laboratory import git

SCHEMA = 1
_PACKAGES = (
    "lrlab",
    "torch",
    "numpy",
    "scipy",
    "statsmodels",
    "pandas",
    "matplotlib",
    "joblib",
    "mlxtend",
    "ipykernel",
    "nbclient",
    "papermill",
    "jupytext",
)
# What can change the numbers of an entry; a page that was edited can't.
_COMPUTING = ("lrlab", "notebooks", "pyproject.toml", "constraints.txt")


@functools.cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of records."""
    return json.loads(Path(__file__).with_name("record.schema.json").read_text(encoding="utf-8"))


def check(record: dict[str, Any]) -> None:
    """Check a record against the schema.

    Raises:
        ValueError: if it does not fit, with the place and the reason.
    """
    import jsonschema

    try:
        jsonschema.validate(record, schema())
    except jsonschema.ValidationError as error:
        place = ".".join(map(str, error.absolute_path)) or "record"
        raise ValueError(f"{place}: {error.message}") from None


def to_bytes(record: dict[str, Any]) -> bytes:
    """Return a record that was checked as the bytes of its file."""
    check(record)
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def sha256(data: bytes) -> str:
    """Return the hash of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def surroundings(root: Path, profile: str) -> dict[str, Any]:
    """Return what a record says about where it was made.

    Args:
        root: the laboratory's folder.
        profile: the numerics profile of the kernel.

    Returns:
        `commit`, `dirty`, `profile`, `versions` and `hardware`.
    """
    commit = git(root, "rev-parse", "HEAD")
    changes = git(root, "status", "--porcelain", "--", *_COMPUTING)
    return {
        "commit": commit,
        "dirty": commit is None or bool(changes),
        "profile": {"name": profile, **numerics.environment(profile)},
        "versions": versions(),
        "hardware": hardware(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change an entry."""
    import importlib.metadata

    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Return processor, cores, memory and operating system of this machine."""
    import psutil

    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
