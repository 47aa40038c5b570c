"""Files from elsewhere: downloaded once, checked against a hash, kept."""

from __future__ import annotations

import logging
from pathlib import Path

from lrlab.checks import need


def fetch(url: str, sha256: str) -> Path:
    """Return the path of a downloaded file whose content has the given hash.

    Args:
        url: where the file is.
        sha256: the hash that its content must have, 64 hexadecimal digits.

    Raises:
        ValueError: in one sentence, if it can't be downloaded or has another hash.
    """
    need("pooch")
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    name = url.rsplit("/", 1)[-1]
    try:
        return Path(pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=name))
    except ValueError as error:
        raise ValueError(f"{name} has another hash than expected; nothing was kept") from error
    except OSError as error:
        raise ValueError(
            f"{name} could not be downloaded: this option needs a network at its first use"
        ) from error
