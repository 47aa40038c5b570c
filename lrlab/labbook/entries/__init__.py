"""Entries: a notebook and its parameters become a dated page that can be run again."""

from lrlab.labbook.entries._dry_run import dry_run
from lrlab.labbook.entries._runner import Request, run
from lrlab.labbook.entries._source import Source, names, parameters_of, read
from lrlab.labbook.entries.errors import BadInput, RunFailed
from lrlab.labbook.entries.laboratory import find_root, log_folder
from lrlab.labbook.entries.logbook import Entry, find, log

__all__ = [
    "BadInput",
    "Entry",
    "Request",
    "RunFailed",
    "Source",
    "dry_run",
    "find",
    "find_root",
    "log",
    "log_folder",
    "names",
    "parameters_of",
    "read",
    "run",
]
