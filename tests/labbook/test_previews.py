"""Where the site's address is set, and what pages say about themselves to others."""

from xml.etree import ElementTree

import pytest
from docutils import nodes
from entry_maker import write_entry

from lrlab.labbook.site import _actions as actions
from lrlab.labbook.site import _get_the_code as get_the_code
from lrlab.labbook.site import _previews as previews
from lrlab.labbook.site.site import Site

SETTINGS = """\
html: {baseurl: "https://book.test/lab"}
repository: {url: "https://code.test/someone/lab/", branch: trunk}
"""


@pytest.fixture
def published(tmp_path, monkeypatch) -> Site:
    monkeypatch.delenv("LRLAB_BOOK_URL", raising=False)
    (tmp_path / "_config.yml").write_text(SETTINGS)
    write_entry(tmp_path)
    (tmp_path / "notebooks").mkdir(exist_ok=True)
    (tmp_path / "notebooks" / "demo.py").touch()
    return Site(tmp_path)


def test_addresses_are_those_of_the_settings(published):
    assert published.address == "https://book.test/lab/"
    assert published.repository == "https://code.test/someone/lab"
    assert published.branch == "trunk"


def test_environment_overrides_the_address(published, monkeypatch):
    monkeypatch.setenv("LRLAB_BOOK_URL", "https://other.test")
    assert published.address == "https://other.test/"


@pytest.mark.parametrize("settings", [None, "", "html:\n", "title: x\n", 'html: {baseurl: ""}\n'])
def test_without_settings_there_is_no_address(tmp_path, monkeypatch, settings):
    monkeypatch.delenv("LRLAB_BOOK_URL", raising=False)
    if settings is not None:
        (tmp_path / "_config.yml").write_text(settings)
    assert (Site(tmp_path).address, Site(tmp_path).repository) == ("", "")


def test_entry_cites_its_address_and_links_its_source(published):
    [entry] = published.log
    line = actions.of(entry, published)
    assert f"https://book.test/lab/book/log/{entry.name}.html" in line
    assert 'href="https://code.test/someone/lab/blob/trunk/notebooks/demo.py"' in line


def test_code_is_cloned_from_the_repository_or_lies_beside_the_book(published, tmp_path):
    clone = "git clone https://code.test/someone/lab\ncd lab\nmake setup"
    assert clone in get_the_code.lines(published)
    (tmp_path / "_config.yml").unlink()
    said = get_the_code.lines(Site(tmp_path))
    assert "git clone" not in said and "_build/html" in said and str(tmp_path) not in said


def test_preview_has_title_sentence_and_picture_only_where_the_address_is_known(published):
    [entry] = published.log
    page = published.document(entry)
    given = (page, "A & B", "It ends lower.", ("_images/x.png", 'A "line".'))
    head = previews.tags(published, *given)
    assert '<meta property="og:title" content="A &amp; B" />' in head
    assert f'<meta property="og:url" content="https://book.test/lab/{page}.html" />' in head
    assert '<meta property="og:image" content="https://book.test/lab/_images/x.png" />' in head
    assert 'content="A &quot;line&quot;."' in head
    published.address = ""
    only = '<meta name="description" content="It ends lower." />'
    assert previews.tags(published, *given) == only


def test_page_is_described_by_its_first_paragraph_of_some_length(tmp_path):
    page = nodes.document(None, None)
    section = nodes.section()
    page += section
    section += [nodes.paragraph(text="Short."), nodes.paragraph(text="word\n" * 100)]
    text = previews.description(Site(tmp_path), "book/intro", page)
    assert text.startswith("word word") and text.endswith("word…")
    assert len(text) <= previews.LENGTH


def test_site_map_is_xml_with_each_page_once():
    made = previews.sitemap("https://book.test/a&b/", ["one", "two"])
    found = [element.text for element in ElementTree.fromstring(made.encode()).iter()]
    assert [text for text in found if text and text.strip()] == [
        "https://book.test/a&b/one.html",
        "https://book.test/a&b/two.html",
    ]
