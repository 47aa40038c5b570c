"""The book in a real browser: offline, quiet, on a phone, in the dark, and for everybody."""

import json
import os
from collections.abc import Iterator

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe
from built_book import NEW, OTHER, Book
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}
KINDS = (
    "book/intro",
    "book/claims",
    "book/sentences",
    "book/log/index",
    f"book/log/{NEW}",
    "book/live/reproduced_here",
    "book/guide/choosing",
    "book/guide/writing",
    "book/handbook/index",
    "book/handbook/one_cycle",
    "book/handbook/explorer",
    "book/handbook/loss_explorer",
    "book/api/showing",
    "book/references",
    "search",
)
# Hundreds of rows, points of a list and paragraphs are made alike: three that lie in boxes of one
# kind and hold elements of the same kinds, with text or without, stand for all. So do three tokens
# of code and words that are set off; the others lose their colour, and stay as text. A kind is a
# tag with its classes, on which alone the style sheets depend, and with a style of its own.
THREE_OF_A_KIND = """
const kind = (element) => {
  const { tagName, className } = element;
  return [tagName, className, element.getAttribute("style"), !element.textContent.trim()].join();
};
const box = (element) => {
  let around = "";
  for (let i = 0; i < 5 && (element = element.parentElement); i++)
    around += `${element.tagName}.${element.className} `;
  return around;
};
const seen = {};
const stands = (key) => (seen[key] = (seen[key] ?? 0) + 1) <= 3;
const parts = "tbody > tr, ul > li, ol > li, section > p, section > div, div.sd-row > div";
for (const part of document.querySelectorAll(parts)) {
  if (!part.isConnected || part.querySelector("h1, h2, h3, h4, h5, h6, input, select, label"))
    continue;
  const inside = new Set([part, ...part.querySelectorAll("*")].map(kind));
  if (!stands(box(part) + [...inside].sort().join(" "))) part.remove();
}
const tokens = "pre span, dt.sig span, article :is(span, em, strong, code, cite)";
for (const token of document.querySelectorAll(tokens)) {
  const plain = [...token.attributes].every((attribute) => attribute.name === "class");
  if (plain && !stands(kind(token) + box(token))) token.replaceWith(...token.childNodes);
}
"""
# What another theme may change in elements that are there in both. What a phone alone shows, and
# what there alone is scrolled, is alike on many pages: there all rules are asked on a few.
OF_THE_THEME = ["color-contrast", "link-in-text-block"]
ON_A_PHONE_TOO = (
    "book/claims",
    f"book/log/{NEW}",
    "book/guide/choosing",
    "book/handbook/explorer",
)


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    still = {"reduced_motion": "reduce"}  # else colours are read in the middle of a transition
    with browser.new_context(viewport=DESK, color_scheme="light", **still) as context:
        context.set_default_timeout(120_000)  # a busy machine is no failure
        yield context.new_page()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """One tab for all tests, left as it was found: a tab of its own costs as much as a test."""
    yield tab
    if tab.url.startswith("file:"):
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.goto("about:blank")
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="light")


def open_page(page: Page, book: Book, name: str) -> None:
    page.goto((book.html / f"{name}.html").as_uri())


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds, by all rules or these."""
    page.evaluate(f"() => {{{THREE_OF_A_KIND}}}")
    # Without its own downloads of style sheets, which a page opened from a file may not make.
    options = {"preload": False, "resultTypes": ["violations"]}
    chosen = {"runOnly": rules} if rules else {}
    found = Axe().run(page, options=options | chosen).response["violations"]
    return [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]]


def telling(book: Book) -> list[str]:
    """Pages that among them have the widest of every kind of element; all pages where CI runs.

    A kind is a tag with its classes, and its width the longest word or the row of them. What is
    inside a `pre` scrolls with it. Of pages that are alike in a kind one is opened anyway, or will
    do.
    """
    widest: dict[tuple[str, ...], tuple[int, set[str]]] = {}
    names = []
    for path in book.pages():
        name = path.relative_to(book.html).with_suffix("").as_posix()
        if name == "index" or name.startswith("_modules/lrlab/"):
            continue  # it only leads on to the front page; many pages of one kind
        names.append(name)
        for element in lxml.html.parse(path).getroot().xpath("body//*[not(ancestor::pre)]"):
            parts = [element.text or ""]
            if element.tag == "tr":
                parts = [cell.text_content() for cell in element]
            width = sum(max(map(len, part.split()), default=0) for part in parts)
            kind = element.tag, *sorted(element.get("class", "").split())
            most, pages = widest.get(kind, (-1, set()))
            if width >= most:
                widest[kind] = width, pages | {name} if width == most else {name}
    assert len(names) > 50
    if os.environ.get("CI") == "true":
        return names
    chosen: set[str] = set()
    for _, pages in sorted(widest.values(), key=lambda one: len(one[1])):
        if not pages & chosen:
            chosen.add(min(pages))
    return sorted(chosen)


def test_no_page_asks_elsewhere_complains_or_scrolls_sideways(book, page):
    troubles: list[str] = []
    heard = {
        "request": lambda r: (
            r.url.startswith(("file:", "data:", "blob:")) or troubles.append(r.url)
        ),
        "console": lambda m: m.type == "error" and troubles.append(f"{page.url}: {m.text}"),
        "pageerror": lambda e: troubles.append(f"{page.url}: {e}"),
    }
    for event, listener in heard.items():
        page.on(event, listener)
    page.set_viewport_size(PHONE)
    for name in telling(book):
        open_page(page, book, name)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            troubles.append(f"{page.url}: {width} px wide")
    for event, listener in heard.items():
        page.remove_listener(event, listener)
    assert not troubles


@pytest.mark.parametrize("name", KINDS)
def test_pages_are_accessible_in_both_modes_and_sizes(book, page, name):
    open_page(page, book, name)
    assert not violations(page)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    if name in ON_A_PHONE_TOO:
        open_page(page, book, name)
    page.locator("html[data-theme=dark]").wait_for(state="attached")
    assert not violations(page, None if name in ON_A_PHONE_TOO else OF_THE_THEME)


FAULTS = {
    "image-alt": "<img src='data:,'>",
    "link-name": "<a href='#x'></a>",
    "color-contrast": "<b id='pale'>pale</b>",
}


def test_of_many_points_alike_the_one_with_a_fault_is_looked_at(book, page):
    open_page(page, book, "book/handbook/index")
    points = ["as <b>it</b> should be"] * 9 + list(FAULTS.values())
    plant = "(list) => document.querySelector('article').insertAdjacentHTML('beforeend', list)"
    page.evaluate(plant, f"<ul class='many'><li>{'</li><li>'.join(points)}</li></ul>")
    page.evaluate("document.querySelector('#pale').style.color = 'rgb(200, 200, 200)'")
    assert {found.partition(":")[0] for found in violations(page)} == set(FAULTS)
    assert page.locator(".many li", has_text="should be").count() == 3


@pytest.mark.parametrize("name", ["book/intro", f"book/log/{NEW}", "book/sources/diffusion"])
def test_figures_on_a_phone_are_large_enough_to_be_read_and_scroll_inside_themselves(
    book, page, name
):
    """Their smallest text, of 8.5 points at 120 pixels an inch, has 9 pixels at 0.64."""
    page.set_viewport_size(PHONE)
    open_page(page, book, name)
    widths = page.evaluate(
        """() => [...document.querySelectorAll("article figure img, article .lrlab-finding img")]
        .map((e) => [e.getBoundingClientRect().width, e.naturalWidth, e.src.endsWith(".webp")])"""
    )
    assert widths
    for shown, natural, is_small in widths:
        assert shown >= natural * (1 if is_small else 0.64)  # of 0.65, as small ones are made
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_mode_follows_the_system_and_inverts_figures(book, page):
    open_page(page, book, f"book/log/{NEW}")
    colour = "getComputedStyle(document.body).backgroundColor"
    filtered = "getComputedStyle(document.querySelector('article img')).filter"
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    assert page.evaluate(filtered) == "none"
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-theme=dark]").wait_for(state="attached")
    red, *_ = (int(x) for x in page.evaluate(colour)[4:-1].split(","))
    assert red < 60
    assert "invert" in page.evaluate(filtered)


def test_search_finds_an_entry(book, page):
    page.goto(f"{(book.html / 'search.html').as_uri()}?q=zebrafinch")
    page.wait_for_selector(f"#search-results a[href*='{NEW}']")


def test_mathematics_is_set(book, page):
    open_page(page, book, f"book/log/{NEW}")
    assert page.locator("article math").count() > 0


def test_an_entry_leads_to_its_runs_and_sliders_move_through_them(book, page):
    complaints: list[str] = []
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    file = book.root / "book" / "log" / f"{OTHER}.ipynb"
    runs = json.loads(file.read_bytes())["cells"][-2]["outputs"][-1]["metadata"]["lrlab_recorded"]
    open_page(page, book, f"book/log/{OTHER}")
    page.click("text=Move through 21 of these runs")
    said = page.locator(".lrlab-losses output[aria-live]:not(:empty)")
    said.wait_for()
    assert "A network that nobody trained" in page.input_value("#lrlab-entry")
    for peak, point in enumerate(runs["schedules"][0]["peaks"]):
        page.fill("#lrlab-peak", str(peak))
        for seed, run in enumerate(point["runs"]):
            page.fill("#lrlab-seed", str(seed))
            assert said.inner_text().startswith(f"Validation loss at the end: {run['final']} nats")
    assert not complaints


VISIBLE = "div.lrlab-ledger tr[data-verdict]:visible"


def rows(page: Page) -> list[str]:
    """The verdicts of all rows that are seen: one question to the browser, not one for each row."""
    return page.locator(VISIBLE).evaluate_all("rows => rows.map(row => row.dataset.verdict)")


def test_ledger_unfolds_without_script(book, browser):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((book.html / "book" / "claims.html").as_uri())
        assert rows(page) == []
        for fold in page.locator("div.lrlab-ledger > details > summary").all():
            fold.click()
        assert {"supported", "contradicted", "described"} <= set(rows(page))


@pytest.mark.parametrize("name", ["calibration", "sentences"])
def test_tables_of_claims_fit_beside_the_sidebar_of_a_laptop(book, page, name):
    open_page(page, book, f"book/{name}")
    table = page.locator("table.lrlab-rows").first
    assert table.evaluate("table => table.scrollWidth - table.parentElement.clientWidth") <= 1


def test_ledger_is_filtered_by_verdict_and_by_words(book, page):
    open_page(page, book, "book/claims")
    everything = page.locator("tr[data-verdict]").count()
    assert rows(page) == []
    page.select_option("#ledger-verdict", "contradicted")
    assert set(rows(page)) == {"contradicted"}
    page.fill("#ledger-search", "never FAILS")
    assert rows(page) == ["contradicted"]
    assert page.get_by_role("status").inner_text() == f"1 of {everything} claims"
    assert page.url.endswith("?verdict=contradicted&q=never+FAILS")
    page.reload()
    assert rows(page) == ["contradicted"]
    page.fill("#ledger-search", "no such words")
    assert rows(page) == []


@pytest.mark.parametrize("field", ["kind", "source", "about"])
def test_ledger_is_filtered_by_kind_source_and_subject(book, page, field):
    open_page(page, book, "book/claims")
    options = page.locator(f"#ledger-{field} option").all_inner_texts()[1:]
    everything = page.locator("tr[data-verdict]").count()
    seen = 0
    for option in options:
        page.select_option(f"#ledger-{field}", option)
        found = len(rows(page))
        assert 0 < found <= everything
        seen += found
    assert seen >= everything


def test_a_table_of_claims_is_sorted_by_a_column_with_the_keyboard(book, page):
    open_page(page, book, "book/calibration")
    verdicts = page.locator("table.lrlab-ledger .lrlab-is-verdict")
    unsorted = verdicts.all_inner_texts()
    button = page.get_by_role("button", name="Verdict")
    button.press("Enter")
    assert verdicts.all_inner_texts() == sorted(unsorted)
    button.press("Enter")
    assert verdicts.all_inner_texts() == sorted(unsorted, reverse=True)
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_counts_of_the_front_page_lead_to_the_filtered_ledger(book, page):
    open_page(page, book, "book/intro")
    page.get_by_role("link", name="contradicted", exact=True).click()
    page.wait_for_selector("#ledger-verdict")
    assert set(rows(page)) == {"contradicted"}


def test_ledger_leads_to_the_card_of_a_claim(book, page):
    open_page(page, book, "book/claims")
    page.fill("#ledger-search", "demo.lower")
    page.locator(f"{VISIBLE} a").click()
    page.wait_for_selector("#claim-lower:target")
    assert "A demonstration" in page.title()


def results(page: Page, book: Book, query: str) -> list[str]:
    page.goto(f"{(book.html / 'search.html').as_uri()}?q={query}")
    page.wait_for_selector("ul.search li")
    return [link.get_attribute("href") for link in page.query_selector_all("ul.search li > a")]


def test_search_finds_the_pages_named_so_before_all_others(book, page):
    first = results(page, book, "one+cycle")[:2]
    assert any("handbook/one_cycle" in link for link in first), first
    assert any("-onecycle.html" in link for link in first), first
    for line in page.query_selector_all("ul.search p.context")[:2]:
        assert len(line.text_content()) > 40


def test_search_for_an_optimizer_leads_with_pages_that_say_something_of_it(book, page):
    assert not [link for link in results(page, book, "AdamW")[:5] if "/api/" in link]
    assert "adamw" in page.query_selector("ul.search li").text_content().lower()


def test_search_that_finds_nothing_says_so(book, page):
    page.goto(f"{(book.html / 'search.html').as_uri()}?q=zzzzqqqq")
    expect(page.locator(".search-summary")).to_contain_text("No page has all of these words")
