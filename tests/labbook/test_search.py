"""What the search page knows of the pages."""

import json

import pytest
from entry_maker import write_entry

from lrlab.labbook.site import _search as search
from lrlab.labbook.site.site import Site


@pytest.fixture
def site(tmp_path) -> Site:
    write_entry(tmp_path)
    write_entry(tmp_path, entry="2030-01-02-demo-x", changed={"x": 1})
    return Site(tmp_path)


def test_guide_handbook_and_entries_that_count_weigh_more_than_names_of_the_package(site):
    what_if, entry = (site.page_of(name) for name in ("2030-01-02-demo-x", "2030-01-01-demo"))
    pages = ["book/handbook/one_cycle", entry, what_if, "book/api/training"]
    weights = [search.weight(site, page) for page in pages]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(weights)
    assert search.weight(site, "book/claims") < search.weight(site, "book/guide/reading")


def test_excerpts_are_sentences_without_code_markup_and_what_surrounds_the_page(site):
    page = (
        "<p>menu</p><article class='x'><p>One &amp; <em>two</em>\n words."
        '<a class="headerlink">#</a></p>'
        "<div class='highlight'><pre>code</pre></div><script>s()</script>"
        "<div class='highlight'></div><div class=\"lrlab-byline x\"><p>2030-01-01</p></div>"
        "<p>At <math><mi>x</mi></math> it ends.</p></article><p>footer</p>"
    )
    made = search.excerpts(site, [("book/guide/reading", page)])
    known = json.loads(made.removeprefix("const PAGES = ").rstrip(";\n"))
    assert known == {"book/guide/reading": [8, "One & two words. At it ends."]}


def test_excerpts_of_a_long_page_are_limited():
    assert len(search.text_of(f"<article><p>{'word ' * 5000}</p></article>")) == search.LENGTH
