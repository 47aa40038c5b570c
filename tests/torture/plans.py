"""Malformed sweep files: each gets one sentence and exit code 2, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import common  # noqa: F401 (finds the helpers of the other tests)
import pytest
from test_odd_plans import plans, refused

PLANS = plans()
TRIES = len(PLANS)


def attempt(seed: int, folder: Path) -> str | None:
    """Have one plan of the generator refused; the fault, or None."""
    plan = PLANS[seed % len(PLANS)]
    (folder / "train.py").write_text("print('{\"loss\": 1}')\n")
    (folder / "plan.yml").write_bytes(plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LRLAB_CACHE", str(folder / "runs"))
        try:
            refused(folder, "plan.yml")
        except AssertionError as error:
            return f"{plan[:200].decode('utf-8', 'replace')!r}: {str(error)[:300]}"
    return None
