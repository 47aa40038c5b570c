"""No script that a notebook puts out runs in a reader's browser."""

import re
from pathlib import Path

import pytest

from lrlab.labbook.site._security import policy, protect

ROOT = Path(__file__).parents[2]
PAGE = (
    "<html><head><title>T</title><script>theme()</script></head><body>"
    '<button onclick="full()">x</button><script type="application/json">{"a": 1}</script>'
    '<article><script>planted()</script><img onerror="planted()"></article>'
    '<script src="own.js"></script></body></html>'
)


def hashes(page):
    return set(re.findall(r"'sha256-([^']+)'", policy(page)))


def test_only_scripts_and_handlers_outside_of_the_article_are_allowed():
    allowed = hashes(PAGE)
    assert len(allowed) == 2
    assert allowed == hashes(PAGE.replace("planted()", "another()"))
    assert not allowed & hashes(PAGE.replace("theme()", "a()").replace("full()", "b()"))


def test_a_page_without_handlers_allows_none():
    assert "'unsafe-hashes'" in policy(PAGE)
    assert "'unsafe-hashes'" not in policy(PAGE.replace('onclick="full()"', ""))


def test_a_page_gets_one_policy_at_the_top_of_its_head():
    once = protect(PAGE)
    assert once.startswith('<html><head>\n<meta http-equiv="Content-Security-Policy"')
    assert protect(once) == once
    assert protect("no page at all") == "no page at all"


def test_every_page_of_the_book_has_a_policy(book):
    pages = [path for path in book.pages() if path != book.html / "index.html"]  # it only leads on
    assert len(pages) > 50
    for path in pages:
        assert "Content-Security-Policy" in path.read_text("utf-8")[:4000], path


def test_what_is_reported_and_how_is_written_down():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    for part in ("## What can go wrong", "## What is done", "## How to report", "pip-audit"):
        assert part in text


@pytest.mark.browser
def test_a_planted_script_is_blocked_and_the_pages_own_still_run(book, browser):
    site = book.html / "book" / "guide"
    page = (site / "reading.html").read_text("utf-8")
    planted = "<script>document.title = 'P'</script><img src='x' onerror=\"document.title = 'Q'\">"
    file = site / "planted.html"
    file.write_text(page.replace("</article>", f"{planted}</article>", 1), "utf-8")
    tab = browser.new_page()
    try:
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(file.as_uri())
        assert tab.title() not in ("P", "Q")
        assert sum("Content Security Policy" in text for text in said) == 2
        assert tab.evaluate("document.documentElement.dataset.theme") in ("light", "dark")
    finally:
        tab.close()
        file.unlink()
