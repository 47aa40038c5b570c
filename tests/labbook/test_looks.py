"""Every look is on the record, in an order that can't be changed without a trace."""

import json
import subprocess

import pytest

from lrlab.labbook import looks
from lrlab.labbook._looks_of_git import looks_of_git

FILE = "book/log/looks.jsonl"


def claim(id="demo.lower", values=(1.0, 2.0), verdict="inconclusive", delta=0.0):
    rule = {"direction": "less", "delta": delta}
    return {
        **{"id": id, "kind": "effect", "data": {"values": list(values)}, "rule": rule},
        **{"n": len(values), "verdict": verdict},
    }


def record(notebook="demo", date="2026-11-30", entry=None):
    return {
        **{"notebook": notebook, "notebook_sha256": "0" * 64, "date": date, "commit": None},
        **{"entry": entry or f"{date}-{notebook}", "size": "full", "changed": {}},
    }


def a_look(*claims, predictions=None, **more):
    return looks.look(record(**more), claims or [claim()], predictions)


def test_an_identical_execution_is_no_look_and_anything_that_was_judged_makes_one(tmp_path):
    assert len(looks.append(tmp_path, [a_look()])) == 1
    assert looks.append(tmp_path, [a_look(date="2026-12-01")]) == []
    for new in (claim(values=(1.0, 2.5)), claim(delta=0.1), claim(id="demo.other")):
        assert len(looks.append(tmp_path, [a_look(new)])) == 1
    assert len(looks.append(tmp_path, [a_look(claim(), claim(id="demo.more"))])) == 1
    assert len(looks.append(tmp_path, [a_look(claim() | {"rules": 2})])) == 1
    assert looks.append(tmp_path, [a_look(claim() | {"rules": 2})]) == []


def test_looks_of_two_notebooks_do_not_hide_each_other(tmp_path):
    for notebook in ("a", "b", "a", "b"):
        looks.append(tmp_path, [a_look(claim(), notebook=notebook)])
    assert [one.notebook for one in looks.read(tmp_path)] == ["a", "b"]


@pytest.fixture
def three(tmp_path):
    looks.append(tmp_path, [a_look(claim(values=(float(i), 1.0))) for i in range(3)])
    assert looks.problems(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_that_is_dropped_is_noticed_except_the_last(three, line):
    lines = (three / FILE).read_text().splitlines(keepends=True)
    (three / FILE).write_text("".join(lines[:line] + lines[line + 1 :]))
    assert bool(looks.problems(three)) == (line < 2)


def test_every_changed_character_before_the_last_line_is_noticed(three):
    text = (three / FILE).read_text()
    end = text.rstrip("\n").rindex("\n")
    for i in range(0, end, 7):
        changed = text[:i] + chr(ord(text[i]) ^ 1) + text[i + 1 :]
        (three / FILE).write_text(changed)
        assert looks.problems(three), text[i - 5 : i + 5]


def test_a_file_that_holds_something_else_is_named_in_a_sentence(three):
    with (three / FILE).open("a") as file:
        file.write('{"notebook": "demo"}\n')
    assert looks.problems(three) == ["looks.jsonl, line 4: not a look"]


def test_what_is_told_names_number_and_n():
    first = a_look(claim(values=(1.0,) * 5))
    second = a_look(claim(values=(1.0,) * 8, verdict="supported"))
    assert looks.told([first]) == "looked at once, with n up to 5"
    assert looks.told([first, second]) == "looked at twice, with n up to 5, then 8"
    assert looks.told([first, first, second]) == "looked at 3 times, with n up to 5, then 8"
    assert looks.changed([first, second]) == {"demo.lower": ["inconclusive", "supported"]}
    assert looks.changed([first, first]) == {}


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [
        (["contradicted", "not seen here"], "renamed"),
        (["smaller than δ", "not seen here"], "renamed"),
        (["seen here", "supported", "seen here"], "renamed"),
        (["supported", "not seen here"], "other"),
        (["contradicted", "seen here"], "other"),
        (["inconclusive", "supported", "seen here"], "other"),
        (["supported", "inconclusive (fragile)"], "other"),
        (["inconclusive", "supported", "described"], "untested"),
    ],
)
def test_a_verdict_in_other_words_is_told_from_another_verdict(verdicts, kind):
    assert looks.kind_of_change(verdicts) == kind


def test_claims_that_the_last_look_has_no_more_are_dropped():
    lower, other = claim(), claim(id="demo.forgetting", verdict="contradicted")
    size = claim(id="demo.size", verdict="described")
    back = [a_look(lower, other), a_look(lower), a_look(lower, other, size), a_look(other)]
    assert looks.dropped(back) == {"demo.lower": "inconclusive", "demo.size": "described"}
    assert looks.dropped(back[:3]) == {}


def test_predictions_are_bound_to_the_look():
    plain, told, other = (a_look(predictions=p) for p in (None, {"a": 0.7}, {"a": 0.8}))
    assert plain.predictions_sha256 is None
    assert len({told.predictions_sha256, other.predictions_sha256}) == 2


def test_the_history_of_a_repository_is_entered_version_by_version(tmp_path):
    def git(*words):
        names = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", tmp_path, *names, *words], check=True, capture_output=True)

    def commit(values, **more):
        name = "2026-11-30-demo"
        log = tmp_path / "book" / "log"
        log.mkdir(parents=True, exist_ok=True)
        page = {"cells": [{"outputs": [{"metadata": {"lrlab_claims": [claim(values=values)]}}]}]}
        (log / f"{name}.ipynb").write_text(json.dumps(page))
        (log / f"{name}.json").write_text(json.dumps(record(entry=name) | more))
        git("add", "-A")
        git("commit", "-m", "an entry", "--allow-empty")

    git("init")
    for values, more in (
        ([1.0] * 5, {}),
        ([1.0] * 5, {"seconds": 2}),
        ([1.0] * 9, {}),
        ([2.0], {"size": "smoke"}),
    ):
        commit(values, **more)
    found = list(looks_of_git(tmp_path))
    assert [one.n["demo.lower"] for one in found] == [5, 5, 9]
    assert len({one.commit for one in found}) == 3
    assert len(looks.append(tmp_path, found)) == 2
