"""Advice is shown as it is without script, and with it the choices filter."""

import re

import lxml.html
import pytest
from playwright.sync_api import expect
from small_build import render

from lrlab.labbook.site.handbook import _recipe as recipe

CONF = """
from lrlab.labbook.site import handbook
from lrlab.labbook.site.handbook import _recipe as recipe

extensions = ["myst_parser"]
html_theme = "basic"
[script] = handbook.SCRIPTS[handbook.CHOOSING]
html_static_path = [str(handbook.FILES / name) for name in ("handbook.css", script)]
html_css_files = ["handbook.css"]
html_js_files = [(script, {"defer": "defer"})]
setup = recipe.connect
"""
PAGE = """
# Choosing

```{recipe-choices}
```

## Rate

```{recipe}
:optimizer: sgd
:model: perceptron, cnn
Take **a tenth**.
```

```{recipe}
:optimizer: adam
:model: perceptron
:budget: 1000
Take a thousandth.
```

```{recipe}
:optimizer: adam
:model: transformer
Take two thousandths, with `a_long_name_that_no_line_of_a_telephone_can_hold_without_a_break_in_it`.
```

## Schedule

```{recipe}
Let it fall.
```

```{recipe}
:tuning: 5, 20
Try another.
```
"""
SGD, ADAM, LANGUAGE, ALWAYS, TUNED = range(5)


def build(root, page):
    (root / "conf.py").write_text(CONF)
    (root / "index.md").write_text(page)
    return render(root)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    root = tmp_path_factory.mktemp("recipe")
    code, said = build(root, PAGE)
    assert code == 0, said
    return root / "_html" / "index.html"


def test_each_piece_of_advice_says_for_which_trainings_it_is(html):
    page = lxml.html.parse(html).getroot()
    blocks = page.find_class("lrlab-recipe")
    assert [block.find_class("lrlab-for")[0].text_content() for block in blocks] == [
        "For SGD · perceptron or convolutional network",
        "For Adam or AdamW · perceptron · 300 to 1,000 updates",
        "For Adam or AdamW · transformer",
        "For every training",
        "For 5 tuning runs or 20 tuning runs",
    ]
    assert [block.getparent().find("h2").text for block in blocks] == ["Rate"] * 3 + [
        "Schedule"
    ] * 2
    assert blocks[0].find(".//strong").text == "a tenth"


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("model: rnn", "model must be of perceptron, cnn, denoiser, transformer, got 'rnn'"),
        ("colour: red", "unknown option"),
    ],
)
def test_a_choice_that_there_is_not_fails_the_build(tmp_path, option, why):
    code, said = build(tmp_path, f"# A\n\n```{{recipe}}\n:{option}\nTake it.\n```\n")
    assert code != 0
    assert why in said.replace("Unknown", "unknown")


@pytest.fixture
def open_page(browser, html):
    errors, contexts = [], []

    def open_(address="", width=1280, script=True):
        viewport = {"width": width, "height": 800}
        contexts.append(browser.new_context(java_script_enabled=script, viewport=viewport))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(html.as_uri() + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors


def shown(page):
    blocks = page.locator(".lrlab-recipe").all()
    return [place for place, block in enumerate(blocks) if block.is_visible()]


def offered(page, name):
    options = page.locator(f"#recipe-{name} option").all()
    return [o.get_attribute("value") for o in options if o.is_enabled()]


@pytest.mark.browser
def test_without_script_everything_is_shown_and_no_form(open_page):
    page = open_page(script=False)
    assert shown(page) == [SGD, ADAM, LANGUAGE, ALWAYS, TUNED]
    assert page.locator("form.lrlab-choices").is_hidden()


@pytest.mark.browser
def test_choices_filter_with_the_keyboard_alone(open_page):
    page = open_page()
    assert shown(page) == [SGD, ADAM, LANGUAGE, ALWAYS, TUNED]
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "recipe-optimizer":
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.input_value("#recipe-optimizer") == "adam"
    assert shown(page) == [ADAM, LANGUAGE, ALWAYS, TUNED]
    assert page.get_by_role("status").inner_text() == "4 of 5 pieces of advice"
    page.select_option("#recipe-model", "transformer")
    assert shown(page) == [LANGUAGE, ALWAYS, TUNED]
    page.get_by_role("button", name="Show all advice").press("Enter")
    expect(page).to_have_url(re.compile("^[^#]*$"))
    assert shown(page) == [SGD, ADAM, LANGUAGE, ALWAYS, TUNED]


@pytest.mark.browser
def test_only_what_every_section_has_advice_for_can_be_chosen(open_page):
    page = open_page()
    assert offered(page, "model") == ["", "perceptron", "cnn", "transformer"]  # no denoiser
    assert offered(page, "tuning") == ["", "5", "20"]
    page.select_option("#recipe-optimizer", "sgd")
    assert offered(page, "model") == ["", "perceptron", "cnn"]
    page.select_option("#recipe-optimizer", "adam")
    assert offered(page, "model") == ["", "perceptron", "transformer"]


@pytest.mark.browser
def test_the_address_keeps_the_choice_as_far_as_there_is_advice_for_it(open_page):
    page = open_page()
    page.select_option("#recipe-model", "cnn")
    again = open_page(page.evaluate("location.hash"))
    assert shown(again) == [SGD, ALWAYS, TUNED]
    assert shown(open_page("#optimizer=adam&model=cnn&tuning=5")) == [ADAM, LANGUAGE, ALWAYS, TUNED]
    assert shown(open_page("#schedule")) == [SGD, ADAM, LANGUAGE, ALWAYS, TUNED]


@pytest.mark.browser
def test_paper_has_all_advice_and_no_form(open_page):
    page = open_page("#optimizer=sgd")
    page.emulate_media(media="print")
    assert shown(page) == [SGD, ADAM, LANGUAGE, ALWAYS, TUNED]
    assert page.locator("form.lrlab-choices").is_hidden()


@pytest.mark.browser
def test_every_choice_has_a_name_and_fits_on_a_telephone(open_page):
    page = open_page(width=375)
    for title in recipe.TITLES.values():
        box = page.get_by_label(title).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 375
