"""What the build makes of recorded runs: the page of the loss explorer, its files, and links."""

import json
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import recorded_runs as made
from recorded_runs import FIRST, SECOND, markup, stored

from lrlab.labbook import recorded
from lrlab.labbook.site import _fresh as fresh
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import handbook
from lrlab.labbook.site import site as sites
from lrlab.labbook.site.handbook import _losses as losses

ROOT = Path(__file__).parents[2]
SCRIPTS = handbook.SCRIPTS[handbook.LOSSES]


@pytest.fixture
def root(tmp_path):
    return made.laboratory(tmp_path / "laboratory")


def test_a_damaged_entry_is_a_sentence_on_the_page_and_a_warning(root, monkeypatch):
    warned = []
    monkeypatch.setattr(losses._log, "warning", lambda text, **_: warned.append(text))
    data = stored(root, FIRST)
    data["schedules"][0]["peaks"][0]["runs"].pop()
    made.carrying(root, data, notebook="first")
    html = markup(root)
    sentence = f"The runs of {FIRST} are not shown: its recorded runs are damaged."
    assert warned == [sentence] and sentence.replace("'", "&#x27;") in html
    assert f'data-entry="{SECOND}"' in html and f'data-entry="{FIRST}"' not in html


def test_notebooks_that_will_bring_runs_are_named_until_they_have(root, tmp_path):
    folder = root / "notebooks"
    folder.mkdir()
    (folder / "first.py").write_text("recorded.show(runs)")
    (folder / "plain.py").write_text("train_many(plan)")
    assert "executed again" not in markup(root)
    (folder / "third.py").write_text("recorded.show(runs)")
    assert (
        "<p>More runs will stand here when these notebooks are executed again: third.</p>"
        in markup(root)
    )
    empty = tmp_path / "empty"
    (empty / "notebooks").mkdir(parents=True)
    (empty / "notebooks" / "third.py").write_text("recorded.show(runs)")
    sentence = "<p>Runs will stand here when these notebooks are executed again: third.</p>"
    assert markup(empty) == sentence


def test_the_page_is_read_again_when_another_notebook_records_its_runs(root):
    app = SimpleNamespace(lrlab_site=sites.Site(root))
    pages_found = {"found_docs": [handbook.LOSSES], "doc2path": lambda page: root / f"{page}.md"}
    env = SimpleNamespace(**pages_found)
    before = fresh.fingerprints(app, env)
    assert fresh.fingerprints(app, env) == before
    (root / "notebooks").mkdir()
    (root / "notebooks" / "third.py").write_text("recorded.show(runs)")
    assert fresh.fingerprints(app, env) != before


def test_a_title_is_text_and_nothing_else(root):
    data = stored(root, FIRST) | {"about": '<b>"it"</b>'}
    made.carrying(root, data, notebook="first", title="A <i>title</i>")
    html = markup(root)
    assert "<b>" not in html and "<i>" not in html and "&lt;b&gt;&quot;it&quot;" in html


def test_an_entry_leads_to_its_runs_and_shows_nothing_else_of_them(root):
    site = sites.Site(root)
    entry = next(e for e in site.log if e.name == FIRST)
    text = entry.path.read_text()
    page = pages.decorate(text, entry, site)
    cells = json.loads(page)["cells"]
    about = next(cell["source"] for cell in cells if cell["id"] == "lrlab-about")
    link = (
        f'<a href="../handbook/loss_explorer.html#entry={FIRST}">Move through 21 of these runs</a>'
    )
    assert link in about
    assert recorded.KEY not in page and "Recorded here." not in page
    (root / f"{handbook.LOSSES}.md").unlink()
    without = pages.decorate(text, entry, sites.Site(root))
    assert "Move through" not in without and recorded.KEY not in without


def test_the_file_of_an_entry_is_small_and_the_same_every_time(root):
    site = sites.Site(root)
    first, second = (losses.carrying(site)[0][0] for _ in range(2))
    assert losses.script(*first) == losses.script(*second)
    assert len(losses.script(*first)) < 21 * recorded.POINTS * 7 + 3000


def test_what_the_log_carries_is_whole_and_within_its_limit():
    found, damages = losses.carrying(sites.Site(ROOT))
    assert found and not damages
    for entry, data in found:
        assert len(losses.script(entry, data).encode()) < recorded.MOST, entry.name


def test_the_notebooks_that_record_runs_do_so_in_their_last_cell():
    texts = {path.stem: path.read_text() for path in (ROOT / "notebooks").glob("*.py")}
    recording = {name for name, text in texts.items() if "recorded.show(" in text}
    assert len(recording) == 3
    for name in recording:
        *_, last = re.split(r"^# %%", texts[name], flags=re.MULTILINE)
        assert "recorded.show(" in last and 'tags=["nbval-ignore-output"]' in last, name


def test_both_explorers_share_their_scripts():
    shared = set(SCRIPTS) & set(handbook.SCRIPTS[handbook.EXPLORER])
    assert shared == {"schedules.js", "controls.js", "chart.js"}
    for names in handbook.SCRIPTS.values():
        assert all((handbook.FILES / name).is_file() for name in names)
        assert all(a != b for a, b in pairwise(names))
