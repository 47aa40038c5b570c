"""What is cut on a phone shows it, a fold opens, and the gallery shows what was chosen."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from lrlab.labbook.site import _mathematics as mathematics
from lrlab.labbook.site import _outputs as outputs
from lrlab.labbook.site._frame import TEMPLATES

pytestmark = pytest.mark.browser

ASSETS = TEMPLATES.with_name("assets")
COLOURS = {"light": ("#ffffff", "#48566b"), "dark": ("#14181e", "#9ca4af")}
ROWS = "".join(f"<tr><td>{n}</td></tr>" for n in range(30))
TABLE = "<table><tbody><tr>{}</tr></tbody></table>"
EMPTY = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='9' height='1'/>"
KINDS = {
    "table": f'<div class="lrlab-table">{TABLE}</div>',
    "Markdown's table": f'<div class="pst-scrollable-table-container">{TABLE}</div>',
    "formula": f'<div class="lrlab-formula"><div class="lrlab-parts">{TABLE}</div></div>',
    "code": '<div class="highlight"><pre style="overflow: auto; margin: 0">'
    '<div style="width: {width}px; height: 80px"></div></pre></div>',
    "figure": f'<figure><a href="x"><img alt="" src="{EMPTY}" width="{{width}}"></a></figure>',
}


@pytest.fixture
def show(browser, tmp_path):
    """Open markup as an article with the book's style, and scripts of it, on a phone."""
    contexts = []

    def show_(markup: str, *scripts: str, scheme="light", width=375, javascript=True) -> Page:
        page, muted = COLOURS[scheme]
        colours = f"--pst-color-background: {page}; --pst-color-text-muted: {muted}; "
        colours += f"--pst-color-surface: {page}"
        style = f":root {{{colours}}} body {{background: {page}; margin: 16px}}"
        style += (ASSETS / "lrlab.css").read_text()
        files = "".join(f'<script src="{(ASSETS / name).as_uri()}"></script>' for name in scripts)
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="{scheme}"><meta charset="utf-8">'
            f"<title>x</title><style>{style}</style>"
            f'<article class="bd-article"><section><h1>Costs</h1>{markup}</section>'
            f"</article>{files}",
            encoding="utf-8",
        )
        size = {"width": width, "height": 700}
        contexts.append(browser.new_context(viewport=size, java_script_enabled=javascript))
        opened = contexts[-1].new_page()
        opened.goto(file.as_uri())
        return opened

    yield show_
    for context in contexts:
        context.close()


def edge(page: Page, box: str, scheme: str) -> float:
    """By how much the last pixels inside a box differ from the page's colour, of 255."""
    at = page.locator(box).bounding_box()
    clip = {"x": at["x"] + at["width"] - 8, "y": at["y"], "width": 8, "height": at["height"]}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as picture:
        seen = np.asarray(picture.convert("RGB"), float)
    colour = COLOURS[scheme][0][1:]
    ground = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)], float)
    return float(np.abs(seen - ground).max())


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_shows_it_at_the_edge_until_its_end_is_in_sight(show, kind, scheme):
    """Without a script; the cells are empty, so that only the sign has another colour."""
    box = ":is(.lrlab-table, .pst-scrollable-table-container, .lrlab-formula, figure > a, pre)"
    cell = '<td><div style="width: {}px; height: 80px"></div></td>'
    made = KINDS[kind].format(cell.format(900), width=900)
    page = show(made, scheme=scheme, javascript=False)
    assert edge(page, box, scheme) > 40
    page.locator(box).evaluate("box => box.scrollLeft = 200")
    assert edge(page, box, scheme) > 40
    page.locator(box).evaluate("box => box.scrollLeft = 10000")
    assert edge(page, box, scheme) < 3
    page = show(KINDS[kind].format(cell.format(200), width=200), scheme=scheme, javascript=False)
    assert page.locator(box).evaluate("box => box.scrollWidth - box.clientWidth") == 0
    assert edge(page, box, scheme) < 3


@pytest.mark.parametrize("width", [375, 700])
def test_the_table_of_schedules_fits_and_shows_no_sign_that_it_is_cut(show, width):
    style = (TEMPLATES.parent / "handbook" / "handbook.css").read_text()
    cells = f"<td>Linear</td><td>A line.</td><td>of: <code>get_{'linear_' * 9}schedule</code></td>"
    table = KINDS["Markdown's table"].format(cells)
    made = f'<style>{style} table {{width: 100%}}</style><div class="lrlab-schedules">{table}</div>'
    page = show(made, scheme="dark", width=width, javascript=False)
    box = page.locator(".pst-scrollable-table-container")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    assert edge(page, ".pst-scrollable-table-container", "dark") < 3


def test_a_wide_table_is_reached_with_the_keyboard_and_has_a_name_and_a_narrow_one_is_passed(show):
    wide = KINDS["Markdown's table"].format('<td><div style="width: 700px">1</div></td>')
    page = show(wide, "accessibility.js")
    table = page.get_by_role("group", name="Table: Costs")
    expect(table).to_have_attribute("tabindex", "0")
    page.keyboard.press("Tab")
    expect(table).to_be_focused()
    cell = table.locator("td")
    before = cell.bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    table.evaluate("box => new Promise((done) => box.scrollLeft ? done() : (box.onscroll = done))")
    assert cell.bounding_box()["x"] < before
    page.set_viewport_size({"width": 1280, "height": 700})
    expect(table).not_to_have_attribute("tabindex", "0")


def test_parts_of_a_formula_stand_below_each_other_where_they_do_not_fit_beside(show):
    tex = r"\eta_t = \eta_T + (\eta_0 - \eta_T) \frac{1 + \cos(\pi k / n)}{2}, \quad k = t - s_i"
    parts = mathematics.parts(tex)
    assert len(parts) == 2
    made = "".join(mathematics.mathml(part, as_block=True) for part in parts)
    formula = f'<div class="lrlab-formula"><div class="lrlab-parts">{made}</div></div>'

    def tops(width: int) -> list[float]:
        page = show(formula, width=width)
        box = page.locator(".lrlab-formula")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0
        places = [math.bounding_box() for math in page.locator("math").all()]
        return [place["y"] + place["height"] / 2 for place in places]

    wide, narrow = tops(1280), tops(320)
    assert abs(wide[0] - wide[1]) < 12
    assert narrow[1] > narrow[0] + 12


def test_rows_of_a_long_table_are_folded_on_the_screen_and_there_on_paper(show):
    table = f'<div class="lrlab-table"><table><tbody>{ROWS}</tbody></table></div>'
    page = show(outputs.align(table), javascript=False)
    shown = page.locator("tbody tr:visible")
    expect(shown).to_have_count(10)
    page.get_by_text("All 30 rows").click()
    expect(shown).to_have_count(30)
    page = show(outputs.align(table), javascript=False)
    page.emulate_media(media="print")
    expect(page.locator("tbody tr:visible")).to_have_count(30)


CARDS = {
    "one": "lrlab-tag-sgd lrlab-tag-lenet lrlab-source-smith-2017-cyclical",
    "two": "lrlab-tag-sgd lrlab-source-azmimr-2022",
    "three": "lrlab-tag-adam lrlab-source-azmimr-2022 lrlab-source-smith-2017-cyclical",
}
GALLERY = "".join(f'<div class="lrlab-entry {names}">{n}</div>' for n, names in CARDS.items())


def test_cards_are_filtered_by_what_they_are_about_and_by_source_together(show):
    page = show(GALLERY, "gallery.js")
    cards, source = page.locator(".lrlab-entry:visible"), page.get_by_label("Source")
    expect(cards).to_have_text(["one", "two", "three"])
    assert source.locator("option").all_text_contents() == [
        "all sources",
        "Azmimr 2022 (2)",
        "Smith 2017 cyclical (2)",
    ]
    source.select_option(label="Azmimr 2022 (2)")
    expect(cards).to_have_text(["two", "three"])
    page.get_by_label("Subject, task").select_option(label="sgd (2)")
    expect(cards).to_have_text(["two"])
    expect(page.get_by_role("status")).to_have_text("1 of 3 experiments")
    page.reload()
    expect(cards).to_have_text(["two"])
    source.select_option("")
    expect(cards).to_have_text(["one", "two"])


def test_without_a_script_all_cards_are_shown(show):
    page = show(GALLERY, "gallery.js", javascript=False)
    expect(page.locator(".lrlab-entry:visible")).to_have_count(3)
    expect(page.locator("select")).to_have_count(0)


def test_choices_of_the_gallery_fit_on_a_phone(show):
    page = show(GALLERY.replace("lrlab-tag-sgd", f"lrlab-tag-{'long-' * 20}"), "gallery.js")
    expect(page.get_by_label("Subject, task")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
