"""The chart of an entry's verdicts: one row a tested claim, drawn in the unit of δ."""

import pytest
from bs4 import BeautifulSoup

from lrlab.claims import About, Claim, Setting, judge
from lrlab.labbook.site._verdicts import beside, chart, rest, rests_on, turned

VALUES = [-0.5, -0.6, -0.55, -0.45, -0.52, -0.51]


def effect(id, values=VALUES, direction="less", delta=0.1, **more):
    return Claim.effect(id, f"{id} < it", values=values, direction=direction, delta=delta, **more)


def drawn(*claims):
    judged = judge(claims, notebook="demo")
    return judged, BeautifulSoup(chart(judged) + beside(judged), "lxml")


def percent(text):
    return float(text.removesuffix("%"))


def test_a_row_links_to_its_card_and_says_verdict_and_numbers():
    [claim], page = drawn(effect("lower"))
    [row] = page.select("tbody tr")
    assert row.select_one("th a")["href"] == "#claim-lower"
    assert row.select_one("th a").get_text() == "lower < it"
    cells = [cell.get_text() for cell in row.select("td")]
    assert cells[0] == claim.verdict == "supported"
    assert (
        cells[2].startswith("−0.522 [−")
        and " " not in cells[2].partition("]")[0][7:]
        and cells[2].endswith("n\u00a0=\u00a06")
    )


@pytest.mark.parametrize(("direction", "side"), [("less", 1), ("greater", -1)])
def test_what_speaks_for_a_claim_is_drawn_to_the_right(direction, side):
    [claim], page = drawn(effect("it", direction=direction))
    middle, low, high = turned(claim)
    assert middle == pytest.approx(side * 5.217, abs=1e-3) and low < middle < high
    assert (percent(page.circle["cx"]) - 50) * side > 0


def test_an_interval_is_drawn_where_it_is_and_the_zone_ends_at_delta():
    [claim], page = drawn(effect("it"))
    _, low, high = turned(claim)
    line, zone = page.select_one(".lrlab-whisker"), page.select_one(".lrlab-zone")
    unit = percent(zone["width"])
    assert percent(zone["x"]) == 50
    assert percent(line["x1"]) == pytest.approx(50 + low * unit, abs=0.1)
    assert percent(line["x2"]) == pytest.approx(50 + high * unit, abs=0.1)


def test_one_far_away_is_marked_and_does_not_stretch_the_others():
    far = effect("far", [100 * value for value in VALUES])
    _, page = drawn(effect("near"), far)
    near, other = page.select("tbody tr")
    assert other.circle is None and [text.get_text() for text in other.select("text")] == ["»"]
    assert percent(near.circle["cx"]) > 60 and not near.select("text")


def test_a_family_is_one_group_of_rows():
    about = About(family="against cosine")
    _, page = drawn(effect("a", about=about), effect("alone"), effect("b", about=about))
    groups = [
        [cell.get_text() for cell in body.select("th")] for body in page.select("table > tbody")
    ]
    assert groups == [["against cosine", "a < it", "b < it"], ["alone < it"]]


def test_equivalence_proportion_and_a_delta_of_zero_have_their_own_unit():
    same = Claim.equivalence("same", "equal", values=[0.01, -0.01, 0.02, 0.0, 0.01], margin=0.1)
    most = Claim.proportion("most", "most", successes=18, n=20, direction="greater", threshold=0.5)
    judged, page = drawn(same, most, effect("zero", delta=0.0))
    assert abs(turned(judged[0])[0]) < 1
    assert turned(judged[1])[0] == pytest.approx(0.4 / 0.05)
    zones = [len(row.select(".lrlab-zone")) for row in page.select("tbody tr")]
    assert zones == [1, 0, 0]


def test_a_share_is_shown_with_its_bound_once():
    made = {"successes": 1, "n": 40, "about": About(replication="runs")}
    few = made | {"threshold": 0.2, "direction": "less"}
    many = made | {"threshold": 0.01, "direction": "greater"}
    claims = [
        Claim.proportion("bare", "A run ends.", **few),
        Claim.proportion("bound", "Fewer than 20 % of runs end", **few),
        Claim.proportion("much", "A run ends", **many),
    ]
    _, page = drawn(*claims)
    assert [link.get_text() for link in page.select("tbody a")] == [
        "A run ends, in less than 20 % of the runs",
        "Fewer than 20 % of runs end",
        "A run ends, in more than 1 % of the runs",
    ]


def test_without_a_tested_claim_there_is_no_chart_and_others_are_counted():
    exact = Claim.exact("half", "half", holds=True)
    described = Claim.descriptive("rate", "rate", values=[0.1, 0.2])
    assert chart(judge([exact], notebook="demo")) == ""
    _, page = drawn(effect("it"), exact, described)
    apart = BeautifulSoup(rest(judge([exact, described], notebook="demo"), "p.html"), "lxml")
    links = [a["href"] for a in apart.select("tbody a")]
    assert links == ["p.html#claim-rate", "p.html#claim-half"]
    said = page.select_one("p").get_text()
    assert "1 measurement without" in said and "1 check of" in said


def test_claims_that_say_the_same_are_told_apart_by_what_differs_in_their_settings():
    claims = [
        Claim.effect(
            id,
            "It falls.",
            values=VALUES,
            direction="less",
            delta=0.1,
            about=About(Setting("LeNet", id)),
        )
        for id in ("SGD", "Adam")
    ]
    _, page = drawn(*claims, effect("alone", about=About(Setting("LeNet", "SGD"))))
    said = [link.get_text() for link in page.select("tbody a")]
    assert said == ["It falls (SGD)", "It falls (Adam)", "alone < it"]


def test_an_answer_names_in_words_the_claims_that_it_rests_on_with_what_came():
    judged = judge([effect("lower"), effect("other"), effect("rises", direction="greater")])
    page = BeautifulSoup(rests_on(["rises", "lower", "gone"], judged), "lxml")
    items = page.select("details li")
    assert [item.a["href"] for item in items] == ["#claim-rises", "#claim-lower"]
    assert [item.a.get_text() for item in items] == ["rises < it", "lower < it"]
    assert [item.span.get_text().split(",")[0] for item in items] == ["contradicted", "supported"]
    levels = sorted({f"{100 * claim.level:.3g}" for claim in judged if claim.level})
    assert page.summary.get_text() == (
        "The answer rests on 2 claims: 1 supported · 1 contradicted"
        f" · intervals of {' and '.join(levels)} %"
    )
    assert rests_on(["gone"], judged) == ""
