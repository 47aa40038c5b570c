"""The comparison with other libraries, in an environment that holds those and not the book's.

It shares its helpers with the tests of the schedules, but not their fixtures.
"""

import sys
from pathlib import Path

from hypothesis import settings

settings.register_profile("lab", deadline=None, derandomize=True)
settings.load_profile("lab")

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
