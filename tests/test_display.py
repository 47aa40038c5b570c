"""What a notebook shows, read back from what the kernel publishes; outside of one it is printed."""

import base64
import io

import bs4
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.image import imread

from lrlab import display

FRAME = pd.DataFrame({"rate [1/step]": [0.1, 0.25], "<loss>": [1 / 3, 2.0], "n": [5, 10]})


@pytest.fixture
def notebook():
    """Inside of it, outputs are collected as a notebook would."""
    assert not InteractiveShell.initialized()
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def published(show):
    with capture_output() as captured:
        show()
    (output,) = captured.outputs
    return output.data, output.metadata


def test_a_sentence_is_markdown_in_a_notebook_and_printed_elsewhere(notebook, capsys):
    data, _ = published(lambda: display.say("The rate is **0.2**."))
    assert data == {"text/plain": "The rate is **0.2**.", "text/markdown": "The rate is **0.2**."}
    InteractiveShell.clear_instance()
    display.say("The rate is **0.2**.")
    assert capsys.readouterr().out == "The rate is **0.2**.\n"


def test_a_table_holds_every_value_under_its_heading_and_is_readable_aloud(notebook):
    data, _ = published(lambda: display.table(FRAME, caption="Two <runs>", digits=3))
    page = bs4.BeautifulSoup(data["text/html"], "html.parser")
    assert [th.text for th in page.select("th[scope=col]")] == list(FRAME.columns)
    rows = [[td.text for td in tr.select("td")] for tr in page.select("tbody tr")]
    assert rows == [["0.1", "0.333", "5"], ["0.25", "2", "10"]]
    assert page.caption.text == page.div["aria-label"] == "Two <runs>"
    assert page.div["role"] == "region" and page.div["tabindex"] == "0"
    assert data["text/plain"].splitlines()[0] == "Two <runs>"


def test_a_table_may_be_given_by_its_columns(notebook):
    columns, _ = published(lambda: display.table(FRAME.to_dict("list"), caption="c"))
    rows, _ = published(lambda: display.table(FRAME.to_dict("records"), caption="c"))
    assert columns == rows == published(lambda: display.table(FRAME, caption="c"))[0]


def test_the_index_becomes_the_first_column_on_demand(notebook):
    frame = FRAME.set_index("n")
    data, _ = published(lambda: display.table(frame, caption="c", index=True))
    page = bs4.BeautifulSoup(data["text/html"], "html.parser")
    assert [th.text for th in page.select("th")] == ["n", "rate [1/step]", "<loss>"]


def test_a_figure_carries_its_texts_and_the_picture_that_was_drawn(notebook):
    fig = Figure(figsize=(2, 1))
    axes = fig.add_axes((0, 0, 1, 1), frameon=False, xticks=[], yticks=[])
    axes.imshow([[0.0]], cmap="gray", vmin=0, vmax=1, aspect="auto")
    data, metadata = published(
        lambda: display.show(fig, alt="A black box.", caption="Nothing.", dpi=50, headline=True)
    )
    described = {"alt": "A black box.", "caption": "Nothing.", "headline": True}
    assert metadata == {"lrlab_figure": described}
    picture = imread(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.shape[0] < picture.shape[1] and np.median(picture[..., :3]) == 0


def test_a_shown_figure_of_pyplot_is_closed(notebook):
    fig = pyplot.figure()
    published(lambda: display.show(fig, alt="a", caption="c"))
    assert not pyplot.fignum_exists(fig.number)


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (lambda: display.say(" \n"), "a text"),
        (lambda: display.show(Figure(), alt=" ", caption="c"), "alt"),
        (lambda: display.show(Figure(), alt="a", caption=""), "caption"),
        (lambda: display.table(FRAME, caption=" "), "caption"),
    ],
)
def test_nothing_is_shown_without_its_text(call, missing):
    with pytest.raises(ValueError, match=missing):
        call()


@pytest.mark.parametrize(
    ("text", "claims", "why"),
    [
        ("", ["a"], "characters"),
        ("x1 " * 300, ["a"], "characters"),
        ("It falls.", ["a"], "numbers"),
        ("3 of 4 claims are supported.", ["a"], "counts no verdicts"),
        ("All 3 verdicts held.", ["a"], "counts no verdicts"),
        ("It falls by 4 %.", [], "at least one claim"),
    ],
)
def test_what_is_no_answer_is_refused(text, claims, why):
    with pytest.raises(ValueError, match=why):
        display.answer(text, claims=claims)


def test_an_answer_carries_its_text_and_its_claims(monkeypatch):
    shown = {}
    monkeypatch.setattr(display, "publish", lambda **kinds: shown.update(kinds))
    display.answer(" It falls by 4 % [3, 5]. ", claims=("lower",))
    stored = {"text": "It falls by 4 % [3, 5].", "claims": ["lower"]}
    assert shown["metadata"] == {"lrlab_answer": stored}
    assert shown["markdown"] == stored["text"]
