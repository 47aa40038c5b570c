"""A study as a page: its table, its figures, and which hyperparameters mattered."""

from lrlab.labbook.sweeps.drawn import Drawn  # so that plans that hold one can be read

__all__ = ["Drawn"]
