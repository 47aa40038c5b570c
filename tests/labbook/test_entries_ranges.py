"""Each parameter of each notebook is guarded, in process and without a kernel."""

import math
from pathlib import Path

import pytest
from tiny_lab import SOURCE, files, lrlab

from lrlab.labbook.entries import BadInput, names, read
from lrlab.labbook.entries._ranges import read_comment, read_range
from lrlab.labbook.entries.values import Type, spell

ROOT = Path(__file__).parents[2]
NOTEBOOKS = names(ROOT)
INT, FLOAT = Type("int"), Type("float")
INTS, FLOATS, TEXTS = Type("int", True), Type("float", True), Type("str", True)

# What means something at 0, or below it; every other number refuses these.
MAY_BE_ZERO = {
    ("bayesian_sweep", "left_out"),
    ("gradient_norms", "weight_decay"),
    ("metric_assessment", "near"),
    ("sweep_metric", "near"),
    ("selection", "default_decay"),
    ("range_test_benchmark", "exponents"),
    *(
        (name, "more")
        for name in (
            "cooldown",
            "depth_and_width",
            "optimizers",
            "parameter_free",
            "peak_against_length",
            "resuming",
        )
    ),
}
SEEDS = ("first_seed", "sampler_seed")
MAY_BE_NEGATIVE = {
    ("onecycle", "bias_shift"),
    ("mup", "check_log_rate"),
    ("mup", "log_rates"),
    ("depth_and_width", "log_rates"),
    ("depth_and_width", "sgd_log_rates"),
}


def parameters():
    for notebook in NOTEBOOKS:
        source = read(ROOT, notebook)
        for parameter in source.parameters.values():
            yield source, parameter


def refused(source, parameter, value, size="smoke"):
    try:
        source.ask([(parameter.name, spell(value))], size)
    except BadInput as error:
        assert parameter.name in str(error), error
        assert "\n" not in str(error)
        return True
    return False


def with_value(parameter, value):
    """The value, or a list of as many of it as the list usually has."""
    return [value] * len(parameter.default) if parameter.type.is_list else value


def test_every_parameter_of_every_notebook_declares_its_range():
    everything = list(parameters())
    assert len(NOTEBOOKS) >= 46
    assert len(everything) >= 500
    bare = [f"{s.name}.{p.name}" for s, p in everything if p.range is None]
    assert [name for name in bare if "bool" not in name] == []


def test_zero_and_minus_one_are_refused_wherever_they_mean_nothing():
    accepted_zero, accepted_minus, accepted_seeds = set(), set(), set()
    for source, parameter in parameters():
        if parameter.type.scalar not in ("int", "float"):
            continue
        where = source.name, parameter.name
        zeros = accepted_seeds if parameter.name in SEEDS else accepted_zero
        for value, accepted in ((0, zeros), (-1, accepted_minus)):
            if not refused(source, parameter, with_value(parameter, value)):
                accepted.add(where)
    lists_with_a_zero = {
        where
        for where in MAY_BE_ZERO | MAY_BE_NEGATIVE
        if where[1] in ("exponents", "log_rates", "sgd_log_rates")
    }  # equal values don't rise
    assert accepted_zero == (MAY_BE_ZERO | MAY_BE_NEGATIVE) - lists_with_a_zero
    assert accepted_minus == MAY_BE_NEGATIVE - lists_with_a_zero


def test_every_list_refuses_to_be_empty_and_every_choice_another_word():
    for source, parameter in parameters():
        if parameter.type.is_list:
            assert refused(source, parameter, []), (source.name, parameter.name)
        if parameter.range.words:
            other = ["nonsense"] if parameter.type.is_list else "nonsense"
            assert refused(source, parameter, other), (source.name, parameter.name)


def end(bound, source):
    return source.values("smoke", {})[bound] if isinstance(bound, str) else bound


def next_to(parameter, bound, is_open, outwards):
    """The last value outside of an end, and the first inside, as close as the type has them."""
    if parameter.type.scalar == "int":
        return (bound, bound - outwards) if is_open else (bound + outwards, bound)
    beyond = math.nextafter(bound, outwards * math.inf)
    return (bound, math.nextafter(bound, -outwards * math.inf)) if is_open else (beyond, bound)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_values_just_outside_are_refused_and_just_inside_accepted(notebook):
    source = read(ROOT, notebook)
    for parameter in source.parameters.values():
        declared = parameter.range
        if declared is None or declared.interval is None:
            continue
        ends = [
            (declared.interval.low, declared.interval.low_open, -1),
            (declared.interval.high, declared.interval.high_open, 1),
        ]
        assert ends[0][0] is not None, f"{notebook}.{parameter.name} has no lower end"
        usual = source.values("smoke", {})
        for bound, is_open, outwards in ends:
            if bound is None:
                continue
            outside, inside = next_to(parameter, end(bound, source), is_open, outwards)
            assert refused(source, parameter, with_value(parameter, outside)), parameter
            fits = inside
            if declared.count is not None:
                fits = [inside, *(v for v in usual[parameter.name] if v != inside)]
                fits = sorted(set(fits)) if declared.rising else fits
                fits = fits[: end(declared.count.high, source)] if declared.count.high else fits
            assert declared.refusal(parameter.name, fits, usual) is None, (parameter, fits)
        if declared.count is not None:
            few, most = declared.count.low, declared.count.high
            least = usual[parameter.name] * few
            assert refused(source, parameter, least[: few - 1])
            assert most is None or refused(source, parameter, (least * (most + 1))[: most + 1])


def test_a_value_is_held_against_what_the_other_parameters_have():
    source = read(ROOT, "compare")
    with pytest.raises(BadInput, match=r"batch_size must be .* n_train = 32, got 64"):
        source.ask([("n_train", "32")], "smoke")
    assert source.ask([("n_train", "32"), ("batch_size", "32")], "smoke")["batch_size"] == 32
    with pytest.raises(BadInput, match=r"ramp_low must be above 0 and below ramp_high = 0\.01"):
        source.ask([("ramp_low", "0.02"), ("ramp_high", "0.01")], "smoke")


@pytest.mark.parametrize(
    ("text", "type_", "value", "says"),
    [
        ("2..", INT, 1, "x must be at least 2, got 1"),
        ("0<..<1", FLOAT, 1.0, "x must be above 0 and below 1, got 1.0"),
        ("0<..1", FLOAT, 0.0, "x must be above 0 and at most 1, got 0.0"),
        ("..5", INT, 6, "x must be at most 5, got 6"),
        ("1..n", INT, 9, "x must be at least 1 and at most n = 8, got 9"),
        ("this | that", Type("str"), "those", "x must be one of this, that, got 'those'"),
        ("0<..", FLOATS, [], "x must hold at least 1 values, got 0: []"),
        ("2 of 0<..", FLOATS, [1.0], "x must hold 2 values, got 1: [1.0]"),
        ("1..2 of 1..", INTS, [1, 0], "each value of x must be at least 1, got 0"),
        ("2.. of 0<.. rising", FLOATS, [2.0, 1.0], "the values of x must rise, got [2.0, 1.0]"),
        ("1.. of a | b", TEXTS, ["c"], "each value of x must be one of a, b, got 'c'"),
    ],
)
def test_a_refusal_names_the_parameter_the_range_and_the_value(text, type_, value, says):
    assert read_range(text, type_).refusal("x", value, {"n": 8}) == says


def test_none_is_no_number_and_any_text_will_do_where_any_is_said():
    assert read_range("1..", Type("int", optional=True)).refusal("x", None, {}) is None
    assert read_range("any", Type("str")).refusal("x", "whatever", {}) is None


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("a..b..c", INT),
        ("one..", Type("str")),
        ("2.. of 1..", INT),
        ("1.. rising", FLOAT),
        ("0<..<1 of 0..", FLOATS),
        ("many of 0..", FLOATS),
        ("left |", Type("str")),
    ],
)
def test_what_only_looks_like_a_range_is_refused(text, type_):
    if text == "0<..<1 of 0..":
        assert read_range(text, type_).count is not None  # silly, but in the notation
        return
    with pytest.raises(ValueError, match=r"range|many|written"):
        read_range(text, type_)


def test_a_comment_without_a_range_is_as_good_as_before():
    assert read_comment("size of a part [1/step]", FLOAT) == ("1/step", None, "size of a part")
    assert read_comment("how many", INT) == ("", None, "how many")


def write(root, old, new):
    path = root / "notebooks" / "tiny.py"
    path.write_text(SOURCE.replace(old, new))


def test_a_value_out_of_its_range_starts_no_kernel_and_writes_nothing(tiny, monkeypatch):
    monkeypatch.setattr("lrlab.labbook.entries._runner.execute", pytest.fail)
    write(tiny, "# [parts] in the sum", "# [parts, 1..1000] in the sum")
    before = files(tiny)
    for words in (["--dry-run"], ["--smoke"], []):
        result = lrlab(tiny, "run", "tiny", "-p", "n", "0", *words)
        said = "lrlab: n must be at least 1 and at most 1000, got 0\n"
        assert (result.exit_code, result.stderr) == (2, said)
    assert files(tiny) == before


def test_the_ranges_are_shown_and_a_long_comment_goes_on_below(tiny):
    write(tiny, "# [parts] in the sum", "# [parts, 1..1000] in\n# the sum")
    rows = lrlab(tiny, "params", "tiny").stdout.splitlines()
    assert "range" in rows[0].split()
    assert rows[1].split() == ["n", "int", "6", "5", "parts", "1..1000", "in", "the", "sum"]


def test_a_range_that_the_notebook_itself_does_not_keep_is_named(tiny):
    write(tiny, "# [parts] in the sum", "# [parts, 6..] in the sum")
    with pytest.raises(BadInput, match=r"tiny\.py: at smoke size n must be at least 6, got 5"):
        read(tiny, "tiny")
    write(tiny, "# [parts] in the sum", "# [parts, 1..most] in the sum")
    with pytest.raises(BadInput, match="parameter n: its range names most"):
        read(tiny, "tiny")
