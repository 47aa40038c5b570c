"""Which claims stand, and what a check of the log finds."""

import json
from pathlib import Path

import pytest
from entry_maker import around, rewrite_claims, some_claims, write_entry

from lrlab.claims import About, Claim, judge, rules
from lrlab.labbook import releases
from lrlab.labbook.entries import consistency
from lrlab.labbook.entries.logbook import log
from lrlab.labbook.ledger import check, totals
from lrlab.labbook.ledger import ledger as ledger_of

ROOT = Path(__file__).parents[2]
ERROR = About(metric="test error")


def effect(mean: float, delta: float = 0.05, about: About = ERROR) -> list[Claim]:
    values = around(mean)
    return [
        Claim.effect("lower", "Lower", values=values, direction="less", delta=delta, about=about)
    ]


def entries_of(root) -> list[str]:
    return [row.entry for row in ledger_of(root)]


def problems(root) -> list[str]:
    return [str(problem) for problem in check(root)]


@pytest.fixture
def released(tmp_path):
    """A log that was released with one entry."""
    write_entry(tmp_path, date="2030-01-01", claims=effect(-0.5))
    releases.seal(tmp_path, "1.0.0")
    return tmp_path


def test_newest_entry_of_each_notebook_counts(tmp_path):
    write_entry(tmp_path, date="2030-01-01", claims=effect(-0.5))
    write_entry(tmp_path, date="2030-02-01", claims=effect(-0.5))
    write_entry(tmp_path, "other", date="2029-01-01", claims=effect(0.5))
    assert entries_of(tmp_path) == ["2030-02-01-demo", "2029-01-01-other"]


@pytest.mark.parametrize("what", [{"changed": {"peak_lr": 0.5}}, {"size": "smoke"}])
def test_what_ifs_and_smoke_runs_turn_no_verdict(tmp_path, what):
    write_entry(tmp_path, date="2030-01-01", claims=effect(-0.5))
    write_entry(tmp_path, date="2030-02-01", claims=effect(0.5), **what)
    assert entries_of(tmp_path) == ["2030-01-01-demo"]


def test_superseded_entry_does_not_count_even_if_it_is_newer_by_name(tmp_path):
    old = {"entry": "2030-01-01-demo-a"}
    write_entry(tmp_path, date="2030-01-01", claims=effect(0.5), **old)
    write_entry(tmp_path, date="2029-01-01", supersedes=old | {"reason": "why"})
    assert set(entries_of(tmp_path)) == {"2029-01-01-demo"}


def test_totals_count_each_verdict_with_its_zeros(tmp_path):
    write_entry(tmp_path, claims=some_claims())
    counts = totals(ledger_of(tmp_path))
    assert list(counts) == list(rules.VERDICTS)
    assert {verdict: n for verdict, n in counts.items() if n} == {
        "supported": 2,
        "different": 1,
        "inconclusive": 1,
        "described": 2,
    }


def test_sound_log_has_no_problem(tmp_path):
    write_entry(tmp_path, claims=some_claims())
    assert problems(tmp_path) == []


def test_edited_entry_is_found(tmp_path):
    path = write_entry(tmp_path, claims=effect(-0.5))
    path.write_text(path.read_text().replace("Does the zebrafinch", "Why does the zebrafinch"))
    assert problems(tmp_path) == [
        "2030-01-01-demo: its bytes are not those that its record was made for"
    ]


def test_changed_number_is_found_even_if_its_hash_was_renewed(tmp_path):
    path = write_entry(tmp_path, claims=effect(-0.5))
    rewrite_claims(path, lambda claim: claim["data"]["values"].__setitem__(0, -0.4))
    [problem] = problems(tmp_path)
    assert "demo.lower: entry 2030-01-01-demo stores another estimate, high, low" in problem


def test_changed_verdict_is_found_even_if_its_hash_was_renewed(tmp_path):
    path = write_entry(tmp_path, claims=effect(-0.5))
    rewrite_claims(path, lambda claim: claim.update(verdict="contradicted"))
    assert problems(tmp_path) == [
        "demo.lower: entry 2030-01-01-demo says 'contradicted', its rule gives 'supported'"
    ]


def test_level_that_the_entrys_claims_do_not_share_is_found(tmp_path):
    path = write_entry(tmp_path, claims=some_claims())

    def loosen(claim):
        if claim["id"] == "demo.lower":
            [loose] = judge(some_claims()[:1], notebook="demo")
            claim.update(loose.to_dict())

    rewrite_claims(path, loosen)
    [problem] = problems(tmp_path)
    assert "alpha, high, low, of" in problem


@pytest.mark.parametrize(
    ("delta", "about", "says"),
    [
        (0.02, ERROR, "its δ is 0.02, not the table's for 'test error' (0.05)"),
        (0.0, ERROR, "its δ is 0, not the table's for 'test error' (0.05)"),
        (0.02, About(), "its δ is 0.02 without a metric of the table"),
    ],
)
def test_a_delta_of_ones_own_is_refused_unless_it_has_a_reason(tmp_path, delta, about, says):
    write_entry(tmp_path, claims=effect(-0.5, delta, about))
    [problem] = problems(tmp_path)
    assert f"demo.lower: entry 2030-01-01-demo: {says}, and it gives no reason" in problem
    why = About(metric=about.metric, reason="the source asks for less")
    write_entry(tmp_path, claims=effect(-0.5, delta, why))
    assert problems(tmp_path) == []


def test_a_delta_of_the_table_needs_no_reason_also_where_it_is_that_of_a_task(tmp_path):
    write_entry(tmp_path, claims=effect(-0.5, 0.005, About(metric="test loss")))
    assert problems(tmp_path) == []


def test_no_claim_of_this_log_has_a_delta_of_its_own_without_a_reason():
    stored = [claim for entry in log(ROOT) for claim in entry.claims()]
    assert len(stored) > 100
    found = {claim["id"]: consistency.of_delta(claim) for claim in stored}
    assert {id: says for id, says in found.items() if says} == {}


def test_release_that_still_holds_has_no_problem(released):
    write_entry(released, date="2030-02-01", claims=effect(-0.5))
    assert problems(released) == []


def test_verdict_that_changed_since_the_release_is_named(released):
    write_entry(released, date="2030-02-01", claims=effect(0.5))
    [problem] = problems(released)
    assert problem.startswith("demo.lower: 'supported' in 1.0.0, 'contradicted' now")


def test_estimate_that_left_its_interval_is_named(released):
    write_entry(released, date="2030-02-01", claims=effect(-0.9))
    [problem] = problems(released)
    assert problem.startswith("demo.lower: -0.9 is outside 1.0.0's [-0.5418, -0.4582]")


def test_superseding_entry_that_says_why_may_change_a_verdict(released):
    why = {"entry": "2030-01-01-demo", "reason": "The test set was too small."}
    write_entry(released, date="2030-02-01", claims=effect(0.5), supersedes=why)
    assert problems(released) == []


def test_claim_that_is_gone_since_the_release_is_named(released):
    other = [Claim.exact("other", "Other", holds=True)]
    write_entry(released, date="2030-02-01", claims=other)
    assert problems(released) == ["demo.lower: it was in 1.0.0 and is gone"]


def test_released_entry_that_was_made_anew_is_named(released):
    path = write_entry(released, date="2030-01-01", claims=effect(-0.51))
    assert path.name == "2030-01-01-demo.ipynb"
    assert (
        "book/log/2030-01-01-demo.ipynb: it was released with 1.0.0 and has changed since"
        in problems(released)
    )


def test_stored_claims_are_json_without_nan(tmp_path):
    path = write_entry(tmp_path, claims=some_claims())
    notebook = json.loads(path.read_bytes(), parse_constant=pytest.fail)
    assert notebook["cells"]
