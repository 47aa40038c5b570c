"""Cards of entries, their small pictures, and the sources' stories."""

import io
import json
import re
from types import SimpleNamespace

import pytest
from entry_maker import write_entry
from PIL import Image

from lrlab.labbook.site import _findings as findings
from lrlab.labbook.site import _gallery as gallery
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import _pictures as pictures
from lrlab.labbook.site import _story as story
from lrlab.labbook.site import site

SENTENCES = """
smith2017cyclical = [
  { part = "one", says = "It falls <b>fast</b>.", claims = ["demo.*"], lost = "the formula" },
  { part = "two", says = "It rises.", open = "nobody asked", lost = "nothing" },
]
"""


@pytest.fixture
def log(tmp_path):
    retold(write_entry(tmp_path), lambda notebook: asks(notebook, "smith2017cyclical"))
    (tmp_path / "book" / "sentences.toml").write_text(SENTENCES)
    return site.Site(tmp_path)


def asks(notebook, *sources) -> None:
    """Let the question of an entry cite these."""
    notebook["cells"][0]["source"] += f" {{cite}}`{', '.join(sources)}`"


def retold(path, change) -> None:
    notebook = json.loads(path.read_bytes())
    change(notebook)
    path.write_text(json.dumps(notebook))


def test_a_card_has_picture_question_verdicts_and_tags(log):
    text = gallery.cards(log, ["demo"])
    assert ":img-top: /book/live/pictures/2030-01-01-demo.webp\n:img-alt: A line." in text
    assert ":link: /book/log/2030-01-01-demo" in text
    assert "Does the rate fall?" in text
    assert "2030-01-01 · 2 supported · 1 different · 1 inconclusive" in text


def test_a_card_shows_the_answer_where_there_is_one_and_the_short_title(tmp_path):
    path = write_entry(tmp_path)

    def change(notebook):
        notebook["metadata"]["lrlab"]["short_title"] = "Falling"
        answer = {"text": "It **falls** by 3.5 % [2, 5] at `lr`. Use it.", "claims": []}
        notebook["cells"][3]["outputs"][0]["metadata"]["lrlab_answer"] = answer

    retold(path, change)
    text = gallery.card(site.Site(tmp_path), site.Site(tmp_path).log[0])
    assert text.startswith(":::{grid-item-card} Falling\n")
    assert "\nIt falls by 3.5 % [2, 5] at lr.\n" in text


def test_a_card_can_be_chosen_by_what_it_is_about_and_by_whose_statements_it_tests(log):
    [names] = re.findall(":class-item: (.*)", gallery.card(log, log.log[0]))
    keys = {claim["source"] for claim in log.log[0].claims() if claim["source"]}
    assert keys == {"smith2017cyclical"}
    assert {name for name in names.split() if "-source-" in name} == {
        "lrlab-source-smith-2017-cyclical"
    }
    assert "lrlab-entry" in names.split()


def test_a_notebook_without_an_entry_is_named(log):
    with pytest.raises(ValueError, match="no entry of 'other' counts"):
        gallery.cards(log, ["demo", "other"])


def test_small_pictures_are_made_once_for_each_state_of_an_entry(log):
    app = SimpleNamespace(lrlab_site=log)
    pictures._write(app, None)
    file = log.root / pictures.picture(log.log[0])
    with Image.open(io.BytesIO(pictures.headline(log.log[0]).png)) as whole:
        smaller = tuple(round(side * pictures.SCALE) for side in whole.size)
    with Image.open(io.BytesIO(file.read_bytes())) as picture:
        assert picture.format == "WEBP" and picture.size == smaller
    made = file.stat().st_mtime_ns
    pictures._write(app, None)
    assert file.stat().st_mtime_ns == made
    file.with_suffix(".sha256").write_text("another")
    file.write_bytes(b"")
    pictures._write(app, None)
    assert file.stat().st_size


def test_a_story_has_each_sentence_of_its_part_its_claims_and_one_picture(log):
    one = story.told(log, "smith2017cyclical", "one")
    assert "It falls &#60;b&#62;fast&#60;/b&#62;." in one and "It rises" not in one
    assert "Not known of the source: the formula." in one
    assert one.count("{claim}`demo.") == len(log.log[0].claims())
    assert one.count(":::{figure} /book/live/pictures/2030-01-01-demo.webp") == 1
    assert "*Open*: nobody asked." in story.told(log, "smith2017cyclical", "two")
    with pytest.raises(ValueError, match="none of 'smith2017cyclical' 'three"):
        story.told(log, "smith2017cyclical", "three")


def test_a_story_folds_measurements_where_they_are_many(log, monkeypatch):
    measured = sum(row.claim.kind == "descriptive" for row in log.ledger)
    whole = story.told(log, "smith2017cyclical", "one")
    assert measured and "measurements beside them" not in whole
    monkeypatch.setattr(story, "FEW", measured - 1)
    before, _, after = story.told(log, "smith2017cyclical", "one").partition(":::{dropdown}")
    assert after.startswith(f" {measured} measurements beside them\n")
    assert after.split(":::")[0].count("{claim}`") == measured
    assert before.count("{claim}`") == len(log.ledger) - measured


def test_a_story_shows_a_figure_once_a_page(log):
    seen: set[str] = set()
    first, again = (story.told(log, "smith2017cyclical", "one", seen) for _ in range(2))
    assert ":::{figure}" in first and ":::{figure}" not in again


@pytest.mark.parametrize(
    ("cited", "shown"),
    [
        ((), False),
        (("azmimr2022",), False),
        (("smith2017cyclical", "azmimr2022"), False),
        (("smith2017cyclical",), True),
        (("smith2017cyclical", "adam2015"), True),  # which has no story
    ],
)
def test_a_figure_stands_beside_a_sentence_only_where_its_entry_asks_about_that_document_alone(
    tmp_path, cited, shown
):
    retold(write_entry(tmp_path), lambda notebook: cited and asks(notebook, *cited))
    other = 'azmimr2022 = [{ says = "It stays.", open = "nobody asked", lost = "nothing" }]'
    (tmp_path / "book" / "sentences.toml").write_text(SENTENCES + other)
    text = story.told(site.Site(tmp_path), "smith2017cyclical", "one")
    assert (":::{figure}" in text) == shown
    assert "Tested in {doc}`A demonstration </book/log/2030-01-01-demo>`" in text


def test_each_sentence_of_a_caption_begins_with_a_capital_on_an_entrys_page_and_in_pictures(
    tmp_path,
):
    path = write_entry(tmp_path)

    def change(notebook):
        figure = notebook["cells"][3]["metadata"]["mystnb"]["figure"]
        figure["caption"] = "A line, e.g. of tests vs. updates. none of 3 runs diverged. n = 3."

    retold(path, change)
    log = site.Site(tmp_path)
    said = "A line, e.g. of tests vs. updates. None of 3 runs diverged. n = 3."
    assert pictures.headline(log.log[0]).caption == said
    assert said in pages.decorate(path.read_text(), log.log[0], log)


def test_a_finding_stands_beside_the_picture_of_its_entry_and_leads_to_it(log):
    text = findings.finding(log, "demo", "It falls {claim}`supported:demo.falls`.")
    assert (
        "[![A line.](/book/live/pictures/2030-01-01-demo.webp)](/book/log/2030-01-01-demo)" in text
    )
    assert "It falls {claim}`supported:demo.falls`. In {doc}`" in text
    with pytest.raises(ValueError, match="no entry of 'other' counts"):
        findings.finding(log, "other", "It rises.")
