"""A study as a page: its table, its figures, and which hyperparameters mattered."""
