"""Entries, the handbook and the pages on the package lead to one another."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from entry_maker import write_entry
from sphinx.domains.python import ObjectEntry

from lrlab.labbook.site import _uses as uses
from lrlab.labbook.site import site as sites

CODE = """\
from lrlab import schedules
from lrlab.schedules import Join

schedules.OneCycle(1.0, steps=10)
"""


@pytest.fixture
def site(tmp_path) -> sites.Site:
    path = write_entry(tmp_path, title="A `title`")
    notebook = json.loads(path.read_bytes())
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell["source"] = CODE
    path.write_text(json.dumps(notebook))
    page = tmp_path / "book" / "handbook" / "one_cycle.md"
    page.parent.mkdir(parents=True)
    page.touch()
    return sites.Site(tmp_path)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import lrlab.schedules as s\ns.Cosine", {"lrlab.schedules", "lrlab.schedules.Cosine"}),
        ("from lrlab.schedules import Cosine as C\nC(1)", {"lrlab.schedules.Cosine"}),
        ("from numpy import schedules\nschedules.Cosine", set()),
        ("from lrlab.schedules import Cosine", set()),
    ],
)
def test_names_are_those_that_the_code_uses(code, found):
    assert uses.names(code) == found


def test_presets_are_followed_to_the_schedules_that_they_make():
    lineup = uses.names("from lrlab.schedules import presets\npresets.lineup(100)")
    assert {"lrlab.schedules.OneCycle", "lrlab.schedules.MultiStep"} <= lineup
    assert "lrlab.schedules.CosineRestarts" not in lineup
    restarts = uses.names("from lrlab.schedules.presets import restarts\nrestarts(100)")
    assert "lrlab.schedules.CosineRestarts" in restarts


def test_name_of_another_entry_in_italics_leads_to_it(tmp_path):
    write_entry(tmp_path, title="Restarts: do they help?")
    write_entry(tmp_path, notebook="other", title="Other")
    site = sites.Site(tmp_path)
    here = next(entry for entry in site.log if entry.record["notebook"] == "other")
    said = uses.entries_linked(
        "See *Restarts*, **Restarts**, *restarts*, *Other*, a*b*c.", here, site
    )
    link = "*{doc}`Restarts </book/log/2030-01-01-demo>`*"
    assert said == f"See {link}, **Restarts**, *restarts*, *Other*, a*b*c."


def test_entry_leads_to_the_handbook_where_it_has_a_page(site):
    [line] = uses.schedules_line(site.log[0], site)
    assert "{doc}`OneCycle </book/handbook/one_cycle>`" in line
    assert "Join" not in line


def test_handbook_lists_the_experiments_with_a_schedule(site):
    assert f"</{site.document(site.log[0])}>`" in uses.experiments(site, "OneCycle")
    assert uses.experiments(site, "Cosine") == "No experiment of the log uses it yet."


def test_handbook_names_first_what_is_about_the_schedule_and_folds_what_is_many(
    site, monkeypatch, tmp_path
):
    about = write_entry(tmp_path, notebook="about", title="Is one-cycle better?", date="2029-01-01")
    cells = json.loads(about.read_bytes())
    cells["cells"][1]["source"] = CODE
    about.write_text(json.dumps(cells))
    monkeypatch.setattr(uses, "MOST", 1)
    shown, _, folded = uses.experiments(sites.Site(tmp_path), "OneCycle").partition("\n\n")
    assert "2029-01-01-about" in shown and shown.count("{doc}") == 1
    assert folded.startswith(":::{dropdown} 1 more\n- {doc}`") and "2030-01-01-demo" in folded


def test_name_of_the_package_lists_its_users_in_restructuredtext(site):
    line = "\n".join(uses.examples(site, "lrlab.schedules.OneCycle"))
    assert f":doc:`A title </{site.document(site.log[0])}>`." in line
    assert uses.examples(site, "lrlab.schedules.Cosine") == []


def test_cells_of_other_commands_than_python_are_no_failure(site):
    path = Path(site.log[0].path)
    notebook = json.loads(path.read_bytes())
    notebook["cells"][-1] |= {"cell_type": "code", "source": "%%bash\nls", "outputs": []}
    path.write_text(json.dumps(notebook))
    uses._of_file.cache_clear()
    assert uses.of(site.log[0]) == frozenset()


def test_entry_leads_from_its_code_to_the_pages_on_the_package(site):
    page = nodes.document(None, None)
    code = nodes.section("", nodes.title(text="Code"), ids=["code"])
    page += code
    known = ObjectEntry("book/api/schedules", "lrlab.schedules.OneCycle", "class", False)
    other = ObjectEntry("book/api/schedules", "lrlab.schedules.Cosine", "class", False)
    objects = {entry.node_id: entry for entry in (known, other)}
    app = SimpleNamespace(
        lrlab_site=site,
        env=SimpleNamespace(domaindata={"py": {"objects": objects}}),
        builder=SimpleNamespace(get_relative_uri=lambda page, to: f"../../{to}.html"),
    )
    uses._link_package(app, page, site.document(site.log[0]))
    assert code[1].astext() == "From the package: OneCycle."
    [link] = code[1].findall(nodes.reference)
    assert link["refuri"] == "../../book/api/schedules.html#lrlab.schedules.OneCycle"
