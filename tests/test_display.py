"""What a notebook shows: an answer has to be one."""

import pytest

from lrlab import display


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
