"""The explorer in a browser: its values are Python's, its code makes the same schedule."""

import random

import numpy as np
import pytest
import torch

from lrlab import schedules
from lrlab.labbook.site import handbook
from lrlab.labbook.site.handbook import _examples as examples
from lrlab.labbook.site.handbook import _explorer as explorer

pytestmark = pytest.mark.browser

FOLDER = handbook.FILES
SCRIPTS = handbook.SCRIPTS[handbook.EXPLORER]
TOLERANCE = 1e-9  # relative to the peak
DRAWN = 12  # settings of the sliders per schedule


@pytest.fixture(scope="module")
def scripts(browser):
    """A page that has the scripts and nothing else, for what is only computed."""
    page = browser.new_page()
    for name in SCRIPTS:
        page.add_script_tag(path=FOLDER / name)
    return page


@pytest.fixture
def open_page(open_alone):
    """Open the explorer's markup with its scripts, as a file, and expect no error."""

    def open_(address="", **how):
        return open_alone("Explorer", explorer.markup(), SCRIPTS, address, **how)

    return open_


def steps_of(schedule, n=200):
    last = schedule.horizon or 1000
    return sorted({round(i * (last + 5) / (n - 1)) for i in range(n)})


def rates(page, description, steps):
    return page.evaluate(
        "([d, steps]) => steps.map((t) => lrlabSchedules.rate(d, t))", [description, steps]
    )


def largest_error(values, schedule, steps):
    expected = schedule(steps)
    return np.abs(np.array(values) - expected).max() / expected.max()


def settings(page):
    """Settings of the sliders drawn at random, for every schedule: name, positions, description."""
    kinds = page.evaluate("lrlabExplorer.kinds.map((k) => [k, lrlabExplorer.controlsOf(k)])")
    draw = random.Random(0)
    asked = []
    for kind, controls in kinds:
        for i in range(DRAWN):
            positions = {}
            for c in controls:
                if "options" in c:
                    positions[c["name"]] = draw.choice(c["options"])
                elif i:  # the first are the ones that the page opens with
                    last = round((c["max"] - c["min"]) / c["step"])
                    positions[c["name"]] = c["min"] + c["step"] * draw.choice(
                        [0, last, draw.randint(0, last)]
                    )
            asked.append([kind, positions])
    read = "(asked) => asked.map(([k, p]) => lrlabExplorer.read(k, p).description)"
    return [(kind, p, d) for (kind, p), d in zip(asked, page.evaluate(read, asked), strict=True)]


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_values_are_those_of_python_at_200_steps(scripts, name):
    variants = [s for drawn in examples.varied(name).values() for s in drawn]
    for schedule in [examples.EXAMPLES[name], *variants]:
        long = schedule.scale(0.3)
        steps = steps_of(long)
        assert len(steps) == 200
        assert largest_error(rates(scripts, long.to_dict(), steps), long, steps) < TOLERANCE


def test_every_schedule_of_the_package_is_there(scripts):
    kinds = [n for n in schedules.__all__ if n not in ("Schedule", "as_torch", "from_dict")]
    assert sorted(scripts.evaluate("lrlabSchedules.names")) == sorted(kinds)
    shown = scripts.evaluate("lrlabExplorer.kinds")
    assert sorted([*shown, "Warmup"]) == sorted(kinds)


def test_every_setting_of_the_sliders_is_a_schedule_with_the_same_values(scripts):
    drawn = settings(scripts)
    for kind, positions, description in drawn:
        schedule = schedules.from_dict(description)
        steps = steps_of(schedule)
        error = largest_error(rates(scripts, description, steps), schedule, steps)
        assert error < TOLERANCE, (kind, positions)
    assert len(drawn) == DRAWN * len(scripts.evaluate("lrlabExplorer.kinds"))


def test_the_code_that_is_shown_makes_the_curve_that_is_shown(scripts):
    write = "(d) => [lrlabCode.lrlab(d), lrlabCode.torch(d)]"
    for kind, positions, description in settings(scripts):
        ours, theirs = scripts.evaluate(write, description)
        schedule = schedules.from_dict(description)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        made = {"optimizer": optimizer}
        exec(ours, made)
        assert made["schedule"] == schedule, (kind, positions)
        # Its own optimizer: the adapter of the first keeps a hook on the other.
        made = {"optimizer": torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)}
        exec(theirs, made)
        steps = steps_of(schedule)
        values = [made["rate"](t) for t in steps]
        assert largest_error(values, schedule, steps) < TOLERANCE, (kind, positions)
        assert made["optimizer"].param_groups[0]["lr"] == pytest.approx(schedule(0), abs=1e-12)


def test_without_a_script_there_are_a_picture_a_sentence_and_code_that_works(open_page):
    page = open_page(javascript=False)
    assert "cosine over 1,000 steps" in page.inner_text("noscript")
    assert page.locator(".lrlab-chart svg .curve").count() >= 1
    made = {"optimizer": torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)}
    exec(page.text_content("[data-code=lrlab]"), made)
    assert made["schedule"] == explorer.START
    made["optimizer"] = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    exec(page.text_content("[data-code=torch]"), made)
    steps = steps_of(explorer.START)
    assert largest_error([made["rate"](t) for t in steps], explorer.START, steps) < TOLERANCE


def test_it_opens_with_the_schedule_that_the_static_page_shows(scripts):
    shown = scripts.evaluate("lrlabExplorer.read('Cosine', {}).description")
    assert schedules.from_dict(shown) == explorer.START


def test_keys_alone_move_sliders_curve_and_code(open_page):
    page = open_page(width=375)
    curve = page.get_attribute(".lrlab-chart .curve", "d")
    page.focus("#lrlab-end_lr")
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    assert page.get_attribute(".lrlab-chart .curve", "d") != curve
    assert "end_lr=0.05" in page.inner_text("[data-code=lrlab]")
    assert page.get_attribute("#lrlab-end_lr", "aria-valuetext") == "0.05"
    page.focus("#lrlab-step")
    page.keyboard.press("End")
    assert page.inner_text("output[for=lrlab-step]") == "0.05 at step 1000"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_address_keeps_the_setting(open_page):
    page = open_page()
    page.select_option("#lrlab-kind", "OneCycle")
    page.focus("#lrlab-peak_lr")
    page.keyboard.press("Home")
    code = page.inner_text("[data-code=lrlab]")
    assert "peak_lr=0.00001" in code and "OneCycle" in code
    again = open_page(address=page.evaluate("location.hash"))
    assert again.inner_text("[data-code=lrlab]") == code


def test_a_kept_curve_stays_beside_the_new_one(open_page):
    page = open_page()
    page.click("text=Keep this curve")
    page.select_option("#lrlab-kind", "LinearDecayToZero")
    kept, new = (page.get_attribute(f".lrlab-chart .{c}", "d") for c in ("kept", "curve-0"))
    assert kept and new and kept != new
