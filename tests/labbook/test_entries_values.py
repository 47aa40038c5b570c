import ast
import math
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.labbook.entries.errors import BadInput
from lrlab.labbook.entries.values import Type, parse, spell

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = {"int": st.integers(), "float": FINITE, "bool": st.booleans(), "str": st.text()}


@st.composite
def typed_values(draw):
    scalar = draw(st.sampled_from(sorted(SCALARS)))
    is_list = scalar != "bool" and draw(st.booleans())
    optional = draw(st.booleans())
    values = st.lists(SCALARS[scalar]) if is_list else SCALARS[scalar]
    if optional:
        says_none = st.just(None)
        values = says_none | values.filter(lambda v: str(v).strip().lower() not in ("none", "null"))
    return Type(scalar, is_list, optional), draw(values)


@given(typed_values())
def test_a_value_survives_the_command_line(typed):
    type_, value = typed
    [text] = shlex.split(shlex.quote(spell(value)))
    again = parse(text, type_, "x")
    assert again == value
    assert type(again) is type(value)


@given(typed_values())
def test_a_type_survives_its_spelling_and_accepts_its_values(typed):
    type_, value = typed
    assert Type.from_annotation(ast.parse(str(type_), mode="eval").body) == type_
    assert type_.accepts(value) == value


@given(st.text(), st.sampled_from([Type(scalar) for scalar in SCALARS]))
def test_any_text_is_understood_or_refused_with_the_text_in_the_message(text, type_):
    try:
        value = parse(text, type_, "x")
    except BadInput as error:
        assert repr(text) in str(error)
    else:
        assert type(value).__name__ == type_.scalar
        assert type_.scalar != "float" or math.isfinite(value)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("1e-3", "float", 0.001),
        ("3", "float", 3.0),
        ("1e3", "int", 1000),
        ("1_000", "int", 1000),
        (" 7 ", "int", 7),
        ("true", "bool", True),
        ("No", "bool", False),
        ("0", "bool", False),
        ("[1, 2]", "list[int]", [1, 2]),
        ("1,2", "list[int]", [1, 2]),
        ("3", "list[int]", [3]),
        ("[]", "list[float]", []),
        ("[.1, 1e-2]", "list[float]", [0.1, 0.01]),
        ("[sgd, adam]", "list[str]", ["sgd", "adam"]),
        ("['a, b']", "list[str]", ["a, b"]),
        ("none", "int | None", None),
        ("None", "list[int] | None", None),
        ("none", "str", "none"),
        ("1e-3", "str", "1e-3"),
    ],
)
def test_a_text_means_what_a_person_expects(text, annotation, value):
    type_ = Type.from_annotation(ast.parse(annotation, mode="eval").body)
    assert parse(text, type_, "x") == value
    assert type(parse(text, type_, "x")) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("fast", "float", "lr must be a float, got 'fast'"),
        ("nan", "float", "lr must be finite, got 'nan'"),
        ("inf", "float", "lr must be finite, got 'inf'"),
        ("1.5", "int", "lr must be an int, got '1.5'"),
        ("2", "bool", "lr must be true or false, got '2'"),
        ("none", "float", "lr must be a float, got 'none'"),
        ("x", "int | None", "lr must be an int or none, got 'x'"),
        ("[1, x]", "list[int]", "lr must be a list[int], got '[1, x]'"),
        ("[1, 2", "list[int]", "lr must be a list[int], got '[1, 2'"),
    ],
)
def test_a_text_of_another_type_is_refused_with_one_sentence(text, annotation, message):
    type_ = Type.from_annotation(ast.parse(annotation, mode="eval").body)
    with pytest.raises(BadInput) as caught:
        parse(text, type_, "lr")
    assert str(caught.value) == message


@pytest.mark.parametrize("annotation", ["dict", "list", "list[bool]", "int | str", "tuple[int]"])
def test_types_that_no_command_line_can_give_are_refused(annotation):
    with pytest.raises(ValueError, match="is not one that a parameter may have"):
        Type.from_annotation(ast.parse(annotation, mode="eval").body)
