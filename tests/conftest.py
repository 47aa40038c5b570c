"""Settings and fixtures that several test modules share."""

import functools
import sqlite3
from collections import Counter

import pytest
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

# Files go to the workers as they come: the longest first, so that none is left alone with one.
LONGEST = [
    "test_browser",
    "test_book_again",
    "test_entries_run",
    "test_key",
    "test_sweep_resume",
    "test_short",
    "test_sweep_cli",
    "test_entries_reference",
    "test_sweep_postgres",
    "test_scripts",
    "test_checkup",
    "test_sweep_goes_on",
    "test_guide",
]


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session", autouse=True)
def quick_studies():
    """Tests kill processes, but cut no power: SQLite need not wait until all is on the disk.

    And the descriptions of Optuna's tables are loaded once, not twice for each study.
    """
    import alembic.util
    import sqlalchemy

    def no_waiting(connection, _):
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", no_waiting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            alembic.util, "load_python_file", functools.cache(alembic.util.load_python_file)
        )
        yield
    sqlalchemy.event.remove(sqlalchemy.engine.Engine, "connect", no_waiting)


@pytest.fixture(scope="session", autouse=True)
def quick_seeds():
    """Seeds for devices that this machine lacks are not noted, each with the stack as text."""
    import torch.cuda.random
    import torch.mtia
    import torch.xpu.random

    notes = {torch.cuda: torch.cuda.random, torch.xpu: torch.xpu.random, torch.mtia: torch.mtia}
    with pytest.MonkeyPatch.context() as patch:
        for device, module in notes.items():
            if not device.is_available():
                patch.setattr(module, "_lazy_call", lambda call, **_: None)
        yield


def pytest_terminal_summary(terminalreporter):
    """End with where the time went, by folder: seconds of tests and fixtures, over all workers."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                spent[report.nodeid.partition("::")[0].rpartition("/")[0] or "."] += report.duration
    if spent.total() > 60:
        parts = (f"{folder} {seconds:.0f}" for folder, seconds in spent.most_common(12))
        terminalreporter.write_line(f"{spent.total():.0f} s of tests: {', '.join(parts)}")
