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
from lrlab.labbook.entries.errors import shortened
from lrlab.labbook.entries.laboratory import git

SCHEMA = 2
_OWN_HASH = "record_sha256"
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


# What is relied on wherever records are read; the schema says more, and is held when they are
# written and by `lrlab claims --check`.
_FIELDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("entry", "notebook", "date", "size", "command", "started"), str),
    **dict.fromkeys(("entry_sha256", "notebook_sha256"), str),
    **dict.fromkeys(("parameters", "changed", "profile", "versions", "hardware"), dict),
    **dict.fromkeys(("fragile", "runs"), list),
    **dict.fromkeys(("supersedes", "portable_check"), (dict, type(None))),
    "commit": (str, type(None)),
    "dirty": bool,
    "seconds": (int, float),
}
_INSIDE = {
    "profile": ("name",),
    "versions": ("python",),
    "hardware": ("cpu", "cores", "memory_gib", "system"),
    "supersedes": ("entry", "reason"),
    "portable_check": ("profile", "verdicts"),
}


def read(path: Path) -> dict[str, Any]:
    """Read a record, of any version.

    Raises:
        ValueError: if it is damaged, in words that continue "the record of X …".
    """
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {shortened(str(error), 100)}") from None
    if not isinstance(record, dict):
        raise ValueError("is no record: it holds no fields")
    if record.get("schema") not in range(1, SCHEMA + 1) or record["schema"] is True:
        known = " or ".join(map(str, range(1, SCHEMA + 1)))
        raise ValueError(f"is no record: its schema is {record.get('schema')!r}, not {known}")
    for name, types in _FIELDS.items():
        if name not in record or not isinstance(record[name], types):
            raise ValueError(f"is no record: its field {name} is missing or of another type")
        inside = record[name] if isinstance(record[name], dict) else {}
        missing = [key for key in _INSIDE.get(name, ()) if inside and key not in inside]
        if missing or (inside == {} and name in _INSIDE and record[name] is not None):
            raise ValueError(f"is no record: its field {name} is not complete")
    return record


@functools.cache
def _validator() -> Any:
    import jsonschema

    text = Path(__file__).with_name("record.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check(record: dict[str, Any]) -> None:
    """Check a record against the schema.

    Raises:
        ValueError: if it does not fit, with the place and the reason.
    """
    error = next(_validator().iter_errors(record), None)
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "record"
        raise ValueError(f"{place}: {shortened(error.message, 200)}")


def sealed(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the hash of its own other fields."""
    return {**record, _OWN_HASH: _own_hash(record)}


def unedited(record: dict[str, Any]) -> bool:
    """Return whether a record's fields are those it was sealed with; the first version has no seal.

    Example:
        >>> unedited(sealed({"schema": 2, "size": "full"}) | {"size": "smoke"})
        False
    """
    return record["schema"] == 1 or record.get(_OWN_HASH) == _own_hash(record)


def _own_hash(record: dict[str, Any]) -> str:
    others = {key: value for key, value in record.items() if key != _OWN_HASH}
    text = json.dumps(others, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode())


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
