"""What was foretold stands beside what came: on an entry's page, and over the whole log."""

import json
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from entry_maker import around, write_entry

from lrlab.claims import About, Claim, Setting, judge
from lrlab.labbook import grades, looks, predictions
from lrlab.labbook.entries.markup import prose
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import _predictions as over_all
from lrlab.labbook.site import site
from lrlab.labbook.site._foretold import what_came


def shown(tmp_path, **header) -> str:
    path = write_entry(tmp_path)
    notebook = json.loads(path.read_bytes())
    notebook["metadata"]["lrlab"].update(header)
    notebook["cells"].insert(
        1,
        {
            "cell_type": "markdown",
            "id": "told",
            "metadata": {},
            "source": "## Prediction\n\nIt falls.\n\n## Result\n\nMore.",
        },
    )
    path.write_text(json.dumps(notebook))
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(path.read_text(), log.log[0], log))["cells"]
    return next(cell["source"] for cell in cells if cell["id"] == "told")


def test_sentences_stand_beside_what_came(tmp_path):
    foretold = [
        {"says": "It ends <i>lower</i>.", "claims": {"lower": "supported", "same": "supported"}},
        {"says": "It is a surprise.", "claims": "not judged"},
    ]
    text = shown(tmp_path, foretold=foretold)
    before, _, after = text.partition("## Result")
    assert before.index("It falls.") < before.index("| Predicted | What came |")
    assert "It ends &#60;i&#62;lower&#60;/i&#62;. | came true of 1 claim, did not of 1 (<a" in (
        before
    )
    assert "| It is a surprise. | not judged |" in before and after.endswith("More.")


def test_probabilities_stand_beside_the_verdict_that_came(tmp_path):
    chances = {"lower": {"supported": 0.7, "inconclusive": 0.3}, "gone": {"supported": 1.0}}
    text = shown(tmp_path, predictions=chances)
    assert "</a>: supported 70 %, inconclusive 30 %" in text
    assert "supported, which had 70 %" in text and "gone" not in text
    [claim] = [c for c in site.Site(tmp_path).log[0].claims() if c["id"] == "demo.lower"]
    assert f'<a href="#claim-lower">{prose(claim["statement"].rstrip("."))}</a>' in text


def test_predictions_of_claims_that_say_the_same_are_told_apart_by_their_settings(tmp_path):
    claims = [
        Claim.proportion(
            slug,
            "Most come back",
            successes=6,
            n=6,
            direction="greater",
            threshold=0.5,
            about=About(Setting(task, "SGD", "100 updates")),
        )
        for slug, task in (("one", "perceptron"), ("two", "LeNet"))
    ]
    sure = {"supported": 1.0}
    said = what_came({"predictions": {"two": sure, "one": sure}}, judge(claims, notebook="demo"))
    _, _, second, first = said.splitlines()
    bound = "Most come back, in more than 50 % of the seeds"
    assert f'<a href="#claim-two">{bound} &#40;LeNet&#41;</a>' in second
    assert f'<a href="#claim-one">{bound} &#40;perceptron&#41;</a>' in first


def test_without_a_prediction_in_the_header_the_cell_is_as_it_was(tmp_path):
    assert shown(tmp_path) == "## Prediction\n\nIt falls.\n\n## Result\n\nMore."


def told(path, before=None, **header) -> None:
    """Put a prediction into an entry's header; its first look was bound to it, or to another."""
    notebook = json.loads(path.read_bytes())
    notebook["metadata"]["lrlab"].update(header)
    path.write_text(json.dumps(notebook))
    record = json.loads(path.with_suffix(".json").read_bytes())
    bound = before or header.get("predictions")
    looks.append(path.parents[2], [looks.look(record, [], bound)])


def test_what_was_foretold_of_tested_claims_is_counted_and_scored_over_the_log(tmp_path):
    sure = {"supported": 1.0}
    told(
        write_entry(tmp_path, "one"),
        predictions={
            "lower": {"supported": 0.8, "inconclusive": 0.2},  # came
            "same": {"supported": 0.6, "different": 0.4},  # came otherwise
            "identity": sure,  # exact: not scored
            "dropped": sure,  # no such claim
        },
    )
    told(
        write_entry(tmp_path, "two"),
        foretold=[
            {"says": "It is lower.", "claims": {"lower": "supported"}},
            {"says": "It is the same.", "claims": {"same": "supported"}},
            {"says": "Both.", "claims": {"lower": "supported", "same": "supported"}},
            {"says": "It ends at 0.", "claims": {"identity": "supported"}},
            {"says": "It is nice.", "claims": "not judged"},
        ],
    )
    told(write_entry(tmp_path, "three"), predictions={"lower": sure}, before={"lower": {}})
    told(write_entry(tmp_path, "four", size="smoke"), predictions={"lower": sure})
    found = over_all.foretold(site.Site(tmp_path))
    assert [came for _, came in found.all] == ["supported", "different"]
    assert found.gone == ["one.dropped"] and found.checks == 1
    scores, late, sentences = over_all.scored(found)
    assert late.endswith("not of before the first look: three.")
    brier, base = (0.08 + 0.72) / 2, 0.5
    assert "2 tested claims in 1 entry" in scores and "outcome came in 1 (" in scores
    assert f"Brier score is {brier:.2f}, that of the base rates {base:.2f}" in scores
    assert f"a skill of {1 - brier / base:.2f}" in scores and "one.dropped" in scores
    assert sentences.startswith(
        "Older experiments made their predictions in sentences. Of 3 that speak of tested claims "
        "1 came true, 1 did not, 0 are open and 1 mixed; 1 more are not judged"
    )
    assert (
        "1 have a claim that holds and bounds what amount they name, 0 name an amount" in sentences
    )


def test_a_sentence_is_graded_by_what_its_claims_bound():
    low = {"values": around(-0.5), "direction": "less", "delta": 0.05}
    low["unit"] = "log ratio of losses"
    claims = [
        Claim.effect("lower", "A ends lower", **low),
        Claim.effect("most", "A ends 40 % lower", **low),
        Claim.effect("higher", "A ends higher", **low | {"direction": "greater"}),
        Claim.equivalence("same", "A is B", values=around(0.0), margin=0.1),
        Claim.proportion("few", "Few do", successes=0, n=20, direction="less", threshold=0.5),
        Claim.proportion("many", "Many do", successes=0, n=20, direction="greater", threshold=0.5),
    ]
    known = {claim.slug: claim for claim in judge(claims, notebook="demo")}
    sure = "supported"
    for says, foretold, grade in (
        ("A ends lower after 16 updates.", {"lower": sure}, grades.FULL),
        ("A ends 5 % lower.", {"lower": sure}, grades.FULL),  # which is δ
        ("A ends a few per cent lower.", {"lower": sure}, grades.SIDE),
        ("A ends ten per cent lower.", {"lower": sure}, grades.SIDE),
        ("A ends lower by a third.", {"lower": sure}, grades.SIDE),
        ("A ends 40 % lower.", {"most": sure}, grades.FULL),
        ("A ends a few per cent higher or lower than B.", {"same": sure}, grades.FULL),
        ("A does not end higher.", {"higher": "contradicted"}, grades.FAILED),
        ("Fewer than a quarter do.", {"few": sure, "many": "contradicted"}, grades.FULL),
        ("A ends higher.", {"higher": sure}, "did not come true"),
        ("It is nice.", "not judged", "not judged"),
    ):
        assert grades.graded(says, foretold, known) == grade, says


def test_the_plot_shows_each_tenth_at_what_was_said_and_what_came():
    pairs = [({"supported": 0.75, "contradicted": 0.25}, "supported")] * 3
    pairs += [({"supported": 0.75, "contradicted": 0.25}, "contradicted")]
    bins = predictions.reliability(pairs)
    assert [(one.n, one.said, one.came) for one in bins] == [
        (4, 0.0, 0.0),
        (4, 0.25, 0.25),
        (4, 0.75, 0.75),
    ]
    drawn = ElementTree.fromstring(over_all.plot(bins))
    places = [(float(c.get("cx")), float(c.get("cy"))) for c in drawn.iter("circle")]
    assert all(x + y == pytest.approx(places[0][0] + places[0][1]) for x, y in places)
    assert len(places) == 3 and "<td>75</td>" in over_all.numbers(bins)


def test_a_log_without_predictions_has_nothing_to_score(tmp_path):
    write_entry(tmp_path)
    assert over_all.scored(over_all.foretold(site.Site(tmp_path))) == []


def test_the_page_of_what_was_foretold_leads_to_the_predictions_of_each_entry(book):
    page = BeautifulSoup((book.html / "book" / "predictions.html").read_bytes(), "lxml")
    found = over_all.foretold(site.Site(book.root))
    bins = predictions.reliability(found.all)
    assert len(page.select("svg.lrlab-reliability circle")) == len(bins) > 5
    links = [link["href"] for link in page.select("table.table th[scope=row] a")]
    assert links == [f"log/{name}.html#prediction" for name in found.pairs]
    assert f"{len(found.all)} tested claims in {len(found.pairs)} entries" in page.get_text()
