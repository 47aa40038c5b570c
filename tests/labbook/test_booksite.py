"""What the extension derives from the log and from the docstrings."""

import json
import re
import types
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from entry_maker import around, some_claims, write_entry

from lrlab import claims
from lrlab.claims import About, Claim, rules
from lrlab.claims.render import css_class
from lrlab.labbook import looks
from lrlab.labbook.ledger import check
from lrlab.labbook.site import _actions as actions
from lrlab.labbook.site import _docstrings as docstrings
from lrlab.labbook.site import _feed as feed
from lrlab.labbook.site import _front as front
from lrlab.labbook.site import _outputs as outputs
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import _record as record
from lrlab.labbook.site import site
from lrlab.labbook.site._looks import reasons_in
from lrlab.labbook.site._tables import ClaimTable
from lrlab.labbook.site._typography import typeset


def marked(path, index: int, *tags: str) -> None:
    """Tag a cell of an entry; the record's hash is of no interest here."""
    notebook = json.loads(path.read_bytes())
    notebook["cells"][index]["metadata"]["tags"] = list(tags)
    path.write_text(json.dumps(notebook))


def test_front_page_answers_with_the_newest_band(tmp_path):
    write_entry(tmp_path, date="2030-01-01")
    other = Claim.exact("x", "x", holds=True)
    write_entry(tmp_path, "newer", date="2030-02-01", claims=[other])
    band = front.usable_band(site.Site(tmp_path))
    assert band.entry.name == "2030-01-01-demo"
    answered = front.answer(site.Site(tmp_path))
    assert "**0.00245 to 0.346**" in answered
    assert "| Lower end | 0.00245 [0.000186, 0.0322] |\n| Upper end | 0.346 [" in answered


def test_front_page_shows_a_tagged_figure_before_that_of_the_band(tmp_path):
    write_entry(tmp_path, date="2030-01-01")
    other = [Claim.exact("x", "x", holds=True)]
    tagged = write_entry(tmp_path, "newer", date="2030-02-01", claims=other)
    assert front.headline(site.Site(tmp_path)).entry.name == "2030-01-01-demo"
    marked(tagged, 3, "headline")
    assert front.headline(site.Site(tmp_path)).entry.name == "2030-02-01-newer"


def test_empty_log_has_a_front_page_that_says_so(tmp_path):
    empty = site.Site(tmp_path)
    assert front.answer(empty).startswith("No entry of the log counts yet")
    assert front.newest(empty) == "The log has no entry yet."


def test_entry_gets_byline_sources_and_record_and_its_file_stays(tmp_path):
    path = write_entry(tmp_path)
    before = path.read_bytes()
    log = site.Site(tmp_path)
    [entry] = log.log
    cells = json.loads(pages.decorate(before.decode(), entry, log))["cells"]
    assert [cell["id"] for cell in cells[:3]] == ["lrlab-top", "lrlab-headline", "lrlab-about"]
    assert (
        "2030-01-01 · full size · 2 supported · 1 different · 1 inconclusive" in cells[2]["source"]
    )
    assert cells[-3]["source"].startswith("## Sources of the claims")
    assert cells[-2]["source"].startswith("## Code")
    assert cells[-1]["source"].startswith("## Record")
    shown = json.dumps(cells)
    assert '<a href=\\"#sources-of-the-claims\\">smith2017cyclical, in its own setting</a>' in shown
    assert path.read_bytes() == before


def test_entry_without_sources_has_no_section_for_them(tmp_path):
    path = write_entry(tmp_path, claims=[Claim.exact("x", "x", holds=True)])
    log = site.Site(tmp_path)
    assert "Sources of the claims" not in pages.decorate(path.read_text(), log.log[0], log)


def test_record_tells_of_a_check_on_another_processor(tmp_path):
    check = {"profile": "foreign", "verdicts": {"demo.lower": "inconclusive"}}
    write_entry(tmp_path, portable_check=check, fragile=["demo.lower"], dirty=True)
    rows = dict(record.rows(site.Site(tmp_path).log[0].record))
    assert rows["Verdicts that differed on a foreign processor"] == "`demo.lower` (foreign)"
    assert "not committed" in rows["Commit"]


def test_title_is_the_first_heading(tmp_path):
    write_entry(tmp_path, title="A name", claims=some_claims())
    assert site.title(site.Site(tmp_path).log[0]) == "A name"


@pytest.mark.parametrize(
    ("markdown", "translated"),
    [
        ("The rate `lr`.", "The rate ``lr``."),
        ("Is $x$ and `y`", "Is :math:`x` and ``y``"),
        ("long $a +\n    b$ end", "long :math:`a + b` end"),
        ("$$a = b$$", ".. math:: a = b"),
        ("``kept`` and :math:`kept`", "``kept`` and :math:`kept`"),
        ("``f(a,\n    b)`` and `c`", "``f(a,\n    b)`` and ``c``"),
        ("|r| < 1", r"\|r\| < 1"),
        ("text\n>>> f(`x`)\n`1`\n\n`code`", "text\n>>> f(`x`)\n`1`\n\n``code``"),
        ("costs 5$ or 6$", "costs 5$ or 6$"),
    ],
)
def test_docstrings_in_markdown_become_restructuredtext(markdown, translated):
    assert docstrings.translate(markdown) == translated


def test_public_names_without_docstring_are_found():
    module = types.ModuleType("sample", "Documented.")

    class Documented:
        """Documented."""

        def bare(self):
            pass

        def said(self):
            """Documented."""

        def _private(self):
            pass

    def bare():
        pass

    for value in (Documented, bare):
        value.__module__ = "sample"
        setattr(module, value.__name__, value)
    module._hidden = bare
    assert docstrings.undocumented([module]) == ["sample.Documented.bare", "sample.bare"]
    module.__doc__ = None
    assert docstrings.undocumented([module])[0] == "sample"


def test_every_public_name_of_the_package_has_a_docstring():
    assert docstrings.undocumented(docstrings.public_modules()) == []


def test_a_live_run_replaces_its_placeholder(tmp_path):
    app = types.SimpleNamespace(srcdir=tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "reproduced_here.py").touch()
    site._write_generated(app, None)
    placeholder = tmp_path / "book" / "live" / "reproduced_here.md"
    assert "make book" in placeholder.read_text()
    placeholder.with_suffix(".ipynb").write_text("{}")
    site._write_generated(app, None)
    assert not placeholder.exists()


def test_an_answer_stands_under_the_title_and_no_longer_at_the_end(tmp_path):
    path = write_entry(tmp_path)
    notebook = json.loads(path.read_bytes())
    stored = {"text": "It falls by 4 % [3, 5].", "claims": ["lower"]}
    last = {"output_type": "display_data", "data": {"text/markdown": stored["text"]}}
    notebook["cells"][-2]["outputs"].append(last | {"metadata": {"lrlab_answer": stored}})
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(json.dumps(notebook), log.log[0], log))["cells"]
    heading, first, *_ = cells[0]["source"].split("\n\n")
    assert (
        heading.startswith("# ") and first == ":::{div} lrlab-answer\nIt falls by 4 % [3, 5].\n:::"
    )
    below = BeautifulSoup(cells[0]["source"], "lxml").select_one(".lrlab-rests")
    assert [link["href"] for link in below.select("a")] == ["#claim-lower"]
    assert not any(stored["text"] in str(c.get("outputs")) for c in cells)


def test_the_headline_figure_stands_at_the_top_alone_and_a_line_leads_to_it(tmp_path):
    path = write_entry(tmp_path)
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(path.read_text(), log.log[0], log))["cells"]
    pictures = [c["id"] for c in cells if "image/png" in str(c.get("outputs"))]
    captions = [c["id"] for c in cells if "figure" in c["metadata"].get("mystnb", {})]
    assert pictures == captions == ["lrlab-headline"]
    assert 'id="the-figure"' in cells[0]["source"]
    [left] = [c for c in cells if 'href="#the-figure"' in str(c.get("outputs"))]
    assert left["id"] == "cell-03"


def test_power_is_folded_and_what_else_a_cell_says_is_not(tmp_path):
    path = write_entry(tmp_path)
    notebook = json.loads(path.read_bytes())
    said = ["Pilot study: over 8 seeds a < b.", "Of 12 runs 12 ended."]
    notebook["cells"][3]["outputs"] += [
        {"output_type": "display_data", "data": {"text/markdown": text}, "metadata": {}}
        for text in said
    ]
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(json.dumps(notebook), log.log[0], log))["cells"]
    power, plain = [
        output["data"]
        for c in cells
        for output in c.get("outputs", [])
        if "text/markdown" in output["data"]
    ]
    assert (
        "<summary>Power</summary><p>Pilot study: over 8 seeds a &lt; b.</p>" in power["text/html"]
    )
    assert plain == {"text/markdown": said[1]}


def test_numbers_of_a_table_have_minus_signs_and_intervals_in_one_piece():
    head = '<tr><th scope="col">loss [95 %]</th><th scope="col">run-in</th></tr>'
    body = "<tr><td>-0.3 [-0.4, -0.2]</td><td>one-cycle, 1e-05</td></tr>"
    html = outputs.align(f'<div class="lrlab-table"><table>{head}{body}</table></div>')
    assert "<td>−0.3 [−0.4,\u00a0−0.2]</td>" in html and "one-cycle, 1e-05" in html
    assert "loss [95\u00a0%]" in html and "run-in" in html


def rows_of(number):
    cells = "".join(f"<tr><td>{n}</td></tr>" for n in range(number))
    head = '<thead><tr><th scope="col">n</th></tr></thead>'
    table = f"<table>{head}<tbody>{cells}</tbody></table>"
    return f'<div class="lrlab-table" role="region">{table}</div>'


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (["40.2", "36", "35.9"], ["40.2", "36.0", "35.9"]),
        (["3.51 [3.5, 3.52]", "1", ""], ["3.51 [3.50, 3.52]", "1", ""]),
        (["-0.5 [-0.61, -0.392]"], ["−0.500 [−0.610, −0.392]"]),
        (
            ["0.001 [0.001, 0.001]", "4.25 [3.98, 4.5]"],
            ["0.001 [0.001, 0.001]", "4.25 [3.98, 4.50]"],
        ),
        (
            ["1.62", "2.47", "3.9", "10100", "0", "1e-05"],
            ["1.62", "2.47", "3.90", "10100", "0", "1e-05"],
        ),
        (
            ["0.016", "0.032", "0.064", "0.128", "0.25"],
            ["0.016", "0.032", "0.064", "0.128", "0.25"],
        ),
        (["12.3 [4.5, 20.1]", "12.0 [4.0, 20.2]"], ["12.3 [4.5, 20.1]", "12.0 [4.0, 20.2]"]),
        (["64", "128", "1024"], ["64", "128", "1024"]),
        (["2.5", "10", "0.1"], ["2.5", "10", "0.1"]),
        (["5 of 12", "0.123", "0.12"], ["5 of 12", "0.123", "0.12"]),
        ([], []),
    ],
)
def test_measurements_of_a_column_have_as_many_digits_and_settings_stay(stored, shown):
    rows = "".join(f"<tr><td>{cell}</td></tr>" for cell in stored)
    html = outputs.align(f'<div class="lrlab-table"><table>{rows}</table></div>')
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html)
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in cells] == shown


def test_a_cell_that_counts_stays_on_its_line():
    html = outputs.align(
        '<div class="lrlab-table"><table><tr><td>11 of 12</td><td>best of 2</td></tr></table></div>'
    )
    assert "11\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}12" in html and "best of 2" in html


def test_a_long_table_has_all_its_rows_and_a_line_that_says_how_many():
    html = outputs.align(f"<p>Before.</p>{rows_of(21)}<p>After.</p>")
    page = BeautifulSoup(html, "lxml")
    assert len(page.select(".lrlab-long > .lrlab-table tbody tr")) == 21
    assert page.select_one(".lrlab-long > details:last-child > summary").text == "All 21 rows"
    assert [p.text for p in page.select("body > p")] == ["Before.", "After."]
    assert "lrlab-long" not in outputs.align(rows_of(20))


@pytest.mark.parametrize(
    ("what", "more", "title"),
    [
        (
            "log ratio of test loss, Prodigy to tuned AdamW, one pass,",
            {"within": 0.1, "tested": 6},
            "log ratio of test loss, Prodigy to tuned AdamW, one pass, within ±0.1",
        ),
        (
            "exponent <of> it",
            {"beyond": 0.125, "unit": "cells"},
            "exponent &lt;of&gt; it, beyond 0.125",
        ),
        ("spread", {"beyond": 0.1, "effect": 0.1, "tested": 2}, "spread, beyond 0.1"),
    ],
)
def test_a_study_of_power_is_folded_under_what_it_has_to_show(capsys, what, more, title):
    claims.power([0.1, -0.1, 0.2, 0.0], what, used=9, **more)
    folded = outputs.power_folded(capsys.readouterr().out)["text/html"]
    unit = more.get("unit", "seeds")
    assert f"<summary>Power of 9 {unit}: {title}</summary><p>Pilot study: over 4" in folded


def test_text_of_a_page_is_typeset_and_code_links_and_formulas_stay():
    kept = '<pre>1e+03 `x`</pre><a href="#lr-1e-05">lr-1e-05</a><math><mn>1e+03</mn></math>'
    kept += '<code class="x"><span>2e-05</span></code><p title="1e+03">`` `</p><script>`1e+03`'
    kept += "</script>"
    assert typeset(kept) == kept
    page = BeautifulSoup(
        typeset("<caption>Costs (from `a/b.py`): 1.29e+04 [3, 5] (95 %, n = 8) %</caption>"), "lxml"
    )
    assert page.code.text == "a/b.py"
    assert page.text == (
        "Costs (from a/b.py): 12,900\u00a0% [3,\u00a05] (95\u00a0%, n\u00a0=\u00a08)"
    )
    assert typeset("<td>&lt;b&gt; `&lt;i&gt;`</td>").count("&lt;i&gt;</code>") == 1


def test_a_minus_is_one_in_text_and_no_line_ends_between_a_number_and_its_per_cent_sign():
    said = typeset("<p>It changes by -0.06 % (-2.88 [-3.63, -.5]), as `-1 %` does.</p>")
    assert BeautifulSoup(said, "lxml").text == (
        "It changes by −0.06\u00a0% (−2.88 [−3.63,\u00a0−.5]), as -1 % does."
    )
    assert (
        typeset('<td class="x">-1.14 [-1.3, 2]</td>')
        == '<td class="x">−1.14 [−1.30,\u00a02.00]</td>'
    )
    kept = "<p>2026-11-30, 3-10X, 1e-3, lr-1, a % of b, 2.07% and -p</p><code>x -1 %</code>"
    assert typeset(kept) == kept


@pytest.mark.parametrize(
    ("written", "set_as"),
    [
        ("27.5 [26.1, 29]", "27.5 [26.1, 29.0]"),
        ("of -0.072 [-0.119, -0.0247]", "of −0.0720 [−0.119, −0.0247]"),
        ("6.9 [6.7, 7] times", "6.9 [6.7, 7.0] times"),
        ("1 [0.76, 1]", "1.0 [0.76, 1.0]"),
        ("−5.6 % [−12, +0.7]", "−5.6 % [−12, +0.7]"),
        ("0 [-0.12, 0.131]", "0 [−0.120, 0.131]"),
        ("99.5 [98, 101] and 1,100 [406, 2,960]", "99.5 [98.0, 101] and 1,100 [406, 2,960]"),
        ("27 [14, 40], −0.04 [−0.18, 0.09]", "27 [14, 40], −0.04 [−0.18, 0.09]"),
        ("3 of 10 [0.108, 11]", "3 of 10 [0.108, 11]"),
        ("at 5 [0.1, 0.25]", "at 5 [0.1, 0.25]"),
        ("None of 1544 runs, 2640 updates", "None of 1,544 runs, 2,640 updates"),
        (
            "in 2026 and at 0.1024 runs, 14,070 updates",
            "in 2026 and at 0.1024 runs, 14,070 updates",
        ),
        ("from 3/λ₀ on", "from 3/\u2060λ₀ on"),
    ],
)
def test_an_interval_is_in_as_many_digits_as_its_estimate_and_a_count_has_separators(
    written, set_as
):
    assert typeset(f"<p>{written}</p>").replace("\u00a0", " ") == f"<p>{set_as}</p>"


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("lower [0.1,\n0.3] at", ["lower", "[0.1,~0.3]", "at"]),
        ("by 5 [−1 %, +3.2 %] of", ["by", "5", "[−1~%,~+3.2~%]", "of"]),
        ("over n = 5 seeds", ["over", "n~=~5", "seeds"]),
        ("at β₂ = .95", ["at", "β₂~=~.95"]),
        ("at <i>n</i> = 5", ["at", "<i>n</i>~=~5"]),
        ("to 2.2 × 10⁻¹⁶ of", ["to", "2.2~×~10⁻¹⁶", "of"]),
        ("by × 2 or", ["by", "×~2", "or"]),
        ("2.2e-16", ["2.2~×~10⁻¹⁶"]),
        ("the rate = 5", ["the", "rate", "=", "5"]),
        ("in [Smith, 2017] the", ["in", "[Smith,", "2017]", "the"]),
        ("`n = 5` here", ['<code class="docutils literal notranslate">n = 5</code>', "here"]),
    ],
)
def test_no_line_ends_inside_a_number_with_what_belongs_to_it(written, whole):
    assert re.split(r"[ \n](?![^<]*>|[^<]*</code>)", typeset(written)) == [
        part.replace("~", "\u00a0") for part in whole
    ]


def test_a_table_calls_a_claim_without_a_verdict_measured():
    badges = {verdict: ClaimTable.badge(None, verdict) for verdict in ("described", "supported")}
    assert [badge.astext() for badge in badges.values()] == ["measured", "supported"]
    assert all(css_class(verdict) in badge["classes"] for verdict, badge in badges.items())


def about(tmp_path, *seen):
    """What stands under the answer of the one entry, after these looks at it."""
    [path] = (tmp_path / "book" / "log").glob("*.ipynb")
    looks.append(tmp_path, seen)
    log = site.Site(tmp_path)
    return json.loads(pages.decorate(path.read_text(), log.log[0], log))["cells"][2]["source"]


def test_a_page_says_in_its_byline_how_often_its_result_was_looked_at(tmp_path):
    write_entry(tmp_path)
    [entry] = site.Site(tmp_path).log
    said = about(tmp_path, looks.look(entry.record, entry.claims(), None))
    byline = BeautifulSoup(said.split("\n:::")[0], "lxml").get_text()
    assert "· looked at once, with n up to" in byline and "lrlab-looks" not in said


def test_verdicts_that_changed_between_looks_are_folded_behind_a_phrase(tmp_path):
    write_entry(tmp_path)
    [entry] = site.Site(tmp_path).log
    claims = [claim for claim in entry.claims() if claim["kind"] in rules.TESTED]
    before = [c | {"verdict": "supported", "rules": 1} for c in claims]
    gone = claims[0] | {"id": "demo.gone", "verdict": "supported", "rules": 1}
    dropped = claims[1] | {"id": "demo.dropped", "verdict": "supported", "rules": 1}
    before.append(dropped)
    after = [*claims, gone | {"verdict": "described", "rules": 2}]
    first, second = (looks.look(entry.record, c, None) for c in ([*before, gone], after))
    why = tmp_path / "book" / "reworked.toml"
    why.write_text('[demo]\n"dr*" = "n counted <trials>"\nlower = "of another"\n')
    said = BeautifulSoup(about(tmp_path, first, second), "lxml")
    fold = said.select_one("details.lrlab-looks")
    changed = looks.changed([first, second])
    links = [a["href"] for a in fold.select("li a")]
    assert fold.summary.get_text() == (
        f"Between the looks: {len(changed) - 1} changed verdicts, 1 no longer tested, 1 dropped"
    )
    assert not fold.has_attr("open") and len(fold.select("li")) == len(changed) + 1
    assert set(links) == {f"#claim-{id.partition('.')[2]}" for id in changed if id != "demo.gone"}
    assert [li.get_text() for li in fold.select("li") if "n counted" in li.get_text()] == [
        "dropped: supported (n counted <trials>)"
    ]


def test_the_last_verdict_between_looks_is_the_one_that_the_page_shows(tmp_path):
    write_entry(tmp_path)
    [entry] = site.Site(tmp_path).log
    claim = next(c for c in entry.claims() if c["verdict"] == "supported")
    before = looks.look(
        entry.record, [claim | {"verdict": "inconclusive", "n": 3, "rules": 1}], None
    )
    now = looks.look(entry.record, entry.claims(), None)
    told = lambda: about(tmp_path, before, now)  # noqa: E731
    line = f"{claim['id'].partition('.')[2].replace('-', ' ')}: inconclusive → supported"
    [shown] = [li for li in BeautifulSoup(told(), "lxml").select("li") if "→" in li.get_text()]
    assert shown.get_text() == line
    write_entry(tmp_path, fragile=[claim["id"]])
    [shown] = [li for li in BeautifulSoup(told(), "lxml").select("li") if "→" in li.get_text()]
    assert shown.get_text().startswith(f"{line} → inconclusive")


def test_reasons_for_a_reworked_claim_are_of_claims_that_a_look_has():
    root = Path(__file__).parents[2]
    known = {id for look in site.Site(root).looks for id in look.verdicts}
    reasons = reasons_in(root)
    assert len(reasons) > 100
    assert not [name for name in reasons if not any(fnmatchcase(id, name) for id in known)]


def test_a_card_says_fragile_where_another_processor_gave_another_verdict(tmp_path):
    plain = write_entry(tmp_path)
    [entry] = site.Site(tmp_path).log
    claim = next(c for c in entry.claims() if c["verdict"] == "supported")
    write_entry(tmp_path, fragile=[claim["id"]])
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(plain.read_text(), log.log[0], log))["cells"]
    [html] = [
        o["data"]["text/html"]
        for c in cells
        for o in c.get("outputs", [])
        if "lrlab-claim" in str(o["data"].get("text/html"))
    ]
    [card] = [
        part for part in html.split("<div ") if f'id="claim-{claim["id"].split(".")[1]}"' in part
    ]
    assert "inconclusive (fragile)" in card and "foreign processor" in card
    assert (
        "1 supported · 1 different · 1 inconclusive · 1 inconclusive (fragile)"
        in cells[2]["source"]
    )


def test_a_claim_that_one_value_leaves_undecided_is_fragile_on_page_and_ledger(tmp_path):
    values = [*around(-0.5, sd=0.01), 1.0]
    about = About(metric="test error")
    hangs = Claim.effect("hangs", "It is lower", values=values, direction="less", about=about)
    path = write_entry(tmp_path, claims=[hangs])
    log = site.Site(tmp_path)
    assert check(tmp_path) == []
    [row] = log.ledger
    shown = pages.decorate(path.read_text(), log.log[0], log)
    assert row.claim.verdict == "inconclusive (fragile)"
    assert "value 9 is an outlier (Grubbs, 1 %); without it: supported" in shown
    assert shown.count("inconclusive (fragile)") >= 3  # byline, chart and card


def test_feed_has_author_dates_and_links_that_are_absolute_where_the_address_is_known(tmp_path):
    write_entry(tmp_path, title="One & all")
    atom = "{http://www.w3.org/2005/Atom}"
    log = site.Site(tmp_path)
    near = ElementTree.fromstring(feed.feed(log))
    far = ElementTree.fromstring(feed.feed(log, "https://example.org/lab/"))
    for root in (near, far):
        assert root.findtext(f"{atom}author/{atom}name")
        for element in (root, root.find(f"{atom}entry")):
            for name in ("id", "title", "updated"):
                assert element.findtext(f"{atom}{name}")
        assert root.findtext(f"{atom}entry/{atom}title") == "One & all"
        summary = root.findtext(f"{atom}entry/{atom}summary")
        assert summary.startswith("Does the rate fall? Claims: 2 supported, 1 different")
    assert near.find(f"{atom}entry/{atom}link").get("href") == "2030-01-01-demo.html"
    assert [link.get("href") for link in far.iter(f"{atom}link")] == [
        "https://example.org/lab/book/log/atom.xml",
        "https://example.org/lab/book/log/index.html",
        "https://example.org/lab/book/log/2030-01-01-demo.html",
    ]


def answered(root, text):
    """Write an entry that answers in these words."""
    path = write_entry(root)
    notebook = json.loads(path.read_bytes())
    answer = {"text": text, "claims": ["lower"]}
    notebook["cells"][3]["outputs"][0]["metadata"]["lrlab_answer"] = answer
    path.write_text(json.dumps(notebook))
    return path


def test_what_an_answer_means_for_a_reader_leads_to_the_guide_where_there_is_one(tmp_path):
    path = answered(tmp_path, "It falls. What this means for you: let it fall.")

    def top():
        log = site.Site(tmp_path)
        entry = log.by_document["book/log/2030-01-01-demo"]
        return json.loads(pages.decorate(path.read_text(), entry, log))["cells"][0]["source"]

    assert "It falls. What this means for you: let it fall." in top()
    guide = tmp_path / "book" / "guide" / "choosing.md"
    guide.parent.mkdir()
    guide.write_text("# Choosing\n")
    assert "{doc}`What this means for you </book/guide/choosing>`: let it fall." in top()


def test_the_feed_tells_the_answer_of_an_entry_that_has_one(tmp_path):
    answered(tmp_path, "It falls by **3 %**.")
    [summary] = ElementTree.fromstring(feed.feed(site.Site(tmp_path))).iter(
        "{http://www.w3.org/2005/Atom}summary"
    )
    assert summary.text.startswith("It falls by 3 %. Claims: 2 supported, 1 different")
    assert summary.text.endswith("2 measured.") and "described" not in summary.text


def test_a_card_leads_to_its_values_and_to_the_code_that_judged_it(tmp_path):
    path = write_entry(tmp_path)
    log = site.Site(tmp_path)
    entry = log.by_document["book/log/2030-01-01-demo"]
    shown = json.loads(pages.decorate(path.read_text(), entry, log))["cells"]
    html = "".join(
        "".join(o["data"]["text/html"])
        for c in shown
        for o in c.get("outputs", [])
        if "lrlab_claims" in o["metadata"]
    )
    code = next(c["source"] for c in shown if c["source"].startswith("## Code"))
    cards = dict(re.findall(r'<p class="lrlab-id"><code>demo\.(\w+)</code>(.*?)</p>', html))
    assert set(cards) == {"lower", "same", "most", "identity", "band_low", "band_high"}
    for slug, card in cards.items():
        (place,) = re.findall(r'href="#([^"]+)"', card)
        assert code.count(f'<div id="{place}"></div>') == 1, slug
        assert 'href="../../files/2030-01-01-demo.csv"' in card, slug
    values = actions.values(entry)
    assert all(f"demo.{slug}," in values for slug in cards)
    assert ">described<" not in html and html.count('lrlab-verdict">measured<') == 2


def test_a_notebook_that_reads_results_of_the_repository_says_that_it_needs_a_clone(tmp_path):
    write_entry(tmp_path)
    log = site.Site(tmp_path)
    entry = log.by_document["book/log/2030-01-01-demo"]
    assert "needs a clone" not in actions.of(entry, log)
    entry.record["inputs"] = [{"kind": "file", "name": "x.json", "sha256": "0" * 64}]
    assert "needs a clone" in actions.of(entry, log)


def test_only_the_figure_of_a_cell_gets_its_caption():
    picture, text = ({"data": {kind: "x"}} for kind in ("image/png", "text/html"))
    cell = {"cell_type": "code", "id": "c", "source": "show()", "outputs": [text, picture, text]}
    cell["metadata"] = {"mystnb": {"figure": {"caption": "A line."}}, "tags": ["hide-input"]}
    parts = outputs.apart([cell])
    assert [part["outputs"] for part in parts] == [[text], [picture], [text]]
    assert ["figure" in part["metadata"]["mystnb"] for part in parts] == [False, True, False]
    # A cell without any source would be left out of the page.
    assert parts[0]["source"] == "show()" and all(part["source"] for part in parts)
    assert "remove-input" in parts[1]["metadata"]["tags"]
    alone = {**cell, "outputs": [picture]}
    assert outputs.apart([alone]) == [alone]


def test_a_what_if_says_what_it_changes_and_what_the_entry_that_counts_answers(tmp_path):
    usual = write_entry(tmp_path)
    notebook = json.loads(usual.read_bytes())
    answer = {"text": "It falls by 3 %.", "claims": ["lower"]}
    notebook["cells"][3]["outputs"][0]["metadata"]["lrlab_answer"] = answer
    usual.write_text(json.dumps(notebook))
    other = write_entry(tmp_path, date="2030-01-02", changed={"peak_lr": 0.5})
    answer["text"] = "It rises by 2 %."
    other.write_text(json.dumps(notebook))
    log = site.Site(tmp_path)
    entry = log.by_document["book/log/2030-01-02-demo"]
    top = json.loads(pages.decorate(other.read_text(), entry, log))["cells"][0]["source"]
    assert "With `peak_lr = 0.5` in place of `0.2`." in top
    assert "What counts is {doc}`A demonstration </book/log/2030-01-01-demo>` of 2030-01-01." in top
    own, counting = (
        top.index(said) for said in ("It rises by 2 %.", "**What counts**\n\n:::{div} lrlab-answer")
    )
    assert own < counting < top.index("It falls by 3 %.")
    plain = pages.decorate(usual.read_text(), log.by_document["book/log/2030-01-01-demo"], log)
    assert "A what-if" not in plain


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trained": 2, "seconds": 40.0}, "2 training runs, 40\u00a0s"),
        ({"trained": 0, "seconds": 7.0}, "2 training runs\n"),
        ({"runs": ["0" * 64], "trained": 0}, "1 training run\n"),
        ({"runs": [f"{i:064x}" for i in range(5814)], "trained": 0}, "5,814 training runs\n"),
    ],
)
def test_the_time_of_runs_from_the_store_is_not_shown_as_that_of_training(tmp_path, fields, said):
    write_entry(tmp_path, **fields)
    [entry] = site.Site(tmp_path).log
    assert said in pages.byline(entry, [])
