"""Every public name is documented: what it is, its arguments, what it raises, and an example.

Public is what a module whose path has no underscore lists in `__all__`, or else defines itself.
Doctests of the package run with the tests, so that an example which is there is one that works.
"""

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from lrlab.labbook.site._docstrings import public_modules, public_names

MOST = 230  # public names of the library
# Records: what makes them has the example.
MADE_BY = {
    "Band": "find_band",
    "ControllerState": "Controller",
    "Curves": "checkup",
    "Edge": "find_band",
    "Heart": "checkup",
    "HypergradientState": "HypergradientDescent",
    "Lanczos": "lanczos",
    "StepContext": "Probe",
    "PlateauState": "ReduceOnPlateau",
    "Progress": "TaskTrainer",
    "RangeTest": "range_test",
    "Report": "checkup",
    "Range": "LogUniform",
    "Search": "checkup",
    "Suggestion": "range_test",
    "Trace": "smooth",
    "Trainer": "TaskTrainer",  # a protocol
    "Trial": "trials",
    "Workers": "TaskTrainer",  # a protocol
}
# What an example can't call by the way.
NOT_RUN_HERE = {
    "init": "called by a program in a sweep",
    "log": "called by a program in a sweep",
    "finish": "called by a program in a sweep",
}

ROOT = Path(__file__).parent.parent


def library():
    """Public names of the library by full name, each once: without the lab book and experiments."""
    found = {}
    for module in public_modules():
        for name, value in public_names(module):
            home = value.__module__.split(".")
            if home[0] == "lrlab" and home[1] not in ("experiments", "labbook"):
                found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return dict(found.values())


LIBRARY = library()
BY_NAME = {name.rpartition(".")[2]: value for name, value in LIBRARY.items()}


def test_the_library_stays_small():
    assert len(LIBRARY) <= MOST, len(LIBRARY)


def test_modules_at_any_depth_are_looked_at():
    assert {"lrlab.schedules.controllers", "lrlab.training.loop"} <= {
        module.__name__ for module in public_modules()
    }


@pytest.mark.parametrize("name", LIBRARY)
def test_a_public_name_is_documented(name):
    value = LIBRARY[name]
    text = inspect.getdoc(value) or ""
    assert text and value.__doc__, "no docstring of its own"
    assert "Args:" in text or not arguments(value), f"no Args: {arguments(value)}"
    assert "Raises:" in text or not raised(value), f"no Raises: {raised(value)}"
    short = name.rpartition(".")[2]
    if ">>>" not in text and not is_error(value) and short not in NOT_RUN_HERE:
        maker = BY_NAME.get(MADE_BY.get(short, ""))
        assert maker is not None, "no example"
        assert ">>>" in maker.__doc__, f"no example in {maker}"


def test_the_lists_of_exceptions_name_nothing_that_needs_none():
    for name in (*MADE_BY, *NOT_RUN_HERE):
        assert name in BY_NAME and ">>>" not in BY_NAME[name].__doc__, name


def is_error(value):
    return inspect.isclass(value) and issubclass(value, BaseException)


def is_protocol(value):
    return getattr(value, "_is_protocol", False)


def arguments(value):
    """Names of what a function takes, or of the fields of a dataclass of its own."""
    if is_error(value) or is_protocol(value):
        return []
    if inspect.isclass(value):
        if not dataclasses.is_dataclass(value):
            return [] if "__init__" not in vars(value) else names_of(value.__init__)[1:]
        inherited = {f.name for base in value.__mro__[1:] for f in fields(base)}
        return [f.name for f in fields(value) if f.init and f.name not in inherited]
    return names_of(value)


def fields(kind):
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


def names_of(function):
    return list(inspect.signature(function).parameters)


def raised(value):
    """What the body of a function, or of a class's construction, raises."""
    if inspect.isclass(value):
        made = [vars(value).get(name) for name in ("__init__", "__post_init__")]
        written = [] if is_protocol(value) else filter(inspect.isfunction, made)
        return [what for function in written for what in raised(function)]
    value = inspect.unwrap(value)
    if value.__code__.co_filename == "<string>":  # a dataclass wrote it
        return []
    [body] = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    return [
        ast.unparse(node.exc)
        for node in ast.walk(body)
        if isinstance(node, ast.Raise) and node.exc is not None
    ]


def test_public_names_of_the_lab_book_and_the_experiments_have_a_docstring():
    from lrlab.labbook.site._docstrings import undocumented

    assert undocumented(public_modules()) == []
    assert importlib.import_module("lrlab.experiments").__doc__


def test_each_module_of_the_experiments_stands_in_the_book():
    page = (ROOT / "book" / "api" / "experiments.md").read_text("utf-8")
    named = set(re.findall(r"automodule:: (\S+)", page))
    found = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "lrlab" / "experiments").rglob("*.py")
        if not file.name.startswith("_")
    }
    assert found - named == set()
