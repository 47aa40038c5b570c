"""The loss explorer: what it shows are the numbers that entries carry, read from their files."""

import json
import math
import re

import numpy as np
import pytest
import recorded_runs as made
from playwright.sync_api import expect
from recorded_runs import FIRST, SECOND, markup, stored

from lrlab import schedules
from lrlab.labbook.site import handbook
from lrlab.labbook.site import site as sites
from lrlab.labbook.site.handbook import _losses as losses

pytestmark = pytest.mark.browser

SCRIPTS = handbook.SCRIPTS[handbook.LOSSES]
DAMAGED = "The runs of this entry can't be read: their file is damaged."


@pytest.fixture
def root(tmp_path):
    return made.laboratory(tmp_path / "laboratory")


@pytest.fixture
def open_page(open_alone, root, tmp_path):
    """Open the explorer of the laboratory's entries as a file."""

    def open_(address="", **how):
        static = tmp_path / "static"
        static.mkdir(exist_ok=True)
        for entry, data in losses.carrying(sites.Site(root))[0]:
            file = static / losses.file_of(entry)
            if not file.exists():  # or it is a damaged one
                file.write_text(losses.script(entry, data), encoding="utf-8")
        return open_alone("Loss explorer", markup(root), SCRIPTS, address, **how)

    return open_


def drawn(page, chart):
    """The points of a chart's curve in the units of its vertical axis, read off its marks."""
    found = page.evaluate(
        """(chart) => {
          const svg = document.querySelector(`.lrlab-${chart} svg`);
          const heights = [...svg.querySelectorAll(".grid")].map((g) => g.getAttribute("d"));
          const words = [...svg.querySelectorAll("text")].map((t) => t.textContent);
          return [heights, words, svg.querySelector(".curve-0").getAttribute("d")];
        }""",
        chart,
    )
    heights = [float(re.fullmatch(r"M58 ([\d.]+)H[\d.]+", d)[1]) for d in found[0]]
    marks = [float(word) for word in found[1][: len(heights)]]
    slope = (marks[-1] - marks[0]) / (heights[-1] - heights[0])
    points = [float(pair.split()[1]) for pair in found[2][1:].split("L")]
    return marks[0] + slope * (np.array(points) - heights[0]), abs(slope)


def test_every_position_of_the_sliders_shows_what_the_entry_carries(open_page, root):
    page = open_page()
    data = stored(root, FIRST)
    said = page.locator("output[aria-live]")
    seen = set()
    for schedule in data["schedules"]:
        page.select_option("#lrlab-schedule", schedule["name"])
        for i, point in enumerate(schedule["peaks"]):
            page.fill("#lrlab-peak", str(i))
            assert page.inner_text("output[for=lrlab-peak]") == f"{point['peak']:g}"
            rate = schedules.from_dict(point["schedule"])
            shown, pixel = drawn(page, "rate")
            assert shown.max() == pytest.approx(rate(range(166)).max(), abs=pixel)
            for k, run in enumerate(point["runs"]):
                page.fill("#lrlab-seed", str(k))
                assert page.inner_text("output[for=lrlab-seed]") == str(data["seeds"][k])
                text = said.inner_text()
                assert text.startswith(f"Validation loss at the end: {run['final']} nats")
                ends = [each["final"] for each in point["runs"]]
                assert f"The 3 seeds at this rate: {min(ends)} to {max(ends)}." in text
                assert ("diverged" in text) == run.get("diverged", False)
                points = np.array(run["loss"].split(), dtype=float)
                points = points[np.isfinite(points)]
                shown, pixel = drawn(page, "loss")
                assert len(shown) == len(points)
                inside = points < 3  # a run that diverged leaves the axis
                assert inside[:-1].all()
                assert np.abs(shown - points)[inside].max() < 0.06 * pixel
                shown, pixel = drawn(page, "end")
                here = [each["runs"][k]["final"] for each in schedule["peaks"]]
                inside = np.array(here) < 1  # one that diverged counts as guessing
                assert np.abs(shown - here)[inside].max() < 0.06 * pixel
                assert (shown[~inside] >= shown.max() - pixel).all()
                seen.add((schedule["name"], point["peak"], data["seeds"][k]))
    assert seen == set(made.grid())


def test_the_longest_title_fits_on_a_phone(open_page, root):
    data = stored(root, FIRST) | {"about": "A network of many words " * 4}
    made.carrying(root, data, notebook="first")
    page = open_page(width=375)
    page.wait_for_selector(".lrlab-rate svg")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [page.locator(f"#lrlab-{name}").bounding_box() for name in ("entry", "schedule")]
    assert all(box["x"] + box["width"] <= 375 for box in boxes)
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]


def test_axes_stay_while_sliders_move_and_one_diverged_run_does_not_stretch_them(open_page, root):
    page = open_page()
    page.select_option("#lrlab-schedule", made.DIVERGED[0])
    words = "[...document.querySelectorAll('.lrlab-losses svg text')].map((t) => t.textContent)"
    page.fill("#lrlab-peak", "3")
    before = page.evaluate(words)
    page.fill("#lrlab-seed", "1")
    assert "diverged" in page.inner_text("output[aria-live]")
    assert page.evaluate(words) == before
    assert max(float(w) for w in before if re.fullmatch(r"[\d.]+", w)) <= max(
        1.2 * math.log(10), 165
    )


def test_an_entry_is_loaded_when_it_is_chosen_and_no_earlier(open_page, root):
    page = open_page()
    loaded = "[...document.head.querySelectorAll('script')].map((s) => s.src.split('-').at(-1))"
    assert page.evaluate(loaded) == ["first.js"]
    page.select_option("#lrlab-entry", index=1)
    expect(page).to_have_url(re.compile("#.*second"))
    assert page.evaluate(loaded) == ["first.js", "second.js"]
    point = stored(root, SECOND)["schedules"][0]["peaks"][2]
    final = point["runs"][0]["final"]
    assert f"at the end: {final} nats" in page.inner_text("output[aria-live]")
    page.select_option("#lrlab-entry", index=0)
    assert "first" in page.evaluate("location.hash")


def test_another_schedule_keeps_the_seed_and_the_nearest_rate(open_page):
    page = open_page()
    page.fill("#lrlab-peak", "2")
    page.fill("#lrlab-seed", "2")
    page.focus("#lrlab-schedule")
    page.select_option("#lrlab-schedule", "one-cycle")
    assert page.inner_text("output[for=lrlab-peak]") == "0.4"
    assert page.inner_text("output[for=lrlab-seed]") == "50002"
    assert page.evaluate("document.activeElement.id") == "lrlab-schedule"


def test_a_run_whose_end_was_not_measured_says_so(open_page, root):
    data = stored(root, FIRST)
    data["chance"] = None
    for run in data["schedules"][0]["peaks"][1]["runs"]:
        run["final"] = None
    made.carrying(root, data, notebook="first")
    page = open_page()
    page.wait_for_selector(".lrlab-rate svg")
    assert page.inner_text("output[aria-live]") == "Validation loss at the end: no number."
    assert "NaN" not in page.content() and "None" not in markup(root)


def test_keys_alone_move_through_the_runs_on_a_phone(open_page, root):
    page = open_page(width=375)
    page.focus("#lrlab-peak")
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "lrlab-seed"
    page.keyboard.press("ArrowRight")
    run = stored(root, FIRST)["schedules"][0]["peaks"][-1]["runs"][1]
    assert f"at the end: {run['final']} nats" in page.inner_text("output[aria-live]")
    assert page.get_attribute("#lrlab-peak", "aria-valuetext") == "0.4"
    assert page.get_attribute("#lrlab-seed", "aria-valuetext") == "50001"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    labelled = "[...document.querySelectorAll('input, select')].every((e) => e.labels.length === 1)"
    assert page.evaluate(labelled)


def test_the_address_keeps_the_setting(open_page):
    page = open_page()
    page.select_option("#lrlab-entry", index=1)
    expect(page).to_have_url(re.compile("#.*second"))
    page.select_option("#lrlab-schedule", "no schedule")
    page.fill("#lrlab-peak", "0")
    page.fill("#lrlab-seed", "2")
    said = page.inner_text("output[aria-live]")
    again = open_page(address=page.evaluate("location.hash"))
    assert again.inner_text("output[aria-live]") == said
    assert again.inner_text("output[for=lrlab-peak]") == "0.1"


@pytest.mark.parametrize("address", ["#entry=no&schedule=no&peak=x&seed=-1", "#peak=1e999", "#%"])
def test_an_address_that_makes_no_sense_opens_the_start(open_page, address):
    start = open_page().inner_text("output[aria-live]")
    assert open_page(address=address).inner_text("output[for=lrlab-seed]") == "50000"
    assert start.startswith("Validation loss")


def test_a_kept_run_stays_beside_the_new_one(open_page):
    page = open_page()
    page.click("text=Keep this run")
    assert "no schedule, peak rate 0.2, seed 50000" in page.inner_text(".lrlab-kept")
    page.fill("#lrlab-peak", "2")
    for chart in ("rate", "loss"):
        kept, new = (
            page.get_attribute(f".lrlab-{chart} .{kind}", "d") for kind in ("kept", "curve-0")
        )
        assert kept and new and kept != new
    page.click("text=Let go of")
    assert page.locator(".kept").count() == 0


def test_it_opens_with_the_run_that_the_static_page_shows(open_page, root):
    static = open_page(javascript=False).inner_text(".lrlab-static")
    page = open_page()
    peak, seed = (page.inner_text(f"output[for=lrlab-{name}]") for name in ("peak", "seed"))
    name = page.input_value("#lrlab-schedule")
    assert f"{name}, peak rate {peak}, seed {seed}" in static
    final = re.search(r"at the end: ([\d.]+)", page.inner_text("output[aria-live]"))[1]
    assert f"at the end: {final}" in static


def test_without_a_script_a_table_holds_what_every_setting_ended_at(open_page, root):
    page = open_page(javascript=False)
    assert "sliders need JavaScript" in page.inner_text("noscript")
    assert page.locator(".lrlab-static svg .curve").count() == 4  # two panels and their legends
    page.locator("summary").first.click()
    rows = page.locator("details").first.locator("tbody tr").all_inner_texts()
    expected = []
    for schedule in stored(root, FIRST)["schedules"]:
        for point in schedule["peaks"]:
            ends = [run["final"] for run in point["runs"]]
            numbers = (point["peak"], sum(ends) / len(ends), min(ends), max(ends))
            diverged = sum("diverged" in run for run in point["runs"])
            cells = [schedule["name"], *(f"{x:.4g}" for x in numbers), str(diverged)]
            expected.append(cells)
    assert [row.split("\t") for row in rows] == expected
    assert page.locator("details a").first.get_attribute("href") == f"book/log/{FIRST}.html"


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("seeds"),
        lambda d: d["schedules"][0]["peaks"][0]["runs"].pop(),
        lambda d: d["schedules"][0]["peaks"][0]["runs"][0].update(loss="1 2"),
        lambda d: d["schedules"][0]["peaks"][0]["runs"][0].update(final="low"),
        lambda d: d["schedules"][0]["peaks"][0]["schedule"].update(schedule="Unknown"),
    ],
)
def test_a_damaged_file_is_a_sentence_and_the_others_can_be_chosen(
    open_page, root, tmp_path, damage
):
    data = stored(root, FIRST)
    damage(data)
    file = tmp_path / "static" / f"recorded-{FIRST}.js"
    file.parent.mkdir()
    file.write_text(f"lrlabRecorded({json.dumps(FIRST)}, {json.dumps(data)});")
    page = open_page()
    page.wait_for_selector("output[aria-live]:not(:empty)")
    assert page.inner_text("output[aria-live]") == DAMAGED
    assert not page.locator(".lrlab-chart:visible").count()
    page.select_option("#lrlab-entry", index=1)
    page.wait_for_selector(".lrlab-rate svg")
    assert "at the end:" in page.inner_text("output[aria-live]")


@pytest.mark.parametrize("content", ["lrlabRecorded(", None])
def test_a_file_that_is_cut_or_gone_is_a_sentence_too(
    open_page, open_alone, root, tmp_path, content
):
    page = open_page()  # which writes the files
    file = tmp_path / "static" / f"recorded-{SECOND}.js"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    page.select_option("#lrlab-entry", index=1)
    expect(page.locator("output[aria-live]")).to_have_text(DAMAGED)
    assert open_alone.errors.pop()
    page.select_option("#lrlab-entry", index=0)
    assert "at the end:" in page.inner_text("output[aria-live]")
