"""The bibliography: whoever wants to check a source finds it."""

import re
from pathlib import Path

import pytest
from pybtex.database import parse_file

BIBLIOGRAPHY = parse_file(str(Path(__file__).parents[1] / "book" / "references.bib"))
# Documents that the laboratory set out from, of which nothing is known but the text itself.
ONLY_AS_TEXT = {"diffusion2025", "mtdickens2024", "juliusm2026"}


@pytest.mark.parametrize("key", sorted(BIBLIOGRAPHY.entries))
def test_a_source_has_its_authors_a_year_and_a_place_to_find_it(key):
    entry = BIBLIOGRAPHY.entries[key]
    fields = entry.fields
    assert entry.persons.get("author"), "no author"
    assert re.fullmatch(r"1[89]\d\d|20[0-2]\d", fields["year"])
    assert fields["title"].strip()
    if key not in ONLY_AS_TEXT:
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


def test_no_number_of_a_preprint_or_of_a_paper_stands_twice():
    for field in ("eprint", "doi", "url"):
        found = [e.fields[field] for e in BIBLIOGRAPHY.entries.values() if field in e.fields]
        assert len(set(found)) == len(found)
