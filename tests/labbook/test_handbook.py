"""The handbook's pages: complete, drawn from the schedules, their code doing what it says."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lrlab import schedules
from lrlab.labbook.site.handbook import _directives as directives
from lrlab.labbook.site.handbook import _drawing as drawing
from lrlab.labbook.site.handbook import _examples as examples
from lrlab.labbook.site.handbook import _mistakes as mistakes
from lrlab.labbook.site.handbook import _peers as peers

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "book/handbook"
PEERS = peers.read(ROOT)
KINDS = [n for n in schedules.__all__ if n not in ("Schedule", "as_torch", "from_dict")]
TORCH_FORMS = [form for form in PEERS["form"] if "torch" in form]


@pytest.mark.parametrize("name", KINDS)
def test_every_schedule_has_a_page_with_formula_pictures_code_and_source(name):
    text = (PAGES / f"{directives.page(name)}.md").read_text()
    assert text.startswith(f"# {name}\n")
    for directive in ("schedule", "schedule-elsewhere"):
        assert f"```{{{directive}}} {name}\n" in text
    assert ("schedule-pictures" in text) == bool(examples.VARIED[name])
    assert "## When it is used" in text and "## Where it comes from" in text
    assert "{cite:" in text or name == "Join"  # composition was nobody's invention
    assert "\\eta" in directives.formula(name)


@pytest.mark.parametrize("name", KINDS)
def test_every_option_is_varied_in_a_picture(name):
    base = examples.EXAMPLES[name]
    options = {field.name for field in dataclasses.fields(base)} - {"peak_lr", "steps"}
    assert set(examples.VARIED[name]) == options
    for panel in examples.panels(name)[1:]:
        curves = [curve(np.arange(panel.stop)) for curve in panel.curves.values()]
        assert len(curves) > 1
        for a, b in pairwise(curves):
            assert not np.allclose(a, b), panel.title


@pytest.mark.parametrize("name", KINDS)
def test_pictures_are_the_same_at_every_build_and_described_in_words(name):
    for panel in examples.panels(name):
        html = drawing.figure(panel)
        assert html == drawing.figure(panel)
        assert 'role="img" aria-label="' in html and "nan" not in html and "inf" not in html
        assert all(label.replace("`", "") in drawing.alt(panel) for label in panel.curves)


def test_a_thinned_curve_is_nowhere_farther_off_than_it_may_be():
    x = np.linspace(0, 300, 1001)
    y = 80 + 70 * np.sin(x / 20)
    points = np.array([p.split() for p in drawing._thin(x, y, 0.05)[1:].split("L")], dtype=float)
    assert len(points) < 500
    # A tenth of a pixel more for the digits that are kept.
    assert np.abs(np.interp(x, *points.T) - y).max() < 0.05 * np.hypot(1, 3.5) + 0.1 * 4.5


@pytest.mark.parametrize("form", TORCH_FORMS, ids=lambda form: form["id"])
@pytest.mark.filterwarnings("ignore:Detected call of", "ignore:The epoch parameter")
def test_the_code_for_torch_that_is_shown_gives_the_rates_of_ours(form):
    ours = eval(peers.fill(form["ours"]), vars(schedules).copy())
    model = torch.nn.Linear(1, 1)
    made = {"model": model}
    exec(peers.code(PEERS["libraries"]["torch"], form["torch"]["code"]), made)
    rates = []
    for _ in range(min(ours.horizon or 400, 400)):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["scheduler"].step()
    np.testing.assert_allclose(rates, ours(range(len(rates))), rtol=0, atol=1e-13)


@pytest.mark.parametrize("form", PEERS["form"], ids=lambda form: form["id"])
def test_code_that_is_shown_is_python_and_fits_the_page(form):
    for key in PEERS["libraries"]:
        if key in form:
            text = peers.code(PEERS["libraries"][key], form[key]["code"])
            compile(text, form["id"], "exec")
            assert max(map(len, text.splitlines())) <= 100


def test_every_schedule_says_what_other_libraries_call_it():
    for name in KINDS:
        called = peers.names(PEERS, name)
        shown = "\n".join(peers.markdown(PEERS, name))
        assert called and all(n in shown for found in called.values() for n in found)
        missing = {lib["title"] for lib in PEERS["libraries"].values()} - called.keys()
        assert ("no such schedule" in shown) == bool(missing)


def test_the_parity_tables_hold_every_pair_of_form_and_library():
    pairs = [(f["id"], key) for f in PEERS["form"] for key in PEERS["libraries"] if key in f]
    rows = peers.parity_by_form(ROOT)[2:]
    titles = {key: library["title"] for key, library in PEERS["libraries"].items()}
    assert [tuple(r.split(" | ")[:2]) for r in rows] == [(f"| `{f}`", titles[k]) for f, k in pairs]
    schedules_compared = {form["schedule"] for form in PEERS["form"]}
    assert sum(row.startswith("| `") for row in peers.parity(ROOT)) == len(schedules_compared)


def test_formulas_that_are_called_wrong_are_wrong_and_their_neighbours_right():
    rising = mistakes.MISTAKES["LinearDecayToZero"]
    steps = np.arange(1001)
    assert np.all(np.diff(rising.curve(steps)) > 0) and np.all(np.diff(rising.right(steps)) < 0)
    infinite = mistakes.MISTAKES["InverseSqrt"]
    assert np.isinf(infinite.curve(steps)[0]) and infinite.right(0) == 1
    for name in mistakes.MISTAKES:
        assert f"wrong-and-right}} {name}" in (PAGES / f"{directives.page(name)}.md").read_text()
