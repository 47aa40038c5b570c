"""Releases: a manifest of what was published, with the hash of each file: `book/log/releases.toml`.

No git tags are needed, so that a shallow clone or a downloaded archive can be checked. What a
release seals is append-only: an entry, its record, the data files and pictures that pages show, and
the looks that there were.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.files import write

FILE = "book/log/releases.toml"
LOOKS = "book/log/looks.jsonl"
SEALED = ("book/log/[0-9]*.ipynb", "book/log/[0-9]*.json", "benchmarks/results/*", "book/*.png")
"""What a release seals besides the looks, as patterns below the laboratory's folder."""

_HEADER = (
    "# What was released, with the sha256 of each file; written by `lrlab release`, not by hand.\n"
)
_SEAL = "\n# sha256 of all lines above: "


@dataclass(frozen=True)
class Release:
    """One release.

    Args:
        version: its version.
        date: the day, ISO 8601.
        looks: number of lines of `looks.jsonl` at that time.
        looks_sha256: hash of these lines.
        files: by path, the hash of each file that this release sealed first.
    """

    version: str
    date: str
    looks: int
    looks_sha256: str
    files: Mapping[str, str]


def read(root: Path) -> list[Release]:
    """All releases, oldest first; none where there is no manifest.

    Raises:
        ValueError: if the manifest can't be read as one.
    """
    file = root / FILE
    if not file.is_file():
        return []
    try:
        text, _, noted = file.read_text(encoding="utf-8").rpartition(_SEAL)
        if noted.strip() != _sha256(text.encode()):
            raise ValueError("it is not as `lrlab release` wrote it")
        found = tomllib.loads(text)["release"]
        return [Release(**release) for release in found]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{FILE} is not a manifest of releases: {error}") from None


def sealed(root: Path, path: Path) -> str | None:
    """The version of the release that holds a file; None if none does.

    Args:
        root: the laboratory's folder.
        path: a file inside of it.
    """
    name = path.resolve().relative_to(root.resolve()).as_posix()
    return next((one.version for one in read(root) if name in one.files), None)


def problems(root: Path) -> list[tuple[str, str]]:
    """What is no longer as it was released: pairs of a file and one sentence."""
    try:
        releases = read(root)
    except ValueError as error:
        return [(FILE, str(error))]
    found = []
    for one in releases:
        for name, expected in one.files.items():
            if not (root / name).is_file():
                found.append((name, f"it was released with {one.version} and is missing"))
            elif _sha256((root / name).read_bytes()) != expected:
                found.append((name, f"it was released with {one.version} and has changed since"))
        if _sha256(_looks(root, one.looks)) != one.looks_sha256:
            what = f"its first {one.looks} lines are not those of release {one.version}"
            found.append((LOOKS, what))
    return found


def unsealed(root: Path) -> list[str]:
    """The files that the next release would seal, in order."""
    before = {name for one in read(root) for name in one.files}
    found = {
        path.relative_to(root).as_posix()
        for pattern in SEALED
        for path in root.glob(pattern)
        if path.is_file()
    }
    return sorted(found - before)


def seal(root: Path, version: str) -> Release:
    """Write a release into the manifest, all of it or nothing.

    Args:
        root: the laboratory's folder.
        version: the version, `1.2.3`.

    Returns:
        The release.

    Raises:
        ValueError: if the version was released before, or makes no sense.
    """
    releases = read(root)
    check_version(version, [one.version for one in releases])
    lines = _looks(root, None)
    new = Release(
        version,
        datetime.date.today().isoformat(),
        lines.count(b"\n"),
        _sha256(lines),
        {name: _sha256((root / name).read_bytes()) for name in unsealed(root)},
    )
    text = _toml([*releases, new])
    write(root / FILE, f"{text}{_SEAL}{_sha256(text.encode())}\n".encode())
    return new


def check_version(version: str, before: Sequence[str]) -> None:
    """Raise a ValueError unless a version is a new one of three numbers.

    Example:
        >>> check_version("0.2.0", ["0.1.0"])
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ValueError(f"a version is three numbers such as 0.2.0, got {version!r}")
    numbers = [tuple(map(int, one.split("."))) for one in (*before, version)]
    if len(numbers) > 1 and numbers[-1] <= max(numbers[:-1]):
        raise ValueError(f"{version} is not newer than {before[-1]}, which was released")


def set_version(root: Path, version: str) -> list[str]:
    """Write a version wherever the project states it, and open its section of the changelog.

    Args:
        root: the laboratory's folder.
        version: the version.

    Returns:
        The files that changed; none where all of them say so already.
    """
    today = datetime.date.today().isoformat()
    places = {
        "pyproject.toml": (r'(?m)^version = "[^"]*"', f'version = "{version}"'),
        "lrlab/__init__.py": (r'(?m)^__version__ = "[^"]*"', f'__version__ = "{version}"'),
        "CITATION.cff": (
            r"(?m)^version: .*\ndate-released: .*",
            f"version: {version}\ndate-released: {today}",
        ),
    }
    changed = []
    for name, (pattern, new) in places.items():
        file = root / name
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        if f"{version}" not in "".join(re.findall(pattern, text)):
            write(file, re.sub(pattern, new, text).encode())
            changed.append(name)
    log = root / "CHANGELOG.md"
    if log.is_file():
        text = log.read_text(encoding="utf-8")
        if f"## {version}" not in text:
            opened = text.replace(
                "## Unreleased\n", f"## Unreleased\n\n## {version} ({today})\n", 1
            )
            write(log, opened.encode())
            changed.append(log.name)
    return changed


def _toml(releases: Sequence[Release]) -> str:
    parts = [_HEADER]
    for one in releases:
        fields: dict[str, Any] = {"version": one.version, "date": one.date, "looks": one.looks}
        fields["looks_sha256"] = one.looks_sha256
        lines = ["[[release]]"]
        lines += [f"{key} = {_literal(value)}" for key, value in fields.items()]
        lines += ["[release.files]"]
        lines += [f"{_literal(name)} = {_literal(sha)}" for name, sha in one.files.items()]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _literal(value: str | int) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)  # a TOML string is a JSON string here


def _looks(root: Path, lines: int | None) -> bytes:
    file = root / LOOKS
    content = file.read_bytes() if file.is_file() else b""
    return b"".join(content.splitlines(keepends=True)[:lines])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
