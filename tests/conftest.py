"""Settings and fixtures that several test modules share."""

from hypothesis import HealthCheck, settings

# Machines are shared and first calls import slowly, so time is no property. Here the examples are
# few, and the same at every run; `make test-properties` draws many, and new ones.
settings.register_profile(
    "lab",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", settings.get_profile("lab"), derandomize=False, max_examples=1000, print_blob=True
)
settings.load_profile("lab")

pytest_plugins = ["built_book", "tiny_lab"]
