"""The page of a sweep in a real browser: brushed, sorted, on a phone, in the dark, by keyboard."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sweep_fakes import Formula, plan

from lrlab.labbook.sweeps.page import write_report
from lrlab.sweep import Choice, LogUniform, Uniform, sweep, trials

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def study():
    space = {
        "peak_lr": LogUniform(1e-4, 1.0),
        "optimizer.momentum": Uniform(0.0, 0.9),
        "batch_size": Choice((10, 20, 40)),
    }
    made = plan(space=space, trials=40, sampler="random")
    return sweep(made, trainer=Formula(), n_jobs=1, progress=False)


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    return write_report(study, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport=DESK, color_scheme="light") as context:
        context.set_default_timeout(60_000)  # a busy machine is no failure
        yield context.new_page()


@pytest.fixture
def page(tab: Page, report) -> Iterator[Page]:
    """The report, opened anew in one tab for all tests, which is left as it was found."""
    troubles: list[str] = []
    heard = {
        "request": lambda r: r.url.startswith(("file:", "data:")) or troubles.append(r.url),
        "console": lambda m: m.type == "error" and troubles.append(m.text),
        "pageerror": lambda e: troubles.append(str(e)),
    }
    for event, listener in heard.items():
        tab.on(event, listener)
    tab.goto(report.as_uri())
    yield tab
    for event, listener in heard.items():
        tab.remove_listener(event, listener)
    tab.goto("about:blank")
    tab.set_viewport_size(DESK)
    tab.emulate_media(color_scheme="light")
    assert not troubles


def lines(page: Page, where: str) -> int:
    return page.locator(f"#{where} path.trial:not(.out)").count()


def visible(page: Page) -> list[int]:
    rows = page.locator("#trials tbody tr:not(.out)")
    return rows.evaluate_all("rows => rows.map(row => +row.dataset.n)")


def test_all_trials_are_shown_first(page, study):
    found = trials(study)
    assert lines(page, "coordinates") == lines(page, "curves") == 40
    assert page.get_by_role("status").inner_text() == "40 of 40 trials"
    assert sorted(visible(page)) == list(range(40))
    stopped = {t.number for t in found if t.outcome == "stopped"}
    page.get_by_label("stopped", exact=True).uncheck()
    assert set(visible(page)) == set(range(40)) - stopped != set(range(40))


def test_a_range_on_a_logarithmic_axis_chooses_lines_curves_and_rows(page, study):
    low = page.get_by_role("slider", name="lowest peak_lr")
    low.focus()
    for _ in range(5):
        low.press("PageUp")  # half of four decades: from 1e-4 to 1e-2
    assert low.get_attribute("aria-valuetext") == "0.01"
    expected = {t.number for t in trials(study) if t.params["peak_lr"] >= 0.01}
    assert set(visible(page)) == expected
    assert lines(page, "coordinates") == lines(page, "curves") == len(expected)
    assert page.get_by_role("status").inner_text() == f"{len(expected)} of 40 trials"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "lowest peak_lr"
    page.get_by_role("button", name="Clear ranges").click()
    assert len(visible(page)) == 40


def drag(page: Page, axis: int, first: float, last: float) -> None:
    """Drag along an axis, from and to places between 0 and 1."""
    strip = page.locator("#coordinates .strip").nth(axis)
    page.locator("#coordinates").scroll_into_view_if_needed()  # strips are drawn anew on a resize
    box = strip.bounding_box()
    lying = box["width"] > box["height"]
    for place, act in ((first, page.mouse.down), (last, page.mouse.up)):
        if lying:
            x = box["x"] + 8 + place * (box["width"] - 16)
            page.mouse.move(x, box["y"] + box["height"] / 2, steps=4)
        else:
            y = box["y"] + 8 + (1 - place) * (box["height"] - 16)
            page.mouse.move(box["x"] + box["width"] / 2, y, steps=4)
        act()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_ranges_are_dragged_and_a_click_lets_go(page, study, size):
    page.set_viewport_size(size)
    drag(page, 1, 0.25, 0.75)
    within = {t.number for t in trials(study) if 0.21 < t.params["optimizer.momentum"] < 0.69}
    inner = {t.number for t in trials(study) if 0.24 < t.params["optimizer.momentum"] < 0.66}
    assert inner <= set(visible(page)) <= within and set(visible(page)) != set(range(40))
    drag(page, 2, 0.45, 0.55)  # the middle option of three
    assert {trials(study)[n].params["batch_size"] for n in visible(page)} == {20}
    drag(page, 1, 0.9, 0.9)
    drag(page, 2, 0.9, 0.9)
    assert len(visible(page)) == 40


def test_the_table_is_sorted_by_any_column_both_ways(page, study):
    rates = [t.params["peak_lr"] for t in trials(study)]
    button = page.get_by_role("button", name="peak_lr", exact=True)
    button.press("Enter")
    assert [rates[n] for n in visible(page)] == sorted(rates)
    head = page.get_by_role("columnheader", name="peak_lr")
    assert head.get_attribute("aria-sort") == "ascending"
    button.click()
    assert [rates[n] for n in visible(page)] == sorted(rates, reverse=True)
    assert page.locator("th[aria-sort]").count() == 1


def test_marked_trials_are_thick_and_can_be_shown_alone(page):
    for number in (3, 7):
        page.get_by_label(f"mark trial {number}", exact=True).check()
    assert page.locator("#coordinates path.marked").count() == 2
    assert page.locator("#curves path.marked").count() == 2
    page.get_by_label("marked ones only").check()
    assert sorted(visible(page)) == [3, 7]
    assert lines(page, "curves") == 2


def test_logarithmic_axes_are_drawn_again_with_the_ranges_kept(page):
    drag(page, 1, 0.25, 0.75)
    before = visible(page)
    page.get_by_label("logarithmic value").check()
    page.get_by_label("logarithmic steps").check()
    assert visible(page) == before
    drawn = page.locator("svg").evaluate_all("all => all.map(svg => svg.innerHTML).join()")
    assert "NaN" not in drawn and "Infinity" not in drawn


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_it_is_accessible_and_never_scrolls_sideways(page, scheme, size):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    found = Axe().run(page).response["violations"]
    assert not [f"{v['id']}: {n['html'][:200]}" for v in found for n in v["nodes"]]
    small = "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect())"
    boxes = page.evaluate(f"{small}.map(b => [b.left, b.right, b.height])")
    assert all(left >= -1 and right <= size["width"] + 1 for left, right, _ in boxes)
    assert min(height for *_, height in boxes) >= 12  # not scaled down


def test_it_is_a_table_without_scripts(browser, report):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        assert page.locator("#trials tbody tr").count() == 40
        assert "need scripts" in page.locator("noscript").inner_text()
