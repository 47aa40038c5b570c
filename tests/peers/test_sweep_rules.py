"""W&B's stopping rule, decision by decision, against its own package."""

import importlib.metadata
import json
import os
import warnings

import pytest
from wandb_histories import GOLDEN, stored, sweeps

from lrlab.sweep._hyperband import wandb_bands, wandb_stops

with warnings.catch_warnings():  # of what it imports
    warnings.simplefilter("ignore")
    from sweeps.hyperband_stopping import hyperband_stop_runs
    from sweeps.run import RunState, SweepRun

pytestmark = pytest.mark.filterwarnings("ignore")  # of the package and of what it imports


def theirs(setting: dict, histories: list, running: list[bool]) -> list[bool]:
    """What the package stops."""
    runs = [
        SweepRun(
            name=str(i),
            state=RunState.running if active else RunState.finished,
            history=[{"loss": value} if value is not None else {} for value in history],
        )
        for i, (history, active) in enumerate(zip(histories, running, strict=True))
    ]
    config = {
        "method": "random",
        "metric": {"name": "loss", "goal": "minimize"},
        "early_terminate": {"type": "hyperband"} | setting,
        "parameters": {"x": {"min": 0.0, "max": 1.0}},
    }
    stopped = {run.name for run in hyperband_stop_runs(runs, config)}
    return [str(i) in stopped for i in range(len(runs))]


def test_every_decision_is_that_of_the_package():
    decisions, lines = 0, []
    for setting, histories, running in sweeps():
        expected = theirs(setting, histories, running)
        bands = wandb_bands(**{k: v for k, v in setting.items() if k != "strict"})
        for i, active in enumerate(running):
            if not active:
                continue
            logged = [[v for v in history if v is not None] for history in histories]
            others = logged[:i] + logged[i + 1 :]
            ours = wandb_stops(
                logged[i], others, bands, eta=setting["eta"], strict=setting["strict"]
            )
            assert ours == expected[i], (setting, i)
            decisions += 1
        lines.append("".join(str(int(stopped)) for stopped in expected))
    assert decisions >= 1000
    if os.environ.get("LRLAB_GOLDEN") == "write":
        version = importlib.metadata.version("sweeps")
        GOLDEN.write_text(json.dumps({"sweeps": version, "stopped": lines}, indent=1) + "\n")
    assert stored() == lines
