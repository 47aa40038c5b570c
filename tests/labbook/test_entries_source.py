import pytest
from tiny_lab import SOURCE

from lrlab.labbook.entries import BadInput, read
from lrlab.labbook.entries._assemble import assemble, command, slug
from lrlab.labbook.entries._source import Parameter
from lrlab.labbook.entries.values import Type


def test_parameters_are_read_without_being_executed(tiny):
    source = read(tiny, "tiny")
    assert list(source.parameters) == ["n", "rate", "label", "fails", "seconds"]
    assert source.parameters["rate"] == Parameter(
        "rate", Type("float"), 0.5, "size of a part", "1/step"
    )
    assert source.parameters["label"].unit == ""
    assert (source.parameters["n"].unit, source.parameters["n"].meaning) == ("parts", "in the sum")
    assert source.header["smoke"] == {"n": 5}


def test_what_was_asked_for_goes_before_the_size_and_the_size_before_the_defaults(tiny):
    source = read(tiny, "tiny")
    asked = source.ask([("rate", "0.25"), ("n", "6")], "smoke")
    assert asked == {"n": 6, "rate": 0.25}
    values = source.values("smoke", asked)
    assert (values["n"], values["rate"], values["fails"]) == (6, 0.25, False)


def test_asking_for_what_holds_anyway_changes_nothing(tiny):
    source = read(tiny, "tiny")
    assert source.ask([("rate", "5e-1"), ("n", "6")], "full") == {}
    assert source.ask([("n", "5")], "smoke") == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# ---\n# jupyter", "# jupyter", "must begin with a header"),
        ("title: Tiny", "title: a: b", "the header must be YAML"),
        ("  lrlab:", "  lab:", "the header must be YAML with a part jupyter: lrlab:"),
        ("# # Tiny", "# Tiny", "it needs a title"),
        ("## Prediction", "## Guess", "found Question, Setup, Guess, Result, Verdict"),
        ("n: int = 6", "n: int = (6", "was never closed"),
        ("title: Tiny", "name: Tiny", "header's lrlab part lacks title"),
        ("smoke: {n: 5}", "smoke: {m: 5}", "smoke size names an unknown parameter 'm'"),
        ("smoke: {n: 5}", "smoke: {n: many}", "must be int, got 'many'"),
        ('tags=["setup"]', 'tags=["set"]', "exactly one cell must be tagged setup, found 0"),
        ("title: Tiny", "title: T\n#     short_title: " + "t" * 41, "has at most 40 characters"),
        (
            "title: Tiny",
            "title: T\n#     predictions: {a: {proved: 1.0}}",
            "'proved' is no verdict",
        ),
        ("n: int = 6", "n = 6", "may hold only lines like"),
        ("n: int = 6", "n: int = 2 * 3", "parameter n: malformed node"),
        ("n: int = 6", "n: int = 6.5", "parameter n: must be int, got 6.5"),
        ("n: int = 6", "n: set = 6", "parameter n: the type set is not one"),
        ("  # [parts] in the sum", "", "parameter n needs a comment"),
    ],
)
def test_a_source_that_is_not_as_it_must_be_is_refused(tiny, old, new, message):
    assert old in SOURCE
    (tiny / "notebooks" / "tiny.py").write_text(SOURCE.replace(old, new, 1))
    with pytest.raises(BadInput, match=r"^notebooks/tiny\.py: .*") as caught:
        read(tiny, "tiny")
    assert message in str(caught.value)


def test_a_notebook_is_assembled_with_its_values_and_the_command_that_makes_it(tiny):
    source = read(tiny, "tiny")
    changed = {"label": "a 'b'", "rate": 0.25}
    notebook = assemble(source, "smoke", changed)
    [injected] = [c for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    scope = {}
    exec(injected.source, scope)
    assert {name: scope[name] for name in ("n", "rate", "label")} == {"n": 5, **changed}
    assert notebook.cells[0].source.startswith(
        "# Tiny: do the parts add up? (smoke size, label = a 'b', rate = 0.25)\n"
    )
    assert command("tiny", "smoke", changed) in notebook.cells[-1].source
    assert [cell["id"] for cell in notebook.cells] == [
        f"cell-{i:02d}" for i in range(len(notebook.cells))
    ]
    assert notebook == assemble(source, "smoke", changed)


def test_defaults_at_full_size_need_no_injected_cell(tiny):
    notebook = assemble(read(tiny, "tiny"), "full", {})
    assert not any("injected-parameters" in c.metadata.get("tags", []) for c in notebook.cells)


def test_names_of_entries_are_readable_and_distinct():
    assert slug("onecycle", "full", {}) == "onecycle"
    assert slug("onecycle", "smoke", {"peak_lr": 0.5}) == "onecycle-smoke-peak_lr-0.5"
    unsafe = [{"a": "x/y"}, {"a": "x_y"}, {"a": "x y"}, {"a": "x" * 200}, {"a": "x" * 201}]
    slugs = [slug("n", "full", changed) for changed in unsafe]
    assert len(set(slugs)) == len(slugs)
    assert all("/" not in name and len(name) < 100 for name in slugs)
    assert slug("n", "full", {"a": [1, 2]}) != slug("n", "full", {"a": [1], "b": 2})
