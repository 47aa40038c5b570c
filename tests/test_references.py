"""The bibliography: whoever wants to check a source finds it, and knows what of it was read."""

import re
from pathlib import Path

import pytest
import yaml
from pybtex.database import parse_file
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

ROOT = Path(__file__).parents[1]
BIBLIOGRAPHY = parse_file(str(ROOT / "book" / "references.bib"))
STYLE = find_plugin(
    "pybtex.style.formatting",
    yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]["bibtex_default_style"],
)()
# A note ends with what was read of the source, or says that nothing was.
MARK = re.compile(r"(?:^|\. )(?:Read: \w.+|Not read\b.*)$", re.DOTALL)
every_entry = pytest.mark.parametrize("key", sorted(BIBLIOGRAPHY.entries))


@every_entry
def test_a_source_has_its_authors_a_year_and_a_place_to_find_it(key):
    entry = BIBLIOGRAPHY.entries[key]
    fields = entry.fields
    assert entry.persons.get("author"), "no author"
    assert re.fullmatch(r"1[89]\d\d|20[0-2]\d", fields["year"])
    assert fields["title"].strip()
    assert {"doi", "eprint", "url", "isbn"} & set(map(str.lower, fields)), "no place"
    if "eprint" in fields:
        assert fields["archiveprefix"] == "arXiv"
        assert re.fullmatch(r"\d{4}\.\d{4,5}", fields["eprint"])
    if "doi" in fields:
        assert re.fullmatch(r"10\.\d{4,9}/\S+", fields["doi"])
    if "url" in fields:
        assert re.fullmatch(r"https://\S+", fields["url"])
    if "isbn" in fields:
        digits = [int(d) for d in fields["isbn"] if d.isdigit()]
        weights = [1, 3] * 6 + [1]
        assert sum(d * w for d, w in zip(digits, weights, strict=True)) % 10 == 0


@every_entry
def test_a_source_says_what_of_it_was_read_and_the_book_shows_it(key):
    entry = BIBLIOGRAPHY.entries[key]
    note = entry.fields.get("note", "")
    assert MARK.search(note), f"neither 'Read: ...' nor 'Not read': {note!r}"
    [shown] = STYLE.format_entries([entry])
    assert Text.from_latex(note).render_as("text") in shown.text.render_as("text")


@pytest.mark.parametrize(
    "note", ["", "Read", "Read:", "To be read", "With logs", "Reading: all", "Read 2026: all"]
)
def test_a_note_that_does_not_say_what_was_read_is_no_mark(note):
    assert not MARK.search(note)


def test_no_number_of_a_preprint_or_of_a_paper_stands_twice():
    for field in ("eprint", "doi", "url"):
        found = [e.fields[field] for e in BIBLIOGRAPHY.entries.values() if field in e.fields]
        assert len(set(found)) == len(found)
