"""Data that is drawn or parsed once, and kept.

Drawing MNIST-1D takes seconds, most of it for importing what draws, and each kernel and worker
would do it again. What is kept is sealed, and named after all that it depends on: the function,
its arguments, the source of all tasks, versions and the numerics profile.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import io
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from lrlab import files, numerics, randomness
from lrlab.tasks.base import Splits

_KEPT = 30 * 24 * 3600  # [s] how long what an older source drew is left
Draw = Callable[..., Splits]


def drawn_once(package: str) -> Callable[[Draw], Draw]:
    """Decorate a function that draws or parses data, so that a machine does it once.

    Args:
        package: the installed package that the data are from; its version counts.

    Returns:
        A decorator. The tensors of a kept draw equal those of a fresh one bit for bit. Nothing is
        kept where ``LRLAB_CACHE`` or ``LRLAB_DATA`` is ``off``.
    """

    def decorate(draw: Draw) -> Draw:
        @functools.cache
        @functools.wraps(draw)
        def drawn(*arguments: str | int | bool) -> Splits:
            path = _path(draw, package, arguments)
            if path is None:
                return draw(*arguments)
            try:
                return _read(path)
            except ValueError:
                splits = draw(*arguments)
                _keep(path, splits)
                return splits

        return drawn

    return decorate


def _path(draw: Draw, package: str, arguments: tuple[str | int | bool, ...]) -> Path | None:
    try:
        folder = files.data_folder()
        versions = [importlib.metadata.version(name) for name in (package, "numpy", "torch")]
    except (OSError, RuntimeError, importlib.metadata.PackageNotFoundError):
        return None
    if folder is None:
        return None
    module = sys.modules[draw.__module__]
    machine = [platform.python_version(), torch.backends.cpu.get_cpu_capability()]
    key = [arguments, versions, machine, numerics.profile(), _sources(str(module.__file__))]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    name = f"{draw.__module__.rpartition('.')[2]}-{draw.__name__.strip('_')}"
    return folder / f"{name}-{digest[:32]}.pt"


@functools.cache
def _sources(of: str) -> str:
    """Hash the code that draws: its module, all tasks, and what seeds the generators."""
    paths = {Path(of), Path(randomness.__file__), *Path(__file__).parent.glob("*.py")}
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(paths))).hexdigest()


def _keep(path: Path, splits: Splits) -> None:
    content = io.BytesIO()
    torch.save(vars(splits), content)
    try:
        files.write_sealed(path, content.getvalue())
        for other in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.pt"):
            if other.stat().st_mtime < time.time() - _KEPT:
                other.unlink()
    except OSError as error:
        files.complain(path.parent, error)


def _read(path: Path) -> Splits:
    return Splits(**torch.load(io.BytesIO(files.read_sealed(path)), weights_only=True))
