"""What `lrlab init` makes: a small laboratory, with one experiment on a model of one's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from lrlab.labbook.entries.errors import BadInput

EXAMPLE = "usable_rates"
_FILES = Path(__file__).parent / "files"


def make(folder: Path, say: Callable[[str], None] = lambda text: None) -> None:
    """Make a laboratory in a folder that does not exist yet or is empty: all of it or nothing.

    The example's reference, which validation compares with, is executed on the way.

    Args:
        folder: where it is made.
        say: told, before the example is executed, that it is.

    Raises:
        BadInput: if the folder holds something, or can't be made.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; name a folder that does not exist or is empty")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty; a laboratory begins in a folder of its own")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".lrlab-init-") as made:
            root = Path(made) / "laboratory"
            _write(root)
            say("Running the example in small, for validation to compare with …")
            _make_reference(root)
            if folder.is_dir():
                folder.rmdir()
            root.rename(folder)
    except OSError as error:
        raise BadInput(f"{folder} can't be made: {error.strerror or error}") from None


def _write(root: Path) -> None:
    for source in sorted(_FILES.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            parts = source.relative_to(_FILES).parts
            target = root.joinpath(*(part.replace("dot_", ".", 1) for part in parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    requirements = root / "requirements.txt"
    text = requirements.read_text("utf-8").replace("VERSION", version("lrlab"))
    requirements.write_text(text, "utf-8")


def _make_reference(root: Path) -> None:
    from lrlab.labbook.entries import reference

    for _ in reference.renew(root, [EXAMPLE]):
        pass
    shutil.rmtree(root / ".lrlab", ignore_errors=True)
