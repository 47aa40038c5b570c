"""Stopping rules: W&B's against the decisions of its package, and as a pruner."""

import math

import optuna
import pytest
from optuna.distributions import FloatDistribution
from wandb_histories import SWEEPS, stored, sweeps

from lrlab.sweep import WandbHyperband
from lrlab.sweep._hyperband import wandb_bands, wandb_stops
from lrlab.sweep.rules import make, rungs


def test_the_decisions_are_those_of_the_package():
    """As `make golden` stored them; `make test-peers` asks the package itself."""
    histories_seen, decisions, stops = 0, 0, 0
    met = {(band, stopped): 0 for band in (25, 50, 100, 200) for stopped in (False, True)}
    for (setting, histories, running), expected in zip(sweeps(), stored(), strict=True):
        bands = wandb_bands(**{k: v for k, v in setting.items() if k != "strict"})
        logged = [[v for v in history if v is not None] for history in histories]
        histories_seen += len(histories)
        for i, active in enumerate(running):
            if active:
                ours = wandb_stops(
                    logged[i],
                    logged[:i] + logged[i + 1 :],
                    bands,
                    eta=setting["eta"],
                    strict=setting["strict"],
                )
                assert ours == (expected[i] == "1"), (setting, i)
                decisions, stops = decisions + 1, stops + ours
                finite = sum(math.isfinite(v) for v in logged[i])
                if setting.get("min_iter") == 25 and finite >= 25:
                    met[max(b for b in bands if b <= finite), ours] += 1
    assert len(stored()) == SWEEPS
    assert histories_seen >= 1000
    assert decisions >= 1000
    assert min(met.values()) >= 3, (
        met
    )  # each kill point of the source stops runs and lets others go
    assert 0.1 < stops / decisions < 0.9


def test_the_kill_points_of_the_source():
    assert wandb_bands(min_iter=25, eta=2)[:4] == (25, 50, 100, 200)


@pytest.mark.parametrize(
    ("setting", "bands"),
    [
        ({"max_iter": 27, "s": 2, "eta": 3}, (3, 9)),
        ({"max_iter": 27, "s": 9, "eta": 3}, (1, 3, 9)),
        ({"max_iter": 10, "s": 2, "eta": 3}, (1, 3)),
        ({"min_iter": 5, "max_iter": 27, "s": 1, "eta": 3}, (9,)),
    ],
)
def test_bands(setting, bands):
    assert wandb_bands(**setting) == bands


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({}, "min_iter or max_iter must be a positive number, got min_iter=None"),
        ({"min_iter": 0}, "got min_iter=0"),
        ({"max_iter": 2, "eta": 3}, "there is no band"),
        ({"min_iter": 2, "eta": 1}, "eta must be above 1, got eta=1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        wandb_bands(**setting)


def test_values_that_are_not_finite_are_as_if_they_had_not_been_logged():
    broken = [math.nan, 1.0, math.inf]
    assert not wandb_stops(broken, [[0.5, 0.5]], bands=(2,), eta=2)
    assert wandb_stops([*broken, 1.0], [[0.5, 0.5]], bands=(1,), eta=2) == wandb_stops(
        [1.0, 1.0], [[0.5, 0.5]], bands=(1,), eta=2
    )


def test_the_pruner_decides_as_the_function_does():
    study = optuna.create_study(pruner=WandbHyperband(min_iter=1, eta=2))
    distributions = {"x": FloatDistribution(0, 1)}
    histories = [[3.0, 2.0], [1.0, 1.0], [2.5, 2.5]]
    for i, history in enumerate(histories):
        trial = study.ask(distributions)
        for step, value in enumerate(history, start=1):
            trial.report(value, step)
        assert trial.should_prune() == wandb_stops(history, histories[:i], (1, 2), eta=2)


def test_the_pruner_reads_other_trials_in_the_order_of_their_steps():
    study = optuna.create_study(pruner=WandbHyperband(min_iter=2, eta=2))
    other, trial = study.ask(), study.ask()
    for step, value in ((2, 5.0), (1, 1.0)):  # as a database may give them
        other.report(value, step)
    for step, value in ((1, 3.0), (2, 3.0)):
        trial.report(value, step)
    assert not trial.should_prune()


def test_rungs_leave_out_the_end_and_what_is_never_reached():
    assert rungs({"rule": "wandb-hyperband", "min_iter": 25, "eta": 2}, 195) == [25, 50, 100]
    assert rungs({"rule": "wandb-hyperband", "min_iter": 250}, 20) == []
    halving = {"rule": "successive-halving", "min_resource": 2, "reduction_factor": 3}
    assert rungs(halving, 20) == [2, 6, 18]
    assert rungs(None, 20) == []
    assert isinstance(make(None), optuna.pruners.NopPruner)
