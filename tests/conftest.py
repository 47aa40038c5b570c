"""Settings and fixtures that several test modules share."""

from hypothesis import settings

# Machines are shared and first calls import slowly, so time is no property; examples are the same
# at every run.
settings.register_profile("lab", deadline=None, derandomize=True)
settings.load_profile("lab")

pytest_plugins = ["built_book", "tiny_lab"]
