"""What a study tells: importances, groups, figures, and a page of its own."""

import numpy as np
import pytest
from bs4 import BeautifulSoup
from sweep_fakes import Formula, plan

from lrlab.sweep import Choice, LogUniform, Trial, Uniform, sweep, trials
from lrlab.sweep.importance import clusters, importance, positions
from lrlab.sweep.report import running_best, sweep_report, write_report

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
    few, many = (importance(SPACE, made(n), resamples=20) for n in (15, 120))
    assert (importance(SPACE, made(15), resamples=20).shares == few.shares).all()
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


def test_one_call_makes_all_figures_each_with_words(study):
    figures = sweep_report(study)
    assert list(figures)[:4] == [
        "Parallel coordinates",
        "Importance",
        "Best so far",
        "Length of the trials",
    ]
    assert all(fig.axes and words.endswith(".") for fig, words in figures.values())


def test_the_best_so_far_never_rises_and_counts_complete_trials_alone(study):
    best, spent = running_best(trials(study))
    known = best[np.isfinite(best)]
    assert (np.diff(known) <= 0).all()
    complete = [t.value for t in trials(study) if t.outcome == "completed"]
    assert known[-1] == min(complete)
    assert spent[-1] == sum(t.updates for t in trials(study))


def test_the_page_needs_nothing_else_and_each_figure_has_words(study, tmp_path):
    page = BeautifulSoup(write_report(study, tmp_path / "report.html").read_bytes(), "lxml")
    images = page.select("img")
    assert images
    assert all(i["src"].startswith("data:image/png") and i["alt"] for i in images)
    assert not page.select("script, link, iframe")
    assert "40 trials" in page.get_text()
    (_, *rows) = page.select("table tr")
    values = [float(row.select("td")[1].get_text()) for row in rows]
    assert values == sorted(values)


def test_a_study_without_a_completed_trial_has_no_report(tmp_path):
    empty = sweep(
        plan(trials=1, space={"peak_lr": Uniform(0.6, 1.0), "optimizer.momentum": Uniform(0, 0.9)}),
        trainer=Formula(),
        n_jobs=1,
        progress=False,
    )
    with pytest.raises(ValueError, match="no completed trial"):
        write_report(empty, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())
