"""The book builds without a warning, and says what the log says."""

import csv
import json
import re
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import lxml.html
import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from built_book import NEW, OLD, OTHER, ROOT, TODAY, WHAT_IF
from jupyter_book.config import PATH_YAML_DEFAULT

from lrlab.claims import rules
from lrlab.labbook import entries
from lrlab.labbook.ledger import ledger as ledger_of
from lrlab.labbook.phrases import plain
from lrlab.labbook.site import site as sites

LOADED = "//script/@src | //img/@src | //iframe/@src | //link[@rel='stylesheet']/@href"
ATOM = "{http://www.w3.org/2005/Atom}"


@lru_cache(2)  # each is a hundred thousand objects, through which garbage would be looked for
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_bytes(), "lxml")


@cache
def tree(path: Path) -> lxml.html.HtmlElement:
    """What is asked of every page is asked in XPath: quick, and no object for each element."""
    return lxml.html.parse(path).getroot()


@pytest.fixture(scope="module", autouse=True)
def forgotten():
    yield
    for known in (parsed, tree, ids):
        known.cache_clear()


@cache
def ids(path: Path) -> set[str]:
    return set(tree(path).xpath("//@id"))


def words(element: Tag) -> str:
    return straight(element.get_text())


def without(text: str) -> str:
    """Without the separators that a page sets into large numbers."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)


def straight(text: str) -> str:
    """With single spaces and straight quotes, and without what only keeps a line from ending."""
    return re.sub(r"\s+", " ", text).translate(str.maketrans("’“”", '\'""', "\u2060"))


def entry_page(book, name: str) -> BeautifulSoup:
    return parsed(book.html / "book" / "log" / f"{name}.html")


def test_book_builds_without_a_warning(book):
    troubles = [line for line in book.log.splitlines() if re.search(r"WARNING|ERROR", line)]
    assert not troubles
    assert book.code == 0, book.log[-3000:]


def test_build_writes_only_where_git_does_not_look(book):
    assert book.untouched


def test_settings_hold_no_key_that_jupyter_book_does_not_know():
    default = yaml.safe_load(PATH_YAML_DEFAULT.read_text("utf-8"))
    ours = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    read_without_a_default = {"bibtex_bibfiles"}
    assert ours.keys() <= default.keys() | read_without_a_default
    for section, settings in ours.items():
        if isinstance(settings, dict):
            assert settings.keys() <= default[section].keys(), section


def test_no_entry_stores_an_error():
    for entry in entries.log(ROOT):
        for cell in entry.notebook().cells:
            kinds = {output.output_type for output in cell.get("outputs", [])}
            assert "error" not in kinds, entry.name


def test_log_lists_every_entry_newest_first(book):
    page = parsed(book.html / "book" / "log" / "index.html")
    section = page.select("section#all-entries-newest-first")[0]
    listed = [Path(link["href"]).stem for link in section.select("li a")]
    dates = [name[:10] for name in listed]
    assert set(listed) == {entry.name for entry in entries.log(book.root)}
    assert dates == sorted(dates, reverse=True)


def test_log_has_every_notebook_under_one_subject(book):
    text = (ROOT / "book" / "log" / "index.md").read_text("utf-8")
    named = " ".join(re.findall(r"^```{entries-of}\n(.*?)^```", text, re.M | re.S)).split()
    assert sorted(named) == sorted({entry.record["notebook"] for entry in entries.log(ROOT)})
    page = parsed(book.html / "book" / "log" / "index.html")
    shown = {Path(link["href"]).stem for link in page.select("section#by-subject a")}
    assert {row.entry for row in ledger_of(ROOT)} <= shown


def test_feed_has_every_entry(book):
    feed = ElementTree.parse(book.html / "book" / "log" / "atom.xml")
    links = [link.get("href") for link in feed.iterfind(f"{ATOM}entry/{ATOM}link")]
    assert links == [f"{entry.name}.html" for entry in reversed(entries.log(book.root))]
    for link in links:
        assert (book.html / "book" / "log" / link).is_file()


def test_every_entry_ends_with_its_record(book):
    for entry in entries.log(book.root):
        page = tree(book.html / "book" / "log" / f"{entry.name}.html")
        [record] = page.xpath("//section[@id='record']")
        text = straight(record.text_content())
        assert f"book/log/{entry.name}.html" in text
        assert f"Entry {entry.name} of {entry.record['date']}" in text
        assert entry.record["command"] in text
        assert entry.record["entry_sha256"] in text
        assert entry.record["hardware"]["cpu"] in text
        files = record.xpath(".//a[contains(concat(' ', @class, ' '), ' download ')]/@href")
        kept = (
            book.html / "book" / "log" / next(f for f in files if f.endswith(".json"))
        ).resolve()
        assert json.loads(kept.read_text()) == entry.record


def test_superseded_entries_and_their_successors_say_so(book):
    old, new = words(entry_page(book, OLD)), words(entry_page(book, NEW))
    assert f"Superseded Read A demonstration of {TODAY} instead." in old
    assert f"takes the place of {OLD}. Why: Its test set was too small." in new
    assert "Supersede" not in words(entry_page(book, OTHER).select("article")[0])


def test_what_if_is_shown_and_does_not_count(book):
    assert "a what-if with peak_lr = 0.5" in words(entry_page(book, WHAT_IF))
    assert WHAT_IF not in {row.entry for row in ledger_of(book.root)}


def test_ledger_has_a_row_for_each_claim_that_leads_to_its_card(book):
    page = parsed(book.html / "book" / "claims.html")
    rows = {row.a["title"]: row for row in page.select("div.lrlab-ledger tr[data-verdict]")}
    expected = ledger_of(book.root)
    assert len(rows) == len(expected)
    for claim in expected:
        row = rows[claim.claim.id]
        text = without(words(row))
        # A share's bound may follow; a page sets 1024 as 1,024.
        assert without(plain(claim.claim.statement)).rstrip(".") in text
        assert claim.claim.kind == "descriptive" or claim.claim.verdict in text
        file, _, anchor = row.a["href"].partition("#")
        assert anchor in ids((book.html / "book" / file).resolve())


def test_ledger_can_be_taken_away_as_csv_and_json(book):
    page = parsed(book.html / "book" / "claims.html")
    [table, values] = [
        book.html / "book" / a["href"] for a in page.select('a[href^="../files/claims"]')
    ]
    expected = ledger_of(book.root)
    with table.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["id"] for row in found] == [row.claim.id for row in expected]
    assert [row["verdict"] for row in found] == [row.claim.verdict for row in expected]
    stored = json.loads(values.read_text())
    assert [claim["data"] for claim in stored] == [row.claim.data for row in expected]


def test_the_usable_range_has_its_page_with_the_figure(book):
    page = parsed(book.html / "book" / "usable_range.html")
    answer = words(page.select(".lrlab-answer")[0])
    assert answer.strip() == "Usable learning rates: 0.00245 to 0.346"
    low, high = (words(row).strip() for row in page.select("article tbody tr"))
    assert low == "Lower end 0.00245 [0.000186, 0.0322]" and high.startswith("Upper end 0.346 [")
    figure = page.select("figure img")[0]
    assert figure.get("alt")


def test_front_page_has_counts_of_the_entries_that_count_and_the_newest(book):
    page = parsed(book.html / "book" / "intro.html")
    counts = [words(item).strip() for item in page.select("ul.lrlab-counts li")]
    claims = [row.claim for row in ledger_of(book.root)]
    found = [claim.verdict for claim in claims if claim.kind in rules.TESTED]
    checks = sum(claim.kind == "exact" for claim in claims)
    assert f"{found.count('supported')} supported" in counts
    assert f"{found.count('contradicted')} contradicted" in counts
    assert f"{checks} checks of formulas and libraries" in counts
    newest = words(page.select("section#newest-entries")[0])
    assert newest.index("Another page") < newest.index("A demonstration (superseded)")


def test_every_figure_says_what_it_shows(book):
    for path in book.pages():
        for image in tree(path).iterfind(".//article//img"):
            alt = image.get("alt") or ""
            assert alt.strip() and not alt.endswith((".png", ".svg")), path


def test_pages_load_nothing_from_elsewhere(book):
    for path in book.pages():
        for address in tree(path).xpath(LOADED):
            assert not urlsplit(address).netloc, f"{path}: {address}"


def test_no_page_shows_a_path_of_this_machine(book):
    paths = re.compile("|".join(re.escape(str(p)) for p in (ROOT, book.root)))
    shown = {p.name: paths.findall(p.read_text()) for p in book.pages()}
    assert not {name: found for name, found in shown.items() if found}


def test_every_link_inside_the_book_leads_somewhere(book):
    dead = []
    for path in book.pages():
        for link in tree(path).xpath("//article//a/@href | //nav//a/@href"):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment) if target.suffix == ".html" else ""
            anchor = "" if "=" in anchor else anchor  # settings that a script reads
            if not target.exists() or (anchor and anchor not in ids(target)):
                dead.append(f"{path.name}: {link}")
    assert not dead


def test_the_sidebar_lists_subjects_and_the_entries_of_the_open_one_only(book):
    front = parsed(book.html / "book" / "intro.html").select("nav.bd-links a")
    assert not [link for link in front if "/2" in link["href"]]
    assert {"claims.html", "log/index.html", "references.html"} <= {a["href"] for a in front}
    log = book.html / "book" / "log"
    name, range_test, tuning = (
        max(path.name for path in log.glob(f"2*-{notebook}.html"))
        for notebook in ("onecycle", "range_test", "tune_diffusion")
    )
    page = parsed(log / name)
    entries = [a["href"] for a in page.select("nav.bd-links .toctree-l3 a")]
    assert range_test in entries
    assert tuning not in entries
    subject = parsed(log / "index.html").find("section", id="looking-for-a-rate")
    listed = [a["href"] for a in subject.select(".lrlab-entry a")]
    here = listed.index(name)
    assert page.select("a.left-prev")[0]["href"] == listed[here - 1]
    assert page.select("a.right-next")[0]["href"] == listed[here + 1]


def test_sidebar_and_ways_on_name_entries_by_titles_that_are_short(book):
    short = {entry.name: sites.short_title(entry) for entry in entries.log(book.root)}
    for name in short:
        page = entry_page(book, name)
        links = page.select("nav.bd-links .toctree-l3 a")
        links += page.select("a.left-prev, a.right-next")
        for link in links:
            if (other := Path(link["href"]).stem) in short:
                said = link.select_one("p.prev-next-title") or link
                assert straight(said.get_text()).strip() == straight(short[other])
                assert len(short[other]) <= 40, other


def test_pages_load_only_what_they_need(book):
    for path in book.pages():
        page = tree(path)
        if page.xpath("//meta[@http-equiv='Refresh']"):
            continue
        scripts = " ".join(page.xpath("//script/@src"))
        assert len(page.xpath("//meta[@name='viewport']")) == 1, path
        assert page.findtext(".//title") != "The LR lab — The LR lab"
        assert ("searchindex" in scripts) == (path == book.html / "search.html"), path
        assert "fontawesome" not in scripts
        loaded = {(path.parent / file.split("?")[0]).resolve() for file in page.xpath(LOADED)}
        total = sum(file.stat().st_size for file in loaded if file.is_file())
        most = 500_000 if path.name == "intro.html" else 1_500_000
        assert total + path.stat().st_size < most, path


def test_every_icon_is_drawn(book):
    drawn = (book.html / "_static" / "icons.js").read_text()
    sizes = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-fw"}
    found = {
        (icon, path)
        for path in book.pages()
        for icon in tree(path).xpath("//i[contains(@class, 'fa-')]/@class")
    }
    assert found
    for icon, path in found:
        names = {name for name in icon.split() if name.startswith("fa-")} - sizes
        assert names and all(re.search(rf"\W{n[3:]}\W*: \[", drawn) for n in names), (path, names)


def test_generated_page_has_a_placeholder(book):
    page = parsed(book.html / "book" / "live" / "reproduced_here.html")
    assert "make book" in words(page)


def test_formulas_are_set_without_a_script(book):
    formulas = [path for path in book.pages() if tree(path).xpath("//article//math")]
    assert len(formulas) > 10
    assert not list(book.html.rglob("*tex-mml*"))


def test_before_its_first_paint_a_page_waits_for_few_and_small_files(book):
    """Style sheets, and scripts of the head that are not put off; benchmarks/first_paint.py."""
    waits = "//link[@rel='stylesheet']/@href | //head//script[not(@defer or @async)]/@src"
    for path in (book.html / "book").rglob("*.html"):
        files = {path.parent / name.split("?")[0] for name in tree(path).xpath(waits)}
        assert len(files) <= 24, path
        assert sum(file.stat().st_size for file in files) < 350_000, path


def test_site_has_the_weight_that_it_may_have(book):
    size = sum(path.stat().st_size for path in book.html.rglob("*") if path.is_file())
    assert size < 40_000_000
    assert not list(book.html.rglob("*.map"))


def test_every_page_of_the_book_is_described_and_has_an_icon(book):
    for path in (book.html / "book").rglob("*.html"):
        if tree(path).xpath("//meta[@http-equiv='Refresh']"):
            continue
        [icon] = tree(path).xpath("//link[@rel='icon']/@href")
        assert (path.parent / icon.split("?")[0]).is_file(), path
        found = tree(path).xpath("//meta[@name='description']/@content")
        assert len(found) == 1 and found[0].strip(), path
        assert not tree(path).xpath("//link[@rel='canonical']"), "there is no address here"


def test_page_for_what_is_not_there_needs_no_other_file(book):
    page = tree(book.html / "404.html")
    assert not page.xpath(LOADED)
    assert all(link.startswith("/") for link in page.xpath("//a/@href | //form/@action"))
