"""Every test computes with the instructions that all processors have, or with an older set.

The libraries read these variables when they are loaded, so nothing else is imported here; workers
of pytest-xdist and processes that tests start inherit them.
"""

import gc
import os

from lrlab import numerics

# Tests run side by side already: what says no number of workers trains in its own process.
os.environ["LOKY_MAX_CPU_COUNT"] = "1"
os.environ.update(numerics.environment(os.environ.get("LRLAB_TEST_PROFILE", "portable")))
# What is imported stays: looking for garbage would take a quarter of the time that importing takes.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what importing made out of every later collection of garbage: it stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
