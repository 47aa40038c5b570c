"""What the four documents state is in a table, and each sentence leads to claims of the log."""

import csv
import html
import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from entry_maker import write_entry

from lrlab.claims import About, Claim
from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.ledger import ledger as ledger_of
from lrlab.labbook.sentences import Sentence, loose_ends, papers, sentences, unsaid, untested
from lrlab.labbook.site import _actions, _verdicts, site
from lrlab.labbook.site import _ledger_table as ledger_table
from lrlab.labbook.site import _pages as pages

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"azmimr2022", "diffusion2025", "juliusm2026", "mtdickens2024"}


def table(folder: Path, text: str) -> list[Sentence]:
    (folder / "book").mkdir(exist_ok=True)
    (folder / "book" / "sentences.toml").write_text(text)
    return sentences(folder)


def test_each_document_has_its_sentences_and_each_sentence_its_claims():
    found = sentences(ROOT)
    assert {sentence.source for sentence in found} == DOCUMENTS
    assert len({sentence.says for sentence in found}) == len(found)


def test_table_and_ledger_leave_nothing_out():
    assert loose_ends(sentences(ROOT), ledger_of(ROOT), papers(ROOT)) == []


def test_each_claim_about_a_source_says_how_near_it_is_and_what_of_the_source_is_lost():
    assert unsaid(ledger_of(ROOT)) == []


def test_a_claim_without_setting_or_loss_has_those_of_its_sentence(tmp_path):
    analogue = {"source": "a", "about": About(like="analogue")}
    made = [
        Claim.exact("bare", "x", holds=True, source="a"),
        Claim.exact("own", "x", holds=True, source="a", about=About(like="same", lost="its data")),
        Claim.exact("seen", "x", holds=True, **analogue),
        Claim.exact("others", "x", holds=True, source="b"),
        Claim.exact("ours", "x", holds=True),
    ]
    write_entry(tmp_path, claims=made)
    (tmp_path / "book").mkdir(exist_ok=True)
    row = '{says = "x", claims = ["demo.*"], lost = "its range", like = "analogue"}'
    (tmp_path / "book" / "papers.toml").write_text(f"a = [{row}]")
    ledger = ledger_of(tmp_path)
    found = {
        r.claim.slug: (r.claim.verdict, r.claim.about.like, r.claim.about.lost) for r in ledger
    }
    assert found == {
        "bare": ("seen here", "analogue", "its range"),
        "own": ("supported", "same", "its data"),
        "seen": ("seen here", "analogue", "its range"),
        "others": ("supported", None, ""),
        "ours": ("supported", None, ""),
    }
    assert unsaid(ledger) == [
        "demo.others, about b, does not say whether its setting is the source's own",
        "demo.others, about b, does not say what of the source is lost",
    ]


def test_what_is_lost_stands_on_the_card_in_the_ledger_and_in_its_files(tmp_path):
    write_entry(tmp_path, claims=[Claim.exact("x", "x", holds=True, source="a")])
    table(tmp_path, 'a = [{says = "x", claims = ["demo.x"], lost = "its <i>", like = "same"}]')
    log = site.Site(tmp_path)
    [row] = log.ledger
    header, line = csv.reader(_actions.ledger(log.ledger).splitlines())
    assert (
        dict(zip(header, line, strict=True)).items()
        >= {"setting": "same", "lost": "its <i>"}.items()
    )
    assert "a, in its own setting; lost or other: its &lt;i&gt;" in _verdicts.rest(
        [row.claim], "page"
    )
    page = json.loads(pages.decorate(log.log[0].path.read_text(), log.log[0], log))
    outputs = [output for cell in page["cells"] for output in cell.get("outputs", [])]
    shown = html.unescape("".join(str(output["data"].get("text/html")) for output in outputs))
    assert "missing here, or other than in the source: its <i>" in shown


def test_a_pattern_that_fits_no_claim_and_a_claim_that_no_sentence_names_are_found(tmp_path):
    made = [
        Claim.exact("falls", "It falls", holds=True, source="a"),
        Claim.exact("rises", "It rises", holds=True, source="a"),
        Claim.exact("other", "Another's", holds=True, source="b"),
    ]
    write_entry(tmp_path, claims=made)
    ledger = ledger_of(tmp_path)
    falls = Sentence("a", "It falls.", ("demo.fal*",))
    assert [row.claim.id for row in falls.rows(ledger)] == ["demo.falls"]
    assert loose_ends([falls, Sentence("a", "It stays.", ("demo.stays",))], ledger) == [
        "no claim fits 'demo.stays' (a: It stays.)",
        "demo.rises tests a statement of a that the table does not have",
    ]


@pytest.mark.parametrize(
    "row",
    [
        '{says = "It falls.", lost = "x"}',
        '{says = "It falls.", lost = "x", claims = []}',
        '{says = "It falls.", claims = ["demo.x"]}',
        '{says = "It falls.", lost = "", claims = ["demo.x"]}',
    ],
)
def test_a_sentence_without_claims_or_without_what_is_lost_is_refused(tmp_path, row):
    with pytest.raises(ValueError, match="a row of a needs says, lost and claims"):
        table(tmp_path, f"a = [{row}]")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a = [", "book/papers.toml can't be read: "),
        ("a = 3", "a row of a needs says, lost and claims"),
        ('a = [{says = "x", lost = "y", claims = "demo.x"}]', "a row of a has what is no text"),
        ('a = [{says = "x", lost = 3, claims = ["demo.x"]}]', "a row of a has what is no text"),
        ('a = [{says = "x", lost = "y", claims = ["demo.x"], like = "it"}]', "neither same nor"),
    ],
)
def test_a_table_that_makes_no_sense_is_one_sentence(tmp_path, text, what):
    write_entry(tmp_path)
    (tmp_path / "book" / "papers.toml").write_text(text)
    with pytest.raises(BadInput, match=what) as raised:
        ledger_of(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_sentence_that_nothing_tests_reads_open_with_its_reason(tmp_path):
    row = '{says = "It falls.", open = "the formula is lost", lost = "the formula"}'
    table(tmp_path, f"a = [{row}]")
    [sentence] = sentences(tmp_path)
    assert (sentence.claims, sentence.open, sentence.lost) == (
        (),
        "the formula is lost",
        "the formula",
    )
    assert loose_ends([sentence], []) == []
    both = '{says = "It falls.", claims = ["demo.x"], lost = "x", open = "why"}'
    with pytest.raises(ValueError, match="needs says, lost and claims"):
        table(tmp_path, f"a = [{both}]")
        sentences(tmp_path)


def test_a_sentence_with_measurements_alone_is_open(tmp_path):
    made = [
        Claim.descriptive("share", "Sweeps of which it is true", values=[0.1, 0.3], source="a"),
        Claim.exact("falls", "It falls", holds=True, source="a"),
    ]
    write_entry(tmp_path, claims=made)
    share, falls = (Sentence("a", "x", (f"demo.{slug}",)) for slug in ("share", "falls"))
    ledger = ledger_of(tmp_path)
    assert untested(share.rows(ledger)) and not untested(falls.rows(ledger))
    both = Sentence("a", "x", ("demo.share", "demo.falls"))
    assert not untested(both.rows(ledger))


def test_a_laboratory_without_the_table_has_no_sentences(tmp_path):
    assert sentences(tmp_path) == []


def test_published_results_are_those_of_others(tmp_path):
    made = [
        Claim.exact("theirs", "x", holds=True, source="them", published=0.62),
        Claim.exact("seed", "x", holds=True, source="a", published=0.5),
        Claim.exact("no-number", "x", holds=True, source="them"),
        Claim.exact("ours", "x", holds=True, published=0.5),
        Claim.descriptive("beside", "x", values=[0.6], source="them", published=0.62),
    ]
    write_entry(tmp_path, claims=made)
    table(tmp_path, 'a = [{says = "x", claims = ["demo.seed"], lost = "x"}]')
    found = ledger_table.published(site.Site(tmp_path))
    assert [row.claim.id for row in found] == ["demo.theirs"]


def test_at_least_twelve_published_results_by_others_have_their_claims():
    found = ledger_table.published(site.Site(ROOT))
    assert len({row.claim.source for row in found}) >= 12


def page(book, name: str) -> BeautifulSoup:
    return BeautifulSoup((book.html / "book" / f"{name}.html").read_bytes(), "lxml")


def test_the_page_of_sentences_shows_each_with_links_to_its_claims(book):
    ledger = ledger_of(book.root)
    rows = page(book, "sentences").select("table.lrlab-sentences tbody tr")
    expected = sentences(book.root)
    assert len(rows) == len(expected)
    for row, sentence in zip(rows, sorted(expected, key=_order), strict=True):
        shown = {link.get_text() for link in row.select("a")}
        assert {r.claim.id for r in sentence.rows(ledger)} == shown


def _order(sentence: Sentence) -> int:
    return ["azmimr2022", "diffusion2025", "mtdickens2024", "juliusm2026"].index(sentence.source)


def test_the_page_of_published_results_has_a_row_for_each(book):
    rows = page(book, "calibration").select("table.lrlab-ledger tbody tr")
    expected = [row.claim for row in ledger_table.published(site.Site(book.root))]
    assert len(rows) == len(expected)
    for row, claim in zip(rows, expected, strict=True):
        assert claim.id in row.get_text() and claim.verdict in row.get_text()
