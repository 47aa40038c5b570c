"""Stored claims are judged again by the version of the rules that judged them, as it did."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from entry_maker import write_entry

from lrlab import claims
from lrlab.claims import Claim, Judged, rules
from lrlab.claims.judge import judge_together
from lrlab.labbook import stored_claims
from lrlab.labbook.ledger import check, ledger


def effect(id="c", values=(), direction="less", delta=0.1):
    return Claim.effect(id, "A is lower", values=values, direction=direction, delta=delta)


def around(mean, sd=0.05, n=8, seed=0):
    x = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def judge(*made):
    return claims.judge(made, notebook="demo")


def test_a_claim_is_judged_more_strictly_among_others():
    close = effect("close", around(-0.5, sd=0.5))
    alone = judge(close)[0]
    others = [effect(f"other{i}", around(-0.1, seed=i)) for i in range(9)]
    among = judge(close, *others)[0]
    assert alone.level == pytest.approx(0.95)
    assert among.level == pytest.approx(0.995)
    assert among.low < alone.low < alone.high < among.high
    assert (alone.of, among.of) == (1, 10)


@pytest.mark.parametrize("mean", [-0.5, -0.1, 0.2])
def test_verdict_is_recomputed_from_the_stored_numbers_alone(mean):
    made = [
        effect("effect", around(mean)),
        Claim.equivalence("same", "same", values=around(mean), margin=0.3),
        Claim.proportion("p", "p", successes=19, n=20, direction="greater", threshold=0.5),
        Claim.exact("e", "e", measured=mean, expected=-0.5),
        Claim.descriptive("d", "d", values=around(mean)),
    ]
    for settled in judge(*made):
        stored = json.loads(json.dumps(settled.to_dict(), allow_nan=False))
        assert Judged.from_dict(stored) == settled
        assert stored_claims.recompute(stored | {"verdict": "?"}) == settled.verdict


def test_a_value_changed_by_hand_changes_the_recomputed_verdict():
    stored = judge(effect(values=around(-0.5)))[0].to_dict()
    stored["data"]["values"][0] = 5.0
    assert stored_claims.recompute(stored) != stored["verdict"]


@pytest.fixture
def second(monkeypatch):
    """A second version of the rules that decides nothing, known beside that of today."""
    made = SimpleNamespace(
        VERSION=2,
        interval=rules.interval,
        verdict=lambda *_: "inconclusive",
        fragility=lambda *_: [],
        in_setting=rules.in_setting,
    )
    monkeypatch.setitem(stored_claims._KNOWN, 2, made)
    return made


def test_a_claim_keeps_the_version_of_the_rules_that_judged_it(second):
    made = {"demo.one": effect("one", around(-0.5)), "demo.two": effect("two", around(-0.01))}
    old, new = judge_together(made, second), judge(*made.values())
    assert [claim.verdict for claim in old] == ["inconclusive"] * 2
    assert [claim.verdict for claim in new] == ["supported", "smaller than δ"]
    for version, judged in ((2, old), (rules.VERSION, new)):
        stored = [claim.to_dict() for claim in judged]
        assert [claim["rules"] for claim in stored] == [version] * 2
        assert [stored_claims.recompute(claim) for claim in stored] == [c.verdict for c in judged]
        assert stored_claims.rejudge(stored) == [Judged.from_dict(claim) for claim in stored]


def test_an_entry_of_another_known_version_stands_beside_those_of_today(
    tmp_path, monkeypatch, second
):
    made = [Claim.exact("half", "Half of one is 0.5", holds=True)]
    write_entry(tmp_path, claims=made)
    by_the_second = lambda made, notebook: judge_together(  # noqa: E731
        {f"{notebook}.{claim.id}": claim for claim in made}, second
    )
    monkeypatch.setattr("entry_maker.judge", by_the_second)
    write_entry(tmp_path, "older", date="2029-01-01", claims=made)
    assert check(tmp_path) == []
    found = {row.claim.id: (row.claim.rules, row.claim.verdict) for row in ledger(tmp_path)}
    assert found == {
        "demo.half": (rules.VERSION, "supported"),
        "older.half": (2, "inconclusive"),
    }


def test_claims_of_one_entry_that_two_versions_judged_are_no_claims_of_it(second):
    made = {"demo.one": effect("one", around(-0.5)), "demo.two": effect("two", around(-0.5))}
    mixed = [judge(*made.values())[0].to_dict(), judge_together(made, second)[1].to_dict()]
    again = [claim.to_dict() for claim in stored_claims.rejudge(mixed)]
    assert again[0] == mixed[0] and again[1]["rules"] != mixed[1]["rules"]


def test_a_version_of_the_rules_that_nobody_knows_judges_nothing():
    stored = judge(effect(values=around(-0.5)))[0].to_dict()
    assert stored_claims.unknown([stored]) == ""
    assert "by version 99 of the rules" in stored_claims.unknown([stored, {"rules": 99}])
    with pytest.raises(KeyError):
        stored_claims.recompute(stored | {"rules": 99})
