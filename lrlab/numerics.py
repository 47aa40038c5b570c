"""Which instructions a process may compute with: named sets of environment variables.

Trained weights are equal bit for bit from run to run on one machine with one thread, and differ as
soon as another instruction set is used. So entries are computed with the instructions that every
x86-64 machine of the last ten years has (`portable`), and verdicts are tried under an older set
(`foreign`), which stands in for a processor of another kind. The libraries read these variables
when they are loaded: set them before a process starts. Interactive use of the library sets none.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

_THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# NumPy says nothing when it is told to disable a dispatched feature that the processor lacks.
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    **_THREADS,
}
FOREIGN = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    **_THREADS,
}
PROFILES = {"portable": PORTABLE, "foreign": FOREIGN}


def environment(profile: str = "portable") -> dict[str, str]:
    """Return the variables that a process of this profile is started with.

    On processors other than x86-64 the instruction sets don't apply, and only the numbers of
    threads are left.

    Args:
        profile: `portable` or `foreign`.

    Returns:
        Names and values of environment variables.

    Raises:
        ValueError: if there is no such profile.

    Example:
        >>> environment("portable")["OMP_NUM_THREADS"]
        '1'
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return dict(_THREADS)
    return dict(PROFILES[profile])


def profile(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Describe the profile of this process: its name and the variables that make it.

    Args:
        variables: the environment to describe; that of this process by default.

    Returns:
        `name` (`portable`, `foreign`, or `native` where neither fits) and the variables of
        `PORTABLE` that are set, in alphabetical order.

    Example:
        >>> profile(environment("foreign"))["name"]
        'foreign'
        >>> profile({})
        {'name': 'native'}
    """
    variables = os.environ if variables is None else variables
    present = {name: variables[name] for name in sorted(PORTABLE) if name in variables}
    fitting = [name for name in PROFILES if environment(name) == present]
    return {"name": fitting[0] if fitting else "native", **present}
