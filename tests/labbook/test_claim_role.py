"""A sentence of the book names its claim, and fails the build when the claim says otherwise."""

import pytest
from entry_maker import some_claims, write_entry
from small_build import render

from lrlab.claims import judge
from lrlab.claims.render import number

CONF = """
extensions = ["myst_parser"]
exclude_patterns = ["book"]

def setup(app):
    from lrlab.labbook.site import _claim_role
    _claim_role.connect(app)
"""


def build(root, sentence):
    (root / "index.md").write_text(f"# Page\n\n{sentence}\n")
    return *render(root), (root / "_html" / "index.html").read_text()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("role")
    write_entry(folder)
    (folder / "conf.py").write_text(CONF)
    return folder


@pytest.fixture(scope="module")
def claim():
    return next(c for c in judge(some_claims(), notebook="demo") if c.low is not None)


def test_it_shows_verdict_interval_and_n_linked_to_the_card(root, claim):
    code, said, page = build(root, f"It falls ({{claim}}`{claim.verdict}:{claim.id}`).")
    assert code == 0, said
    assert f'href="book/log/2030-01-01-demo.html#claim-{claim.slug}"' in page
    assert claim.verdict in page and f"n\u00a0=\u00a0{claim.n}" in page


def test_an_estimate_can_stand_alone_linked_to_the_card(root, claim):
    code, said, page = build(root, f"Take {{measured}}`{claim.id}`.")
    assert code == 0, said
    link = f'href="book/log/2030-01-01-demo.html#claim-{claim.slug}"'
    assert f">{number(claim.estimate)}</a>" in page.split(link)[1][:200]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("demo.gone", "the ledger has no claim 'demo.gone'"),
        ("not by δ:{id}", "no longer 'not by δ'"),
    ],
)
def test_the_build_fails_when_the_claim_is_gone_or_says_another_thing(root, claim, text, why):
    code, said, _ = build(root, f"It falls {{claim}}`{text.format(id=claim.id)}`.")
    assert code != 0
    assert why in said
