"""Replayed rules, against the sweep itself, and against decisions made by hand."""

import dataclasses

import numpy as np
import pytest

from lrlab.experiments.replay import replay
from lrlab.sweep import LogUniform, Plan, sweep, trials
from lrlab.sweep.workers import Progress

pytestmark = pytest.mark.trains

EVALUATIONS = 20
RULES = {
    "wandb": {"rule": "wandb-hyperband", "min_iter": 3, "eta": 2},
    "halving": {"rule": "successive-halving", "min_resource": 3, "reduction_factor": 2},
    "hyperband": {
        "rule": "hyperband",
        "min_resource": 3,
        "max_resource": 20,
        "reduction_factor": 2,
    },
    "median": {"rule": "median", "n_startup_trials": 4},
    "none": None,
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """Shows curves in place of training: trial by trial, by the place of its parameter."""

    curves: tuple[tuple[float, ...], ...]
    params: tuple[float, ...]

    def __call__(self, plan, params, evaluation):
        curve = np.array(self.curves[self.params.index(params["x"])])
        finite = np.isfinite(curve)
        upto = len(curve) if finite.all() else int(np.argmin(finite))
        within = curve[: min(upto, evaluation)]
        return Progress(
            values=tuple(within),
            steps=tuple(range(1, len(within) + 1)),
            diverged=upto < evaluation,
        )


def curves(n, seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(-0.1, 0.2, (n, EVALUATIONS)), axis=1) + rng.normal(0, 0.5, (n, 1))
    x = np.exp(x)
    x[3, 7:] = np.nan
    return x


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("wave", [1, 4])
def test_a_replay_stops_whom_the_sweep_would_stop(rule, wave):
    values = curves(12, seed=1)
    xs = tuple(float(x) for x in np.linspace(0.1, 0.9, len(values)))
    plan = Plan(
        task={"task": "mnist1d"},
        recipe={
            "schedule": {"schedule": "Constant", "lr": 1.0},
            "steps": EVALUATIONS,
            "batch_size": 1,
            "eval_every": 1,
        },
        space={"x": LogUniform(0.01, 1.0)},
        trials=len(values),
        sampler="grid",
        grid={"x": xs},
        rule=RULES[rule],
        wave=wave,
        judge_every=3,
    )
    shown = Shown(tuple(map(tuple, values)), xs)
    study = sweep(plan, trainer=shown, n_jobs=1, progress=False)
    expected = [len(trial.values) for trial in trials(study)]
    order = np.arange(len(values))[None]
    found = replay(values, RULES[rule], order, wave=wave, judge_every=3, n_jobs=1)
    assert found.spent[0].tolist() == expected


def test_what_a_replay_says_follows_from_whom_it_stopped():
    values = np.array([[1.0, 0.1], [0.5, 0.3], [0.9, np.inf]])
    found = replay(values, RULES["none"], [[0, 1, 2]], n_jobs=1)
    assert found.spent.tolist() == [[2, 2, 1]]
    assert (found.lost_winner[0], found.regret[0], found.saved[0]) == (False, 0.0, 0.0)
    rule = {"rule": "wandb-hyperband", "min_iter": 1, "eta": 3}
    found = replay(values, rule, [[1, 0, 2]], n_jobs=1)
    assert found.lost_winner[0]
    assert found.regret[0] == pytest.approx(np.log(3))
    assert found.saved[0] == pytest.approx(1 - 4 / 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"orders": [[0, 0]]}, "permutation"), ({"orders": [[0]]}, "orders"), ({"wave": 0}, "wave=0")],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    good = {"curves": np.ones((2, 3)), "rule": None, "orders": [[0, 1]], "n_jobs": 1}
    with pytest.raises(ValueError, match=message):
        replay(**(good | arguments))
