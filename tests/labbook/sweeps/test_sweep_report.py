"""What a study tells: importances, groups, figures, and a page of its own."""

import json

import numpy as np
import optuna
import pytest
from bs4 import BeautifulSoup
from sweep_fakes import Formula, plan

from lrlab.labbook.sweeps.importance import clusters, importance, positions
from lrlab.labbook.sweeps.page import running_best, write_report
from lrlab.labbook.sweeps.script import Script
from lrlab.sweep import Choice, LogUniform, Trial, Uniform, sweep, trials

SPACE = {"rate": LogUniform(1e-4, 1.0), "idle": Uniform(0.0, 1.0), "kind": Choice(("a", "b", "c"))}


def made(n: int, seed: int = 0) -> list[Trial]:
    """Trials whose value depends on the rate alone."""
    rng, empty = np.random.default_rng(seed), np.array([])
    found = []
    for number in range(n):
        params = {
            "rate": float(10 ** rng.uniform(-4, 0)),
            "idle": float(rng.uniform()),
            "kind": SPACE["kind"].options[rng.integers(3)],
        }
        value = np.log10(params["rate"] / 0.01) ** 2 + 0.05 * rng.normal()
        found.append(Trial(number, params, "completed", value, empty, empty, 0.0, 1.0, None))
    return found


def test_positions_are_measured_along_each_range():
    trial = Trial(
        0,
        {"rate": 1e-2, "idle": 0.25, "kind": "c"},
        "completed",
        1.0,
        np.array([]),
        np.array([]),
        0.0,
        1.0,
        None,
    )
    assert positions(SPACE, [trial]).tolist() == [[0.5, 0.25, 1.0]]


def test_what_matters_is_found_and_what_does_not_is_not():
    found = importance(SPACE, made(60), resamples=20)
    low, _, _ = found.interval("rate")
    assert low > 0.8
    assert all(found.interval(name)[2] < 0.2 for name in ("idle", "kind"))
    assert np.allclose(found.shares.sum(1), 1)


def test_importances_are_repeatable_and_less_sure_with_fewer_trials():
    few, many, again = (importance(SPACE, made(n), resamples=20, trees=10) for n in (15, 120, 15))
    assert (again.shares == few.shares).all()
    assert few.shares[:, 0].std() > many.shares[:, 0].std()


def test_diverged_trials_count_as_the_worst():
    found = made(40)
    found[0] = Trial(
        0, found[0].params, "diverged", np.inf, found[0].steps, found[0].values, 0.0, 1.0, None
    )
    assert np.isfinite(importance(SPACE, found, resamples=3).shares).all()


def test_importances_of_the_fewest_trials_are_numbers():
    found = importance(SPACE, made(10), resamples=3, trees=5, seed=1)  # leaves out one trial
    assert np.isfinite(found.shares).all() and np.isfinite(found.explained).all()


def test_too_few_trials_have_no_importances():
    with pytest.raises(ValueError, match="at least ten trials"):
        importance(SPACE, made(9))


def test_groups_are_found_where_there_are_some_and_not_where_there_are_none():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])
    grouped = clusters(np.repeat(centres, 20, axis=0) + 0.05 * rng.normal(size=(60, 2)), draws=19)
    assert grouped.k == 3
    assert grouped.p == 1 / 20
    assert len(set(grouped.labels[:20])) == 1
    assert clusters(rng.uniform(size=(60, 2)), draws=19).p > 0.05


@pytest.fixture(scope="module")
def study():
    return sweep(plan(trials=40), trainer=Formula(), n_jobs=1, progress=False)


def test_the_best_so_far_never_rises_and_counts_complete_trials_alone(study):
    best, spent = running_best(trials(study))
    known = best[np.isfinite(best)]
    assert (np.diff(known) <= 0).all()
    complete = [t.value for t in trials(study) if t.outcome == "completed"]
    assert known[-1] == min(complete)
    assert spent[-1] == sum(t.updates for t in trials(study))


def soup(path):
    return BeautifulSoup(path.read_bytes(), "lxml")


@pytest.fixture(scope="module")
def page(study, tmp_path_factory):
    return soup(write_report(study, tmp_path_factory.mktemp("page") / "report.html"))


def test_the_page_needs_nothing_else_and_lists_all_trials_best_first(page):
    assert not page.select("link, iframe, img, script[src]")
    assert "40 trials" in page.get_text()
    rows = page.select("#trials tbody tr")
    assert len(rows) == 40
    complete = [float(r.select("td")[3].get_text()) for r in rows if "completed" in r.get_text()]
    assert complete == sorted(complete)
    assert len(page.select(".bar")) == 2


def test_the_data_of_the_page_are_those_of_the_study(study, page):
    data = json.loads(page.select_one("#data").string)
    assert [axis["kind"] for axis in data["axes"]] == ["log", "linear"]
    for row, trial in zip(data["trials"], trials(study), strict=True):
        assert (row["n"], row["o"]) == (trial.number, trial.outcome)
        assert row["p"] == list(trial.params.values())
        assert row["s"] == trial.steps.tolist() and row["y"] == trial.values.tolist()
        assert row["v"] == (trial.value if np.isfinite(trial.value) else None)


def test_a_page_of_names_that_look_like_markup_is_still_one_page(tmp_path):
    names = ("</script><script>alert(1)</script>", "<!--<script>", "a'b\"c&amp;", "@@JS@@")
    options = ("</td></table>", "x\u2028y")
    shown = optuna.create_study(study_name="</title><b>")
    made = Script(
        space={names[0]: Choice(options), names[1]: LogUniform(0.1, 1.0)},
        trials=1,
        metric=names[2],
        direction="minimize",
        command=(names[3],),
    )
    shown.set_user_attr("plan", made.to_dict())
    trial = shown.ask({n: s.distribution() for n, s in made.space.items()})
    trial.report(0.5, 1)
    trial.set_user_attr("steps", [1])
    trial.set_user_attr("outcome", "failed")
    trial.set_user_attr("reason", "</script>&<i>")
    shown.tell(trial, state=optuna.trial.TrialState.FAIL)
    page = soup(write_report(shown, tmp_path / "report.html"))
    assert len(page.select("script")) == 2 and not page.select("i, b, h1 b, #trials table")
    assert page.title.string == "</title><b>"
    data = json.loads(page.select_one("#data").string)
    assert [axis["name"] for axis in data["axes"]] == list(names[:2])
    assert data["axes"][0]["options"] == list(options)
    assert data["metric"] == names[2]
    assert "</script>&<i>" in page.select_one("#trials").get_text()


def test_a_study_in_which_all_diverged_has_a_report_too(tmp_path):
    space = {"peak_lr": Uniform(0.6, 1.0), "optimizer.momentum": Uniform(0, 0.9)}
    lost = sweep(plan(trials=1, space=space), trainer=Formula(), n_jobs=1, progress=False)
    text = soup(write_report(lost, tmp_path / "report.html")).get_text()
    assert "1 diverged" in text and "No trial was completed." in text


def test_a_study_without_an_ended_trial_has_no_report(tmp_path):
    empty = optuna.create_study()
    empty.set_user_attr("plan", plan().to_dict())
    with pytest.raises(ValueError, match="no trial that has ended"):
        write_report(empty, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())
