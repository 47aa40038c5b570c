"""Where trained runs are kept, under a short name; `lrlab.training.store` has the code."""

from lrlab.training.store import Store, default_store, run_key

__all__ = ["Store", "default_store", "run_key"]
