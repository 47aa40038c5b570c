"""Random numbers that a run owns: one named stream for each purpose, all from one seed.

Two runs with the same seed share their initial weights, the order of their data and their noise,
whatever else differs between them. That is what makes differences between schedules *paired*.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def stream_seed(seed: int, stream: str) -> int:
    """Return the 63-bit seed of a named stream.

    The seed sequence of NumPy mixes ``(seed, crc32(stream))``, so that streams of neighbouring
    seeds are independent.

    Args:
        seed: the seed of the run, a non-negative integer.
        stream: what the numbers are for, such as ``"order"``.

    Returns:
        An integer in [0, 2^63).

    Raises:
        ValueError: if the seed is negative or not an integer.

    Example:
        >>> stream_seed(0, "order") == stream_seed(0, "order")
        True
        >>> stream_seed(0, "order") == stream_seed(0, "initialisation")
        False
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be a non-negative integer, got seed={seed!r}")
    words = np.random.SeedSequence([int(seed), zlib.crc32(stream.encode())]).generate_state(2)
    return int(words[0]) << 31 | int(words[1]) >> 1


def generator(seed: int, stream: str) -> torch.Generator:
    """Return a CPU generator for one stream of a run (see `stream_seed`).

    Args:
        seed: of the run.
        stream: what it is for; streams are independent.

    Example:
        >>> torch.rand(1, generator=generator(3, "noise")).shape
        torch.Size([1])
    """
    return torch.Generator().manual_seed(stream_seed(seed, stream))


@contextmanager
def fork_rng() -> Iterator[None]:
    """Leave the global generators of Python, NumPy and torch, and torch's threads, as they were.

    Some layers (dropout, default initialisation) can only draw from torch's global generator. What
    runs inside may seed and use it; outside nothing has happened.

    Example:
        >>> before = torch.get_rng_state()
        >>> with fork_rng():
        ...     _ = torch.manual_seed(1), torch.rand(3)
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    python, torch_state = random.getstate(), torch.get_rng_state()
    numpy_state = np.random.get_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        torch.set_num_threads(threads)
