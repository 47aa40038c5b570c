"""What a kernel's own workers are told: to end with it, which joblib doesn't see to."""

from __future__ import annotations

import os
from typing import Any


def end_with_the_kernel() -> None:
    """Have each worker that joblib starts in this process end with it, also if it is killed."""
    import joblib

    class Backend(joblib.parallel.BACKENDS["loky"]):
        def configure(self, *args: Any, **options: Any) -> int:
            from lrlab.training.parallel import end_with  # loads torch: where workers start only

            options |= {"initializer": end_with, "initargs": (os.getpid(),)}
            return super().configure(*args, **options)

    joblib.register_parallel_backend("loky", Backend)
